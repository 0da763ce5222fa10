/* One description of a structure's fields for both passes of RLP writing: measuring and writing.
 *
 * A function that puts the fields of a structure into a sink is called first with a measuring sink, which
 * adds up sizes and writes nothing, and then with a writing one. The room given to the latter must be what
 * the former measured. Any core; nothing allocates.
 */
#ifndef HN_ENGINE_CODEC_RLP_SINK_H
#define HN_ENGINE_CODEC_RLP_SINK_H

#include "engine/codec/rlp.h"

typedef struct hn_rlp_sink {
    uint8_t *next; /* NULL while measuring */
    size_t size;   /* bytes measured; not kept up to date while writing */
} hn_rlp_sink;

static inline hn_rlp_sink hn_rlp_sink_to_measure(void)
{
    return (hn_rlp_sink){.next = NULL, .size = 0};
}

static inline hn_rlp_sink hn_rlp_sink_to_write(uint8_t *to)
{
    return (hn_rlp_sink){.next = to, .size = 0};
}

static inline void hn_rlp_put_string(hn_rlp_sink *sink, const void *data, size_t size)
{
    hn_bytes string = hn_bytes_of(data, size);
    if (sink->next != NULL)
        sink->next = hn_rlp_write_string(sink->next, string);
    else
        sink->size += hn_rlp_size_of_string(string);
}

static inline void hn_rlp_put_u64(hn_rlp_sink *sink, uint64_t value)
{
    if (sink->next != NULL)
        sink->next = hn_rlp_write_u64(sink->next, value);
    else
        sink->size += hn_rlp_size_of_u64(value);
}

static inline void hn_rlp_put_u256(hn_rlp_sink *sink, const hn_u256 *value)
{
    if (sink->next != NULL)
        sink->next = hn_rlp_write_u256(sink->next, value);
    else
        sink->size += hn_rlp_size_of_u256(value);
}

/* The prefix of a list whose items, payload_size bytes of them, are put next. */
static inline void hn_rlp_put_list_prefix(hn_rlp_sink *sink, size_t payload_size)
{
    if (sink->next != NULL)
        sink->next = hn_rlp_write_list_prefix(sink->next, payload_size);
    else
        sink->size += hn_rlp_size_of_list(payload_size) - payload_size;
}

/* Bytes as they are: items encoded elsewhere, the type byte of an EIP-2718 envelope. */
static inline void hn_rlp_put_raw(hn_rlp_sink *sink, const void *data, size_t size)
{
    if (sink->next == NULL) {
        sink->size += size;
    } else if (size != 0) {
        memcpy(sink->next, data, size);
        sink->next += size;
    }
}

#endif
