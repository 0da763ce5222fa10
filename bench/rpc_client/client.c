/* One measurement of a JSON-RPC server, any that speaks the standard methods:
 *
 *   bench_rpc_client read PORT CONNECTIONS SECONDS METHOD PARAMETERS   calls a second, p50 and p99 in us
 *   bench_rpc_client send PORT CONNECTIONS BATCH COUNT SEED            transfers a second until all are mined
 *   bench_rpc_client sync PORT COUNT SEED                              eth_sendRawTransactionSync, one at a
 *                                                                      time: transfers a second, p50, p99
 *
 * Last comes the number of transfers that were never mined.
 *
 * The first well-known test account funds the senders; all transfers are signed before the clock starts.
 */
#include "bench/load/batch.h"
#include "bench/load/clock.h"
#include "bench/load/rpc.h"
#include "bench/rpc_client/posts.h"
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SENDERS_MIN = 64,
    BATCH_MAX = 1000,
    CALL_BYTES = 512, /* one signed transfer as a call */
    RAW_BYTES_MAX = 160,
    TRANSFER_GAS = 21000,
};

static const uint64_t standstill_ns = UINT64_C(4000000000);

typedef struct sender {
    uint8_t key[32];
    hn_address address;
} sender;

typedef struct session {
    uint16_t port;
    uint32_t connections;
    uint32_t per_request;
    uint64_t count;
    const char *seed;
    const char *method; /* that takes the transfers */
    hn_load_rpc *rpc;
    hn_signature_context *signer;
    sender funder;
    sender *senders;
    uint64_t sender_count;
    uint64_t chain_id;
    uint64_t gas_price;
    uint64_t funder_nonce;
    uint64_t first_nonce; /* of every sender */
    uint64_t mined;
    hn_posts posts;
} session;

/* --- transactions --- */

/* Transfer `index` is from sender index % sender_count, so that neighbours do not depend on each other. */
static void transfer_draft(void *self, hn_load_draft *out, uint64_t index)
{
    const session *s = self;
    out->key = s->senders[index % s->sender_count].key;
    out->nonce = s->first_nonce + index / s->sender_count;
    out->gas_limit = TRANSFER_GAS;
    out->value = hn_u256_of(1);
    out->to = s->senders[(index * 7 + 1) % s->sender_count].address;
}

static void funding_draft(void *self, hn_load_draft *out, uint64_t index)
{
    const session *s = self;
    uint64_t transfers = s->count / s->sender_count + 2;
    hn_u256 gas = hn_u256_of(transfers * (TRANSFER_GAS + 1)), price = hn_u256_of(s->gas_price);
    out->key = s->funder.key;
    out->nonce = s->funder_nonce + index;
    out->gas_limit = TRANSFER_GAS;
    out->value = hn_u256_mul(&gas, &price);
    out->to = s->senders[index].address;
}

static hn_err sign(hn_load_batch *out, session *s, uint64_t count,
                   void (*draft)(void *, hn_load_draft *, uint64_t))
{
    hn_load_recipe recipe = {.context = s,
                             .draft = draft,
                             .count = count,
                             .bytes_max = RAW_BYTES_MAX,
                             .chain_id = s->chain_id,
                             .gas_price = s->gas_price};
    return hn_load_batch_sign(out, &recipe, s->signer);
}

/* Transfers in the order in which one connection sends them, some in one request. */
static hn_err add_requests(session *s, const hn_load_batch *batch)
{
    char *body = malloc(BATCH_MAX * CALL_BYTES);
    hn_err err = body == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    for (uint32_t c = 0; err == HN_OK && c < s->connections; c++) {
        uint64_t index = c;
        while (err == HN_OK && index < batch->count) {
            char *to = body;
            uint32_t calls = 0;
            for (; calls < s->per_request && index < batch->count; calls++, index += s->connections) {
                hn_bytes raw = hn_load_batch_at(batch, index);
                to += sprintf(to, "%c{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"%s\",\"params\":[\"0x",
                              calls == 0 ? '[' : ',', calls, s->method);
                to = hn_hex_encode(to, raw.data, raw.size);
                to += sprintf(to, "\"]}");
            }
            *to++ = ']';
            bool is_alone = s->per_request == 1; /* one call alone is no batch */
            err = hn_posts_add(&s->posts, c, body + (is_alone ? 1 : 0),
                               (size_t)(to - body) - (is_alone ? 2u : 0u));
        }
    }
    free(body);
    return err;
}

/* --- what is mined --- */

static void nonce_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    const session *s = self;
    char hex[41];
    *hn_hex_encode(hex, s->senders[index].address.b, 20) = '\0';
    (void)snprintf(out, HN_LOAD_RPC_PARAMETERS_MAX, "[\"0x%s\",\"latest\"]", hex);
}

