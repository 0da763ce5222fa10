#include "bench/load/state.h"

#include "bench/load/clock.h"
#include "bench/load/contract.h"
#include "engine/codec/hex.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SHOWN_MAX = 5 };

static const char *const kind_names[HN_LOAD_FACT_KINDS] = {"nonce", "balance", "token"};
static const char *const methods[HN_LOAD_FACT_KINDS] = {"eth_getTransactionCount", "eth_getBalance",
                                                        "eth_call"};

void hn_load_state_close(hn_load_state *state)
{
    free(state->facts);
    *state = (hn_load_state){0};
}

hn_err hn_load_state_add(hn_load_state *state, hn_load_fact_kind kind, const hn_address *contract,
                         const hn_address *account)
{
    if (state->count == state->room) {
        uint64_t room = 2 * state->room + 64;
        hn_load_fact *grown = realloc(state->facts, room * sizeof *grown);
        if (grown == NULL)
            return HN_ERR_NO_MEMORY;
        state->facts = grown;
        state->room = room;
    }
    hn_load_fact *fact = &state->facts[state->count++];
    *fact = (hn_load_fact){.kind = kind, .account = *account};
    if (contract != NULL)
        fact->contract = *contract;
    return HN_OK;
}

static void write_address(char out[43], const hn_address *address)
{
    out[0] = '0';
    out[1] = 'x';
    *hn_hex_encode(out + 2, address->b, sizeof address->b) = '\0';
}

/* The facts of one kind, as one list of calls. */
typedef struct question {
    const hn_load_state *state;
    uint64_t *indices;
    hn_u256 *values; /* of all facts */
} question;

static void write_parameters(void *self, char out[HN_LOAD_RPC_PARAMETERS_MAX], uint64_t index)
{
    const question *asked = self;
    const hn_load_fact *fact = &asked->state->facts[asked->indices[index]];
    char account[43], contract[43], call[HN_LOAD_BALANCE_CALL_TEXT];
    write_address(account, &fact->account);
    if (fact->kind != HN_LOAD_FACT_TOKEN) {
        (void)snprintf(out, HN_LOAD_RPC_PARAMETERS_MAX, "[\"%s\",\"latest\"]", account);
        return;
    }
    write_address(contract, &fact->contract);
    hn_load_balance_call(call, &fact->account);
    (void)snprintf(out, HN_LOAD_RPC_PARAMETERS_MAX, "[{\"to\":\"%s\",\"data\":\"%s\"},\"latest\"]", contract,
                   call);
}

static hn_err read_value(void *self, uint64_t index, const hn_json *result)
{
    const question *asked = self;
    hn_u256 *value = &asked->values[asked->indices[index]];
    if (asked->state->facts[asked->indices[index]].kind != HN_LOAD_FACT_TOKEN)
        return hn_json_read_quantity_u256(value, result);
    uint8_t word[32];
    HN_TRY(hn_json_read_fixed(word, sizeof word, result));
    *value = hn_u256_from_be(word);
    return HN_OK;
}

static hn_err ask(const hn_load_state *state, hn_u256 *values, hn_load_rpc *rpc)
{
    question asked = {
        .state = state, .values = values, .indices = calloc(state->count + 1, sizeof(uint64_t))};
    if (asked.indices == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = HN_OK;
    for (unsigned kind = 0; err == HN_OK && kind < HN_LOAD_FACT_KINDS; kind++) {
        uint64_t count = 0;
        for (uint64_t i = 0; i < state->count; i++)
            if (state->facts[i].kind == kind)
                asked.indices[count++] = i;
        hn_load_rpc_calls calls = {.method = methods[kind],
                                   .count = count,
                                   .context = &asked,
                                   .parameters = write_parameters,
                                   .result = read_value};
        err = hn_load_rpc_call_all(rpc, &calls);
    }
    free(asked.indices);
    if (err != HN_OK)
        (void)fprintf(stderr, "hanse load: asking for balances: %s\n", hn_load_rpc_problem(rpc));
    return err;
}

hn_err hn_load_state_read(hn_load_state *state, hn_load_rpc *rpc)
{
    hn_u256 *values = calloc(state->count + 1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    hn_err err = ask(state, values, rpc);
    for (uint64_t i = 0; err == HN_OK && i < state->count; i++)
        state->facts[i].value = values[i];
    free(values);
    return err;
}

static uint64_t count_wrong(const hn_load_state *state, const hn_u256 *values, bool show)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < state->count; i++) {
        const hn_load_fact *fact = &state->facts[i];
        if (hn_u256_equal(&fact->value, &values[i]))
            continue;
        wrong++;
        if (!show || wrong > SHOWN_MAX)
            continue;
        char account[43], expected[HN_U256_DECIMAL_MAX], found[HN_U256_DECIMAL_MAX];
        write_address(account, &fact->account);
        (void)hn_u256_to_decimal(expected, &fact->value);
        (void)hn_u256_to_decimal(found, &values[i]);
        (void)fprintf(stderr, "hanse load: %s of %s is %s, should be %s\n", kind_names[fact->kind], account,
                      found, expected);
    }
    return wrong;
}

