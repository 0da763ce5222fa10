#include "pipeline/history/undo_chunk.h"

#include "engine/crypto/keccak.h"

enum {
    OWNER = 3,
    KIND_BITS = 3,
    EXISTED_BIT = 4,
    CODE_BIT = 8,
    NUMBER_BYTES_MAX = 10,
    WORD_BYTES_MAX = 33,
    OWNER_BYTES = 1 + sizeof(hn_address),
    ACCOUNT_BYTES_MAX = OWNER_BYTES + NUMBER_BYTES_MAX + WORD_BYTES_MAX + (int)sizeof(hn_hash),
    SLOT_BYTES_MAX = OWNER_BYTES + 1 + 2 * WORD_BYTES_MAX,
};

hn_err hn_undo_count(hn_undo_counts *out, const hn_state_diff *diff)
{
    uint64_t slots = 0;
    for (uint32_t i = 0; i < diff->account_count; i++)
        slots += (uint64_t)diff->accounts[i].cleared_slot_count + diff->accounts[i].slot_count;
    if (slots + diff->account_count >= HN_UNDO_ITEMS_MAX)
        return HN_ERR_LIMIT;
    *out = (hn_undo_counts){.accounts = diff->account_count, .slots = (uint32_t)slots};
    return HN_OK;
}

/* --- writing --- */

static uint8_t *put_number(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static uint8_t *put_word(uint8_t *to, const hn_u256 *value)
{
    uint8_t bytes[32];
    unsigned size = hn_u256_byte_length(value);
    hn_u256_to_be(bytes, value);
    *to++ = (uint8_t)size;
    memcpy(to, bytes + sizeof bytes - size, size);
    return to + size;
}

static uint8_t *put_owner(uint8_t *to, unsigned bits, const hn_address *address)
{
    *to++ = (uint8_t)bits;
    memcpy(to, address->b, sizeof address->b);
    return to + sizeof address->b;
}

static uint8_t *put_account(uint8_t *to, const hn_account_change *change)
{
    if (!change->existed)
        return put_owner(to, HN_UNDO_ACCOUNT, &change->address);
    const hn_account *account = &change->before;
    bool has_code = !hn_hash_equal(&account->code_hash, &hn_keccak256_of_nothing);
    to = put_owner(to, (unsigned)HN_UNDO_ACCOUNT | EXISTED_BIT | (has_code ? CODE_BIT : 0), &change->address);
    to = put_number(to, account->nonce);
    to = put_word(to, &account->balance);
    if (!has_code)
        return to;
    memcpy(to, account->code_hash.b, sizeof account->code_hash);
    return to + sizeof account->code_hash;
}

static uint8_t *put_slot(uint8_t *to, const hn_slot_change *change)
{
    *to++ = HN_UNDO_SLOT;
    to = put_word(to, &change->key);
    return put_word(to, &change->before);
}

static const hn_slot_change *slot_at(const hn_account_change *change, uint32_t index)
{
    return index < change->cleared_slot_count ? &change->cleared_slots[index]
                                              : &change->slots[index - change->cleared_slot_count];
}

/* Moves on to the next item. */
static void step(hn_undo_writer *writer)
{
    const hn_account_change *change = &writer->diff->accounts[writer->account];
    writer->item++;
    if (writer->slot < change->cleared_slot_count + change->slot_count) {
        writer->slot++;
    } else {
        writer->account++;
        writer->slot = 0;
    }
}

bool hn_undo_chunk_write(uint8_t out[HN_UNDO_CHUNK_BYTES], size_t *size, uint32_t *first_item,
                         hn_undo_writer *writer)
{
    const hn_state_diff *diff = writer->diff;
    uint8_t *to = out;
    if (writer->account == UINT32_MAX || (writer->item != 0 && writer->account == diff->account_count))
        return false;
    *first_item = writer->item;
    if (writer->item == 0) {
        to = put_number(to, writer->counts.accounts);
        to = put_number(to, writer->counts.slots);
    }
    bool has_owner = false;
    while (writer->account < diff->account_count) {
        const hn_account_change *change = &diff->accounts[writer->account];
        size_t room = (size_t)(out + HN_UNDO_CHUNK_BYTES - to);
        if (room < (writer->slot == 0 ? (size_t)ACCOUNT_BYTES_MAX : (size_t)SLOT_BYTES_MAX))
            break;
        if (writer->slot == 0) {
            to = put_account(to, change);
        } else {
            if (!has_owner)
                to = put_owner(to, OWNER, &change->address);
            to = put_slot(to, slot_at(change, writer->slot - 1));
        }
        has_owner = true;
        step(writer);
    }
    *size = (size_t)(to - out);
    if (diff->account_count == 0)
        writer->account = UINT32_MAX; /* its only chunk is written */
    return true;
}

/* --- reading --- */

static bool take_bytes(uint8_t *out, size_t size, hn_bytes *rest)
{
    if (rest->size < size)
        return false;
    memcpy(out, rest->data, size);
    rest->data += size;
    rest->size -= size;
    return true;
}

static bool take_number(uint64_t *out, hn_bytes *rest)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < rest->size && i < NUMBER_BYTES_MAX; i++) {
        uint8_t byte = rest->data[i];
        if (i == NUMBER_BYTES_MAX - 1 && byte > 1)
            return false; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i != 0)
                return false; /* could be shorter */
            rest->data += i + 1;
            rest->size -= i + 1;
            *out = value;
            return true;
        }
    }
    return false;
}

