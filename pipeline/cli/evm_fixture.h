/* Reading what the public test vectors have in common: accounts and environments.
 */
#ifndef HN_PIPELINE_CLI_EVM_FIXTURE_H
#define HN_PIPELINE_CLI_EVM_FIXTURE_H

#include "engine/codec/json.h"
#include "engine/engine.h"

/* "pre": an object of accounts, as genesis accounts in the arena, sorted by address. Slots of value zero are
 * left out. */
HN_MUST_USE hn_err hn_fixture_read_accounts(const hn_genesis_account **accounts, uint32_t *count,
                                            hn_arena *arena, const hn_json *node);

/* "config" of newer fixtures: chain id and blob schedules over those that *config already has. Absent: no
 * change. */
HN_MUST_USE hn_err hn_fixture_read_config(hn_chain_config *config, const hn_json *test);

/* For hn_evm_block.block_hash: the vectors' world has no chain; the hash of block N is that of N's decimal
 * digits. */
void hn_fixture_block_hash(void *self, hn_hash *out, uint64_t number);

/* A named member where it is present; *out is left alone otherwise. */
HN_MUST_USE hn_err hn_fixture_optional_u64(uint64_t *out, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_fixture_optional_u256(hn_u256 *out, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_fixture_optional_fixed(void *out, size_t size, const hn_json *object, const char *key);

/* A member that must be there. */
HN_MUST_USE hn_err hn_fixture_u64(uint64_t *out, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_fixture_u256(hn_u256 *out, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_fixture_fixed(void *out, size_t size, const hn_json *object, const char *key);
HN_MUST_USE hn_err hn_fixture_data(hn_bytes *out, hn_arena *arena, const hn_json *object, const char *key);

#endif
