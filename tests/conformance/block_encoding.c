/* Encodings of blocks and first headers, against chains that other programs made: every block of the
 * BlockchainTests of ethereum/tests and of the chain of the execution-apis tests must decode, hash to the
 * known hash, encode to the same bytes and give the known senders. Nothing is executed here. */
#include "engine/codec/rlp.h"
#include "engine/types/block.h"
#include "engine/types/genesis.h"
#include "tests/support/vectors.h"

#include <stdio.h>

/* What every block that decodes must fulfil, whether or not it is valid. */
static bool round_trips(vectors *set, const char *place, const hn_block *block, hn_bytes rlp)
{
    hn_bytes encoded, transaction;
    if (hn_block_encode(&encoded, &set->arena, block) != HN_OK || !hn_bytes_equal(encoded, rlp)) {
        vectors_fail(set, place, "encodes to other bytes");
        return false;
    }
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        const hn_transaction *tx = &block->transactions[i];
        if (hn_transaction_encode(&transaction, &set->arena, tx) != HN_OK ||
            !hn_bytes_equal(transaction, tx->raw)) {
            vectors_fail(set, place, "transaction %u encodes to other bytes", i);
            return false;
        }
    }
    return true;
}

static bool uncles_match(vectors *set, const char *place, const hn_block *block)
{
    hn_hash hash;
    if (hn_uncles_hash(&hash, &set->arena, block->uncles, block->uncle_count) == HN_OK &&
        hn_hash_equal(&hash, &block->header.uncles_hash))
        return true;
    vectors_fail(set, place, "wrong hash of uncles");
    return false;
}

static bool hash_is(vectors *set, const char *place, const hn_header *header, const hn_json *known)
{
    hn_json found;
    hn_hash want, hash;
    if (hn_json_get(&found, known, "hash") != HN_OK ||
        hn_json_read_fixed(want.b, sizeof want, &found) != HN_OK) {
        vectors_fail(set, place, "%s", known->problem->text);
        return false;
    }
    hn_header_hash(&hash, header);
    if (hn_hash_equal(&hash, &want))
        return true;
    vectors_fail(set, place, "wrong hash");
    return false;
}

static bool senders_match(vectors *set, const char *place, const hn_block *block, const hn_json *known)
{
    if (hn_json_size(known) != block->transaction_count) {
        vectors_fail(set, place, "wrong number of transactions");
        return false;
    }
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        hn_json transaction = hn_json_at(known, i), found;
        hn_address want, sender;
        if (!hn_json_find(&found, &transaction, "sender"))
            continue;
        if (hn_json_read_fixed(want.b, sizeof want, &found) != HN_OK ||
            hn_transaction_sender(&sender, set->context, &set->arena, &block->transactions[i], false) !=
                HN_OK ||
            !hn_address_equal(&sender, &want)) {
            vectors_fail(set, place, "wrong sender of transaction %u", i);
            return false;
        }
    }
    return true;
}

/* A block with its header in "blockHeader" decodes; one that is malformed is refused; other invalid ones may
 * be either, but what decodes encodes back. */
static void run_block(vectors *set, const char *place, const hn_json *test)
{
    hn_json rlp_node, header, exception, transactions;
    hn_bytes rlp;
    hn_block block;
    const char *reason = "";
    if (hn_json_get(&rlp_node, test, "rlp") != HN_OK ||
        hn_json_read_data(&rlp, &set->arena, &rlp_node) != HN_OK) {
        vectors_fail(set, place, "%s", test->problem->text);
        return;
    }
    bool is_valid = hn_json_find(&header, test, "blockHeader");
    if (hn_json_find(&exception, test, "expectException"))
        (void)!hn_json_read_string(&reason, &exception);
    hn_err err = hn_block_decode(&block, &set->arena, rlp);
    if (err != HN_OK) {
        if (is_valid)
            vectors_fail(set, place, "refused: %s", hn_err_text(err));
        else
            vectors_pass(set);
        return;
    }
    if (!is_valid && strstr(reason, "RLP_STRUCTURES_ENCODING") != NULL) {
        vectors_fail(set, place, "taken, but %s is wanted", reason);
        return;
    }
    bool good = round_trips(set, place, &block, rlp);
    if (good && is_valid)
        good = hash_is(set, place, &block.header, &header) && uncles_match(set, place, &block) &&
               (!hn_json_find(&transactions, test, "transactions") ||
                senders_match(set, place, &block, &transactions));
    if (good)
        vectors_pass(set);
}