typedef struct nonce_sum {
    session *session;
    uint64_t sum;
} nonce_sum;

static void sum_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    nonce_parameters(((const nonce_sum *)self)->session, out, index);
}

static hn_err sum_result(void *self, uint64_t index, const hn_json *result)
{
    nonce_sum *sum = self;
    uint64_t nonce;
    (void)index;
    HN_TRY(hn_json_read_quantity_u64(&nonce, result));
    sum->sum += nonce;
    return HN_OK;
}

/* Waits until the newest state has all transfers, or has not moved for long: then some are missing. The time
 * that counts is when it moved last. */
static hn_err wait_for_transfers(session *s, uint64_t begin_ns)
{
    nonce_sum sum = {.session = s};
    hn_load_rpc_calls calls = {.method = "eth_getTransactionCount",
                               .count = s->sender_count,
                               .context = &sum,
                               .parameters = sum_parameters,
                               .result = sum_result};
    uint64_t moved_ns = hn_load_now_ns(), before = 0;
    while (before != s->count && hn_load_now_ns() - moved_ns < standstill_ns) {
        sum.sum = 0;
        HN_TRY(hn_load_rpc_call_all(s->rpc, &calls));
        sum.sum -= s->first_nonce; /* not 0 with one sender only */
        if (sum.sum != before)
            moved_ns = hn_load_now_ns();
        before = sum.sum;
        struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
    }
    s->mined = before;
    s->posts.seconds = (double)(moved_ns - begin_ns) / 1e9;
    return HN_OK;
}

static hn_err wait_for_funds(session *s)
{
    hn_u256 nonce;
    char parameters[64], hex[41];
    *hn_hex_encode(hex, s->funder.address.b, 20) = '\0';
    (void)snprintf(parameters, sizeof parameters, "[\"0x%s\",\"latest\"]", hex);
    for (uint64_t begin_ns = hn_load_now_ns(); hn_load_now_ns() - begin_ns < UINT64_C(60000000000);) {
        HN_TRY(hn_load_rpc_quantity(&nonce, s->rpc, "eth_getTransactionCount", parameters));
        if (nonce.w[0] == s->funder_nonce + s->sender_count)
            return HN_OK;
        struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL);
    }
    return HN_ERR_TIMEOUT;
}

/* --- setting up --- */

static hn_err make_sender(session *s, sender *out, const void *text, size_t size)
{
    hn_hash key;
    hn_keccak256(&key, text, size);
    memcpy(out->key, key.b, sizeof out->key);
    return hn_signature_address_of(s->signer, &out->address, out->key);
}

static hn_err make_accounts(session *s)
{
    static const char funder_key[] = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    uint64_t wanted = (uint64_t)s->connections * s->per_request;
    s->sender_count = wanted < SENDERS_MIN ? SENDERS_MIN : wanted;
    s->senders = calloc(s->sender_count, sizeof *s->senders);
    if (s->senders == NULL)
        return HN_ERR_NO_MEMORY;
    for (uint64_t i = 0; i < s->sender_count; i++) {
        char text[128];
        int size = snprintf(text, sizeof text, "%.64s %lu", s->seed, (unsigned long)i);
        HN_TRY(make_sender(s, &s->senders[i], text, (size_t)size));
    }
    HN_TRY(hn_hex_read_fixed(s->funder.key, sizeof s->funder.key, funder_key));
    return hn_signature_address_of(s->signer, &s->funder.address, s->funder.key);
}

static hn_err ask_ledger(session *s)
{
    hn_u256 value;
    char parameters[64], hex[41];
    *hn_hex_encode(hex, s->funder.address.b, 20) = '\0';
    (void)snprintf(parameters, sizeof parameters, "[\"0x%s\",\"latest\"]", hex);
    HN_TRY(hn_load_rpc_quantity(&value, s->rpc, "eth_chainId", "[]"));
    s->chain_id = value.w[0];
    HN_TRY(hn_load_rpc_quantity(&value, s->rpc, "eth_gasPrice", "[]"));
    s->gas_price = 4 * value.w[0]; /* the base fee may rise meanwhile */
    HN_TRY(hn_load_rpc_quantity(&value, s->rpc, "eth_getTransactionCount", parameters));
    s->funder_nonce = value.w[0];
    return HN_OK;
}

