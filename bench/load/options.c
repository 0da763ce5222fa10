#include "bench/load/options.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const workload_names[] = {"transfer", "erc20", "hot", "swap", NULL};
static const char *const target_names[] = {"datagram", "rpc", NULL};
static const char *const level_names[] = {"queued", "durable", "executed", NULL};

typedef enum option_kind {
    TEXT,
    NUMBER,
    CHOICE,
    SWITCH,
} option_kind;

typedef struct option {
    const char *name;
    option_kind kind;
    size_t offset;
    const char *const *choices;
    uint64_t low;
    uint64_t high;
    const char *initial; /* NULL: none */
    const char *help;
} option;

#define FIELD(name) offsetof(hn_load_options, name)

static const option options[] = {
    {"workload", CHOICE, FIELD(workload), workload_names, 0, 0, "transfer",
     "transfer: ether between many; erc20: token transfers; hot: ether to one account; swap: "
     "Uniswap-v2-style swaps"},
    {"target", CHOICE, FIELD(target), target_names, 0, 0, "datagram",
     "how transactions travel: datagram or rpc"},
    {"level", CHOICE, FIELD(level), level_names, 0, 0, "executed",
     "datagrams: the answer to wait for: queued, durable or executed"},
    {"address", TEXT, FIELD(address), NULL, 0, 0, "127.0.0.1:8546", "the node's datagram port"},
    {"rpc", TEXT, FIELD(rpc), NULL, 0, 0, "http://127.0.0.1:8545",
     "the ledger's JSON-RPC: setup, checks, target rpc"},
    {"count", NUMBER, FIELD(count), NULL, 1, 100000000, "100000", "transactions to measure"},
    {"rate", NUMBER, FIELD(rate), NULL, 0, 100000000, "0",
     "open loop: so many a second, latency from the intended time; 0: closed loop"},
    {"window", NUMBER, FIELD(window), NULL, 1, 1000000, "1024",
     "closed loop: unanswered transactions at a time"},
    {"senders", NUMBER, FIELD(senders), NULL, 1, 1000000, "256", "accounts that send, funded first"},
    {"recipients", NUMBER, FIELD(recipients), NULL, 1, 1000000, "1000", "accounts that receive (not hot)"},
    {"seed", NUMBER, FIELD(seed), NULL, 0, UINT64_MAX, "1", "everything follows from it"},
    {"key", TEXT, FIELD(key), NULL, 0, 0,
     "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
     "private key of the account that funds the senders"},
    {"token", TEXT, FIELD(token), NULL, 0, 0, NULL,
     "erc20: a token that is there already, held by the funding account"},
    {"gas-price", NUMBER, FIELD(gas_price), NULL, 0, UINT64_MAX - 1, NULL,
     "wei; default: four times the base fee"},
    {"datagram-bytes", NUMBER, FIELD(datagram_bytes), NULL, 512, 60000, NULL,
     "largest datagram to send; default 1400, on the loopback interface 4200"},
    {"connections", NUMBER, FIELD(connections), NULL, 1, 256, "4", "target rpc: HTTP connections"},
    {"batch", NUMBER, FIELD(batch), NULL, 1, 1000, "100",
     "target rpc: calls in one request; 1: single calls"},
    {"hints", SWITCH, FIELD(hints), NULL, 0, 0, NULL,
     "target datagram: tell who sends, which saves the node most of a signature"},
    {"wrong-hints", NUMBER, FIELD(wrong_hints), NULL, 0, 100, "0",
     "percent of them that name another sender"},
    {"threads", NUMBER, FIELD(threads), NULL, 0, 256, "0", "threads that sign; 0: one a core"},
    {"timeout", NUMBER, FIELD(timeout_s), NULL, 1, 86400, "60", "seconds without progress until it gives up"},
    {"save-state", TEXT, FIELD(save_state), NULL, 0, 0, NULL,
     "write the balances and nonces that must be there now"},
    {"check-state", TEXT, FIELD(check_state), NULL, 0, 0, NULL,
     "send nothing: check the ledger against such a file"},
    {"no-check", SWITCH, FIELD(no_check), NULL, 0, 0, NULL, "do not check the final state"},
    {"json", SWITCH, FIELD(json), NULL, 0, 0, NULL, "print the result as JSON on standard output"},
    {"help", SWITCH, FIELD(help), NULL, 0, 0, NULL, "this text"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

const char *hn_load_workload_name(uint32_t workload)
{
    return workload_names[workload];
}

const char *hn_load_target_name(uint32_t target)
{
    return target_names[target];
}

const char *hn_load_level_name(uint32_t level)
{
    return level_names[level];
}

void hn_load_options_help(void)
{
    printf("usage: hanse load [options]\n\nSigns transactions, sends them to a node, measures the answers "
           "and checks the "
           "state afterwards.\n\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        printf("  --%-16s %s", options[i].name, options[i].help);
        if (options[i].initial != NULL)
            printf(" (%s)", options[i].initial);
        printf("\n");
    }
}

static bool read_number(uint64_t *out, const char *text, uint64_t low, uint64_t high)
{
    if (text[0] < '0' || text[0] > '9')
        return false;
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end != '\0' || value < low || value > high)
        return false;
    *out = value;
    return true;
}

static bool set(hn_load_options *out, const option *chosen, const char *text)
{
    void *field = (uint8_t *)out + chosen->offset;
    switch (chosen->kind) {
    case TEXT:
        memcpy(field, &text, sizeof text);
        return true;
    case NUMBER: {
        uint64_t value;
        if (!read_number(&value, text, chosen->low, chosen->high))
            return false;
        memcpy(field, &value, sizeof value);
        return true;
    }
    case CHOICE:
        for (uint32_t i = 0; chosen->choices[i] != NULL; i++) {
            if (strcmp(chosen->choices[i], text) == 0) {
                memcpy(field, &i, sizeof i);
                return true;
            }
        }
        return false;
    case SWITCH:
        *(bool *)field = true;
        return true;
    }
    return false;
}

static const option *find(const char *name, size_t size)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
            return &options[i];
    return NULL;
}

hn_err hn_load_options_read(hn_load_options *out, int argc, char **argv)
{
    *out = (hn_load_options){.gas_price = HN_LOAD_GAS_PRICE_ASK};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (options[i].initial != NULL)
            (void)set(out, &options[i], options[i].initial);
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        const char *name = argument + 2;
        const option *chosen = NULL;
        if (strncmp(argument, "--", 2) == 0)
            chosen = find(name, strcspn(name, "="));
        if (chosen == NULL) {
            (void)fprintf(stderr, "hanse load: unknown option %s (see --help)\n", argument);
            return HN_ERR_INVALID;
        }
        const char *value = strchr(name, '=');
        if (value != NULL)
            value++;
        else if (chosen->kind != SWITCH && i + 1 < argc)
            value = argv[++i];
        if ((value == NULL) != (chosen->kind == SWITCH) || !set(out, chosen, value)) {
            (void)fprintf(stderr, "hanse load: --%s: %s\n", chosen->name, chosen->help);
            return HN_ERR_INVALID;
        }
    }
    return HN_OK;
}