/* As 32 bytes, big-endian. */
static bool take_word(uint8_t out[32], hn_bytes *rest)
{
    uint8_t size;
    if (!take_bytes(&size, 1, rest) || size > 32 || rest->size < size || (size != 0 && rest->data[0] == 0))
        return false;
    memset(out, 0, 32u - size);
    return take_bytes(out + 32 - size, size, rest);
}

static bool take_account(hn_account_before *out, unsigned bits, hn_bytes *rest)
{
    out->existed = (bits & EXISTED_BIT) != 0;
    out->account = (hn_account){.code_hash = hn_keccak256_of_nothing};
    if (!take_bytes(out->address.b, sizeof out->address, rest))
        return false;
    if (!out->existed)
        return (bits & CODE_BIT) == 0;
    uint8_t balance[32];
    if (!take_number(&out->account.nonce, rest) || !take_word(balance, rest))
        return false;
    out->account.balance = hn_u256_from_be(balance);
    if ((bits & CODE_BIT) == 0)
        return true;
    return take_bytes(out->account.code_hash.b, sizeof out->account.code_hash, rest) &&
           !hn_hash_equal(&out->account.code_hash, &hn_keccak256_of_nothing);
}

hn_err hn_undo_cursor_begin(hn_undo_cursor *out, hn_undo_counts *counts, hn_bytes chunk, uint32_t first_item)
{
    hn_bytes rest = chunk;
    if (first_item == 0) {
        uint64_t accounts, slots;
        if (!take_number(&accounts, &rest) || !take_number(&slots, &rest) || accounts >= HN_UNDO_ITEMS_MAX ||
            slots >= HN_UNDO_ITEMS_MAX - accounts)
            return HN_ERR_CORRUPT;
        *counts = (hn_undo_counts){.accounts = (uint32_t)accounts, .slots = (uint32_t)slots};
    }
    *out = (hn_undo_cursor){.rest = rest, .next_item = first_item};
    return HN_OK;
}

static hn_err take_slot(hn_undo_cursor *cursor)
{
    cursor->slot.address = cursor->account.address;
    if (!cursor->has_owner || !take_word(cursor->slot.key.b, &cursor->rest) ||
        !take_word(cursor->slot.value.b, &cursor->rest))
        return HN_ERR_CORRUPT;
    return HN_OK;
}

/* A chunk's first slot has its owner before it; nothing else may stand there. */
static hn_err take_owner(hn_undo_cursor *cursor, uint8_t *bits)
{
    if (cursor->has_owner || cursor->next_item == 0 ||
        !take_bytes(cursor->account.address.b, sizeof(hn_address), &cursor->rest) ||
        !take_bytes(bits, 1, &cursor->rest) || *bits != HN_UNDO_SLOT)
        return HN_ERR_CORRUPT;
    cursor->has_owner = true;
    return HN_OK;
}

hn_err hn_undo_cursor_next(hn_undo_cursor *cursor)
{
    uint8_t bits;
    if (!take_bytes(&bits, 1, &cursor->rest))
        return HN_ERR_NOT_FOUND;
    if (bits == OWNER)
        HN_TRY(take_owner(cursor, &bits));
    if (bits == HN_UNDO_SLOT) {
        HN_TRY(take_slot(cursor));
    } else if ((bits & KIND_BITS) != HN_UNDO_ACCOUNT || bits >= 2 * CODE_BIT ||
               !take_account(&cursor->account, bits, &cursor->rest)) {
        return HN_ERR_CORRUPT;
    }
    cursor->has_owner = true;
    cursor->kind = (hn_undo_kind)(bits & KIND_BITS);
    cursor->item = cursor->next_item++;
    return HN_OK;
}