/* Sends the funder's transfers, and forgets the requests. */
static hn_err fund(session *s)
{
    hn_load_batch batch;
    HN_TRY(sign(&batch, s, s->sender_count, funding_draft));
    uint32_t connections = s->connections, per_request = s->per_request;
    const char *method = s->method;
    s->connections = 1;
    s->per_request = 100;
    s->method = "eth_sendRawTransaction";
    s->posts = (hn_posts){.port = s->port, .connection_count = 1};
    hn_err err = add_requests(s, &batch);
    if (err == HN_OK)
        err = hn_posts_run(&s->posts);
    hn_load_batch_destroy(&batch);
    s->connections = connections;
    s->per_request = per_request;
    s->method = method;
    if (err == HN_OK)
        hn_posts_free(&s->posts);
    return err == HN_OK ? wait_for_funds(s) : err;
}

/* --- measurements --- */

static hn_err run_transfers(session *s, bool is_sync)
{
    HN_TRY(make_accounts(s));
    HN_TRY(ask_ledger(s));
    if (is_sync) {
        /* One at a time needs one sender: the funder itself. */
        s->sender_count = 1;
        s->senders[0] = s->funder;
        s->first_nonce = s->funder_nonce;
    } else {
        HN_TRY(fund(s));
    }
    hn_load_batch batch;
    HN_TRY(sign(&batch, s, s->count, transfer_draft));
    s->posts = (hn_posts){.port = s->port, .connection_count = s->connections};
    hn_err err = add_requests(s, &batch);
    hn_load_batch_destroy(&batch);
    HN_TRY(err);
    uint64_t begin_ns = hn_load_now_ns();
    HN_TRY(hn_posts_run(&s->posts));
    return wait_for_transfers(s, begin_ns);
}

static hn_err run_reads(session *s, double seconds, const char *method, const char *parameters)
{
    char body[2048];
    int size = snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
                        method, parameters);
    if (size < 0 || (size_t)size >= sizeof body)
        return HN_ERR_LIMIT;
    s->posts = (hn_posts){.port = s->port, .connection_count = s->connections, .repeat_s = seconds};
    for (uint32_t i = 0; i < s->connections; i++)
        HN_TRY(hn_posts_add(&s->posts, i, body, (size_t)size));
    return hn_posts_run(&s->posts);
}

static hn_err run(session *s, int argc, char **argv)
{
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", s->port);
    HN_TRY(hn_load_rpc_open(&s->rpc, url));
    HN_TRY(hn_signature_context_create(&s->signer));
    s->connections = 1;
    s->per_request = 1;
    if (strcmp(argv[1], "read") == 0 && argc == 7) {
        s->connections = (uint32_t)strtoul(argv[3], NULL, 10);
        return s->connections - 1 < HN_POSTS_CONNECTIONS_MAX
                   ? run_reads(s, strtod(argv[4], NULL), argv[5], argv[6])
                   : HN_ERR_INVALID;
    }
    bool is_sync = strcmp(argv[1], "sync") == 0 && argc == 5;
    if (!is_sync && (strcmp(argv[1], "send") != 0 || argc != 7))
        return HN_ERR_INVALID;
    if (!is_sync) {
        s->connections = (uint32_t)strtoul(argv[3], NULL, 10);
        s->per_request = (uint32_t)strtoul(argv[4], NULL, 10);
    }
    s->method = is_sync ? "eth_sendRawTransactionSync" : "eth_sendRawTransaction";
    s->count = strtoull(argv[argc - 2], NULL, 10);
    s->seed = argv[argc - 1];
    if (s->connections - 1 >= HN_POSTS_CONNECTIONS_MAX || s->per_request - 1 >= BATCH_MAX || s->count == 0)
        return HN_ERR_INVALID;
    return run_transfers(s, is_sync);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        (void)fprintf(stderr, "usage: see bench/rpc_client/client.c\n");
        return 2;
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return 1;
    s->port = (uint16_t)strtoul(argv[2], NULL, 10);
    hn_err err = run(s, argc, argv);
    if (err == HN_OK) {
        uint64_t done = strcmp(argv[1], "read") == 0 ? s->posts.answers : s->mined;
        size_t last = s->posts.answers - 1;
        uint64_t missing = strcmp(argv[1], "read") == 0 ? 0 : s->count - s->mined;
        printf("%.0f %u %u %lu\n", (double)done / s->posts.seconds, s->posts.latencies_us[last / 2],
               s->posts.latencies_us[last - last / 100], (unsigned long)missing);
    } else {
        (void)fprintf(stderr, "bench_rpc_client: %s: %s %s\n", hn_err_text(err), s->posts.problem,
                      s->rpc == NULL ? "" : hn_load_rpc_problem(s->rpc));
    }
    hn_posts_free(&s->posts);
    hn_load_rpc_close(s->rpc);
    hn_signature_context_destroy(s->signer);
    free(s->senders);
    free(s);
    curl_global_cleanup();
    return err == HN_OK ? 0 : 1;
}
