/* Any bytes as an Ethernet frame. What is answered goes back to its sender and is no longer than the frame's
 * memory; a datagram's payload lies within the frame.
 *
 * Input: one byte of flags, then the frame. Flag 1: write the port's own addresses where a frame would have
 * them; flag 2: make the checksums right, so that what lies behind them is reached, too.
 */
#include "engine/base/check.h"
#include "pipeline/port/checksum.h"
#include "pipeline/port/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const hn_frame_identity self = {.mac = {2, 0, 0, 0, 0, 1},
                                       .has_ipv4 = true,
                                       .has_ipv6 = true,
                                       .ipv4 = {10, 0, 0, 2},
                                       .ipv6 = {0xfd, [15] = 2},
                                       .port = 8546};

static void address_to_us(uint8_t *frame, size_t size)
{
    if (size >= 14)
        memcpy(frame, self.mac, 6);
    if (size >= 34 && frame[12] == 8)
        memcpy(frame + 30, self.ipv4, 4);
    if (size >= 54 && frame[12] == 0x86)
        memcpy(frame + 38, self.ipv6, 16);
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
    hn_store_be16(at, (uint16_t)~hn_checksum_fold(sum));
}

static void repair_checksums(uint8_t *frame, size_t size)
{
    if (size >= 34 && frame[12] == 8) {
        size_t header = (size_t)(frame[14] & 15) * 4;
        if (header < 20 || size < 14 + header)
            return;
        hn_store_be16(frame + 24, 0);
        put_checksum(frame + 24, hn_checksum_add(0, frame + 14, header));
        size_t total = hn_load_be16(frame + 16);
        uint8_t *payload = frame + 14 + header;
        if (total < header + 8 || size < 14 + total)
            return;
        if (frame[23] == 1) {
            hn_store_be16(payload + 2, 0);
            put_checksum(payload + 2, hn_checksum_add(0, payload, total - header));
        } else if (frame[23] == 17) {
            hn_store_be16(payload + 6, 0); /* none */
        }
    } else if (size >= 62 && frame[12] == 0x86) {
        size_t length = hn_load_be16(frame + 18);
        size_t at = frame[20] == 17 ? 6 : 2;
        if (length < 8 || size < 54 + length)
            return;
        hn_store_be16(frame + 54 + at, 0);
        uint64_t sum = hn_checksum_pseudo(frame + 22, frame + 38, 16, frame[20], length);
        put_checksum(frame + 54 + at, hn_checksum_add(sum, frame + 54, length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 2048)
        return 0;
    uint8_t flags = data[0];
    size_t frame_size = size - 1;
    /* Memory of its own size, so that a read or write past the end is seen. */
    uint8_t *frame = malloc(frame_size + (frame_size == 0));
    HN_CHECK(frame != NULL);
    memcpy(frame, data + 1, frame_size);
    if ((flags & 1) != 0)
        address_to_us(frame, frame_size);
    if ((flags & 2) != 0)
        repair_checksums(frame, frame_size);
    uint8_t sender[6] = {0};
    if (frame_size >= 14)
        memcpy(sender, frame + 6, 6);
    hn_port_counters counters = {0};
    hn_frame_result result = hn_frame_take(&counters, frame, frame_size, frame_size, &self);
    if (result.kind == HN_FRAME_DATAGRAM) {
        HN_CHECK(result.payload.data >= frame && result.payload.size <= frame_size);
        HN_CHECK(result.payload.data + result.payload.size <= frame + frame_size);
        HN_CHECK(memcmp(result.peer.mac, sender, 6) == 0 && result.peer.port != 0);
        uint8_t answer[2200];
        hn_datagram_out out = {.payload = result.payload, .peer = result.peer};
        HN_CHECK(hn_frame_build(answer, sizeof answer, &self, &out, 1) != 0);
    } else if (result.kind == HN_FRAME_ANSWER) {
        HN_CHECK(result.answer_size <= frame_size);
        HN_CHECK(memcmp(frame + 6, self.mac, 6) == 0);
    } else {
        uint64_t reasons =
            counters.truncated + counters.bad_checksum + counters.not_for_us + counters.fragments;
        HN_CHECK(reasons == 1);
    }
    free(frame);
    return 0;
}
