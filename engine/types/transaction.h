/* Signed transactions of every type: decoding, encoding, signing digest, hash, intrinsic properties.
 *
 * Types: legacy with and without replay protection (EIP-155), access list (EIP-2930), dynamic fee (EIP-1559),
 * blob (EIP-4844, network form without the blobs' sidecar), set code (EIP-7702). Decoding checks the shape
 * alone; whether a transaction may enter a block is engine/chain's business.
 */
#ifndef HN_ENGINE_TYPES_TRANSACTION_H
#define HN_ENGINE_TYPES_TRANSACTION_H

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/base/err.h"
#include "engine/base/u256.h"
#include "engine/crypto/signature.h"

typedef enum hn_transaction_type {
    HN_TRANSACTION_LEGACY = 0,
    HN_TRANSACTION_ACCESS_LIST = 1,
    HN_TRANSACTION_DYNAMIC_FEE = 2,
    HN_TRANSACTION_BLOB = 3,
    HN_TRANSACTION_SET_CODE = 4,
} hn_transaction_type;

typedef struct hn_access_entry {
    hn_address address;
    uint32_t key_count;
    const hn_hash *keys; /* key_count of them */
} hn_access_entry;

/* EIP-7702. The authority is recovered by whoever applies it; an invalid one is skipped, not an error. */
typedef struct hn_authorization {
    hn_u256 chain_id; /* 0: any chain */
    hn_address address;
    uint64_t nonce;
    hn_signature signature; /* y_parity as sent, 0-255: only 0 and 1 can be valid */
} hn_authorization;

/* A decoded transaction. Views point into the raw bytes or the arena that decoding was given. */
typedef struct hn_transaction {
    hn_transaction_type type;
    bool is_create;           /* no recipient */
    bool is_replay_protected; /* legacy only: v carried a chain id; typed ones always are */
    uint64_t chain_id;        /* 0 when a legacy transaction carries none */
    uint64_t nonce;
    uint64_t gas_limit;
    hn_u256 gas_price;                /* legacy and access list; equal to max_fee_per_gas */
    hn_u256 max_fee_per_gas;          /* = gas_price where the type has none */
    hn_u256 max_priority_fee_per_gas; /* = gas_price where the type has none */
    hn_address to;                    /* zero when is_create */
    hn_u256 value;
    hn_bytes data;
    const hn_access_entry *access_list;
    uint32_t access_list_count;
    uint32_t blob_hash_count;
    const hn_hash *blob_hashes;
    hn_u256 max_fee_per_blob_gas;
    const hn_authorization *authorizations;
    uint32_t authorization_count;
    hn_signature signature;
    hn_bytes raw; /* the canonical bytes: EIP-2718 envelope, or the legacy list */
} hn_transaction;

/* Decodes exactly one transaction as eth_sendRawTransaction takes it. `raw` and `arena` must outlive *out.
 * HN_ERR_UNSUPPORTED: unknown type byte. HN_ERR_RANGE: a number too large (nonce and gas limit are below
 * 2^64, v and y parity as the type has them). Other errors as engine/codec/rlp.h. HN_ERR_NO_MEMORY: arena
 * full. */
HN_MUST_USE hn_err hn_transaction_decode(hn_transaction *out, hn_arena *arena, hn_bytes raw);

/* Reads the chain id alone, the transaction's other fields unchecked; *is_replay_protected as in
 * hn_transaction. Agrees with hn_transaction_decode on whatever that takes. Errors as it has them. */
HN_MUST_USE hn_err hn_transaction_read_chain_id(uint64_t *chain_id, bool *is_replay_protected, hn_bytes raw);

/* Encodes *transaction (fields and signature) into the arena; also the way to make one. Sets nothing in it.
 */
HN_MUST_USE hn_err hn_transaction_encode(hn_bytes *out, hn_arena *arena, const hn_transaction *transaction);

/* Digest that the sender signed. Uses `arena` for scratch space only. */
HN_MUST_USE hn_err hn_transaction_signing_hash(hn_hash *out, hn_arena *arena,
                                               const hn_transaction *transaction);

/* Keccak-256 of the raw bytes. */
void hn_transaction_hash(hn_hash *out, const hn_transaction *transaction);

/* Signing digest, low-s rule (legacy transactions before Homestead: any s; pass require_low_s false) and
 * recovery in one: HN_ERR_SIGNATURE when there is no valid sender. */
HN_MUST_USE hn_err hn_transaction_sender(hn_address *out, const hn_signature_context *context,
                                         hn_arena *arena, const hn_transaction *transaction,
                                         bool require_low_s);

/* Digest that an EIP-7702 authority signed: keccak256(0x05 || rlp([chain_id, address, nonce])). */
void hn_authorization_signing_hash(hn_hash *out, const hn_authorization *authorization);

#endif
