#include "pipeline/query/transfers.h"

#include "engine/evm/opcode.h"

enum { FIRST_CAPACITY = 16 };

/* keccak256("Transfer(address,address,uint256)") */
static const hn_hash transfer_topic = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                        0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                        0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

/* Room for one more item; false: out of memory. */
static bool grow(hn_transfers *self, void **items, uint32_t count, uint32_t capacity, uint32_t wanted,
                 size_t item_size)
{
    if (wanted == capacity)
        return true;
    void *larger = hn_arena_alloc(self->arena, wanted * item_size);
    if (larger == NULL) {
        self->has_failed = true;
        return false;
    }
    if (count != 0)
        memcpy(larger, *items, count * item_size);
    *items = larger;
    return true;
}

static void add_log(hn_transfers *self, const hn_log *log)
{
    uint32_t capacity = self->count < self->capacity ? self->capacity
                        : self->capacity == 0        ? FIRST_CAPACITY
                                                     : 2 * self->capacity;
    void *logs = self->logs, *indexes = self->indexes;
    hn_log copy = *log;
    if (self->has_failed || !grow(self, &logs, self->count, self->capacity, capacity, sizeof *self->logs) ||
        !grow(self, &indexes, self->count, self->capacity, capacity, sizeof *self->indexes))
        return;
    self->logs = logs;
    self->indexes = indexes;
    self->capacity = capacity;
    if (hn_arena_copy(&copy.data, self->arena, log->data) != HN_OK) {
        self->has_failed = true;
        return;
    }
    self->logs[self->count] = copy;
    self->indexes[self->count++] = self->next_index++;
}

static hn_hash padded(const hn_address *address)
{
    hn_hash word = {{0}};
    memcpy(word.b + sizeof word.b - sizeof address->b, address->b, sizeof address->b);
    return word;
}

static void add_transfer(hn_transfers *self, const hn_address *from, const hn_address *to,
                         const hn_u256 *value)
{
    if (!self->with_ether || hn_u256_is_zero(value))
        return;
    uint8_t amount[32];
    hn_u256_to_be(amount, value);
    hn_log log = {.topic_count = 3, .data = hn_bytes_of(amount, sizeof amount)};
    memset(log.address.b, 0xee, sizeof log.address.b);
    log.topics[0] = transfer_topic;
    log.topics[1] = padded(from);
    log.topics[2] = padded(to);
    add_log(self, &log);
}

static void on_enter(void *context, const hn_message *message, uint8_t opcode, hn_bytes code)
{
    hn_transfers *self = context;
    (void)code;
    if (self->depth == self->depth_capacity) {
        uint32_t capacity = self->depth_capacity == 0 ? FIRST_CAPACITY : 2 * self->depth_capacity;
        void *frames = self->frames;
        if (!grow(self, &frames, self->depth, self->depth_capacity, capacity, sizeof *self->frames))
            return;
        self->frames = frames;
        self->depth_capacity = capacity;
    }
    self->frames[self->depth++] = self->count;
    if (opcode != HN_OP_DELEGATECALL && opcode != HN_OP_STATICCALL)
        add_transfer(self, &message->sender, &message->recipient, &message->value);
}

static void on_exit_frame(void *context, const hn_message *message, const hn_evm_result *result,
                          uint64_t gas_used)
{
    hn_transfers *self = context;
    (void)message;
    (void)gas_used;
    if (self->has_failed || self->depth == 0)
        return;
    self->depth--;
    if (result->status != HN_EVM_SUCCESS)
        self->count = self->frames[self->depth];
}

static void on_self_destruct(void *context, const hn_address *from, const hn_address *to,
                             const hn_u256 *value)
{
    add_transfer(context, from, to, value);
}

static void on_log(void *context, const hn_log *log)
{
    add_log(context, log);
}

void hn_transfers_init(hn_transfers *self, hn_arena *arena, bool with_ether)
{
    *self = (hn_transfers){
        .arena = arena,
        .with_ether = with_ether,
        .hooks = {.enter = on_enter,
                  .exit = on_exit_frame,
                  .self_destruct = on_self_destruct,
                  .log = on_log,
                  .self = self},
    };
}

void hn_transfers_begin_block(hn_transfers *self)
{
    self->next_index = 0;
}

void hn_transfers_begin(hn_transfers *self)
{
    self->count = self->capacity = 0; /* what was taken stays as it is */
    self->logs = NULL;
    self->indexes = NULL;
    self->depth = 0;
}

hn_err hn_transfers_take(hn_transfers *self, hn_simulated_outcome *out)
{
    if (self->has_failed)
        return HN_ERR_NO_MEMORY;
    out->logs = self->logs;
    out->log_indexes = self->indexes;
    out->log_count = self->count;
    return HN_OK;
}