static void run_blockchain_test(vectors *set, const char *path, const hn_json *root)
{
    hn_json test, blocks, genesis, known;
    (void)path;
    for (void *at = NULL; hn_json_next(&test, &at, root);) {
        if (!hn_json_find(&blocks, &test, "blocks"))
            continue;
        for (size_t i = 0; i < hn_json_size(&blocks); i++) {
            hn_json block = hn_json_at(&blocks, i);
            char place[512];
            snprintf(place, sizeof place, "%s block %zu", test.key, i);
            run_block(set, place, &block);
        }
        hn_bytes rlp;
        hn_block block;
        if (!hn_json_find(&genesis, &test, "genesisRLP") ||
            !hn_json_find(&known, &test, "genesisBlockHeader"))
            continue;
        if (hn_json_read_data(&rlp, &set->arena, &genesis) != HN_OK ||
            hn_block_decode(&block, &set->arena, rlp) != HN_OK)
            vectors_fail(set, test.key, "the first block is refused");
        else if (round_trips(set, test.key, &block, rlp) && hash_is(set, test.key, &block.header, &known))
            vectors_pass(set);
    }
}

/* The state root of the first block, from the recorded answer of another node: the trie is not built here. */
static bool read_state_root(vectors *set, hn_hash *out)
{
    static const hn_json_limits limits = {.size_max = 1 << 20, .depth_max = 32};
    hn_bytes file;
    if (vectors_read_file(&file, set, "eth_getBlockByNumber/get-genesis.io") != HN_OK)
        return false;
    const char *answer = memmem(file.data, file.size, "<< ", 3);
    if (answer == NULL)
        return false;
    const char *end = (const char *)file.data + file.size;
    hn_json_document document;
    if (hn_json_parse(&document, NULL, hn_bytes_of(answer + 3, (size_t)(end - answer - 3)), &limits) != HN_OK)
        return false;
    hn_json root = hn_json_root(&document, NULL), result, state_root;
    bool good = hn_json_find(&result, &root, "result") && hn_json_find(&state_root, &result, "stateRoot") &&
                hn_json_read_fixed(out->b, sizeof *out, &state_root) == HN_OK;
    hn_json_free(&document);
    return good;
}

static bool genesis_hash(vectors *set, hn_hash *out, hn_genesis *genesis)
{
    hn_genesis_problem problem = {""};
    hn_bytes file;
    if (vectors_read_file(&file, set, "genesis.json") != HN_OK ||
        hn_genesis_read(genesis, &problem, &set->arena, file) != HN_OK ||
        !read_state_root(set, &genesis->header.state_root)) {
        vectors_fail(set, "genesis.json", "%s", problem.text);
        return false;
    }
    hn_header_hash(out, &genesis->header);
    return true;
}

/* The form that a header must have under its fork. */
static hn_header_form form_at(const hn_chain_config *config, const hn_header *header)
{
    hn_fork fork = hn_fork_at(config, header->number, header->timestamp);
    if (fork >= HN_FORK_PRAGUE)
        return HN_HEADER_PRAGUE;
    if (fork >= HN_FORK_CANCUN)
        return HN_HEADER_CANCUN;
    if (fork >= HN_FORK_SHANGHAI)
        return HN_HEADER_SHANGHAI;
    return fork >= HN_FORK_LONDON ? HN_HEADER_LONDON : HN_HEADER_FRONTIER;
}

/* chain.rlp: blocks one behind the other, each with the hash of the one before. */
static void run_chain(vectors *set)
{
    hn_genesis genesis;
    hn_hash parent;
    hn_bytes file, rlp;
    if (!genesis_hash(set, &parent, &genesis))
        return;
    if (vectors_read_file(&file, set, "chain.rlp") != HN_OK) {
        vectors_skip(set, "chain.rlp", "not there");
        return;
    }
    hn_rlp_cursor cursor = hn_rlp_cursor_of(file);
    for (size_t number = 1; !hn_rlp_at_end(&cursor); number++) {
        char place[64];
        hn_block block;
        snprintf(place, sizeof place, "chain.rlp block %zu", number);
        if (hn_rlp_read_raw(&rlp, &cursor) != HN_OK || hn_block_decode(&block, &set->arena, rlp) != HN_OK) {
            vectors_fail(set, place, "refused");
            return;
        }
        if (!hn_hash_equal(&block.header.parent_hash, &parent) || block.header.number != number)
            vectors_fail(set, place, "does not follow the block before");
        else if (block.header.form != form_at(&genesis.config, &block.header))
            vectors_fail(set, place, "the form of its header is not that of its fork");
        else if (round_trips(set, place, &block, rlp) && uncles_match(set, place, &block))
            vectors_pass(set);
        hn_header_hash(&parent, &block.header);
    }
}

int main(void)
{
    vectors blocks, chain;
    hn_signature_context *signatures;
    if (!vectors_open(&blocks, "ethereum-tests"))
        return VECTORS_EXIT_SKIPPED;
    if (hn_signature_context_create(&signatures) != HN_OK) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }
    blocks.context = signatures;
    vectors_each_json(&blocks, "BlockchainTests", run_blockchain_test);
    if (vectors_open(&chain, "rpc-compat")) {
        run_chain(&chain);
        blocks.passed += chain.passed;
        blocks.failed += chain.failed;
        blocks.skipped += chain.skipped;
        vectors_release(&chain);
    }
    hn_signature_context_destroy(signatures);
    return vectors_close(&blocks);
}