hn_err hn_load_state_check(const hn_load_state *state, hn_load_rpc *rpc, uint64_t timeout_ns)
{
    hn_u256 *values = calloc(state->count + 1, sizeof *values);
    if (values == NULL)
        return HN_ERR_NO_MEMORY;
    uint64_t end_ns = hn_load_now_ns() + timeout_ns;
    uint64_t wrong = 0;
    hn_err err;
    do {
        if (wrong != 0)
            (void)usleep(100000);
        err = ask(state, values, rpc);
        if (err != HN_OK)
            break;
        wrong = count_wrong(state, values, false);
    } while (wrong != 0 && hn_load_now_ns() < end_ns);
    if (err == HN_OK && wrong != 0) {
        (void)count_wrong(state, values, true);
        (void)fprintf(stderr, "hanse load: %lu of %lu nonces and balances are wrong\n", (unsigned long)wrong,
                      (unsigned long)state->count);
        err = HN_ERR_MISMATCH;
    }
    free(values);
    return err;
}

hn_err hn_load_state_save(const hn_load_state *state, const char *path)
{
    FILE *file = fopen(path, "w");
    bool is_good = file != NULL;
    for (uint64_t i = 0; is_good && i < state->count; i++) {
        const hn_load_fact *fact = &state->facts[i];
        char account[43], contract[43], value[HN_U256_DECIMAL_MAX];
        write_address(account, &fact->account);
        write_address(contract, &fact->contract);
        (void)hn_u256_to_decimal(value, &fact->value);
        if (fact->kind == HN_LOAD_FACT_TOKEN)
            is_good = fprintf(file, "token %s %s %s\n", contract, account, value) > 0;
        else
            is_good = fprintf(file, "%s %s %s\n", kind_names[fact->kind], account, value) > 0;
    }
    if (file != NULL)
        is_good &= fclose(file) == 0;
    if (!is_good)
        (void)fprintf(stderr, "hanse load: %s: %s\n", path, strerror(errno));
    return is_good ? HN_OK : HN_ERR_IO;
}

static hn_err load_line(hn_load_state *out, char *line)
{
    char *words[4] = {0};
    unsigned count = 0;
    for (char *rest, *word = strtok_r(line, " \n", &rest); word != NULL;
         word = strtok_r(NULL, " \n", &rest)) {
        if (count == 4)
            return HN_ERR_INVALID;
        words[count++] = word;
    }
    unsigned kind = 0;
    while (kind < HN_LOAD_FACT_KINDS && (count == 0 || strcmp(words[0], kind_names[kind]) != 0))
        kind++;
    unsigned expected = kind == HN_LOAD_FACT_TOKEN ? 4 : 3;
    hn_address contract = {0}, account;
    hn_u256 value;
    if (kind == HN_LOAD_FACT_KINDS || count != expected ||
        (kind == HN_LOAD_FACT_TOKEN && hn_hex_read_fixed(contract.b, sizeof contract.b, words[1]) != HN_OK) ||
        hn_hex_read_fixed(account.b, sizeof account.b, words[count - 2]) != HN_OK ||
        !hn_u256_from_decimal(&value, words[count - 1], strlen(words[count - 1])))
        return HN_ERR_INVALID;
    HN_TRY(hn_load_state_add(out, (hn_load_fact_kind)kind, &contract, &account));
    out->facts[out->count - 1].value = value;
    return HN_OK;
}

hn_err hn_load_state_load(hn_load_state *out, const char *path)
{
    *out = (hn_load_state){0};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "hanse load: %s: %s\n", path, strerror(errno));
        return HN_ERR_IO;
    }
    char line[512];
    hn_err err = HN_OK;
    for (unsigned number = 1; err == HN_OK && fgets(line, sizeof line, file) != NULL; number++) {
        err = load_line(out, line);
        if (err != HN_OK)
            (void)fprintf(stderr, "hanse load: %s:%u: not a line of a state file\n", path, number);
    }
    (void)fclose(file);
    if (err == HN_OK && out->count == 0) {
        (void)fprintf(stderr, "hanse load: %s: nothing in it\n", path);
        err = HN_ERR_INVALID;
    }
    if (err != HN_OK)
        hn_load_state_close(out);
    return err;
}
