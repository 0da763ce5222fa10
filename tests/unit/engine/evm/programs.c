#include "tests/unit/engine/evm/programs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fopen(path, "r");
}

static hn_bytes read_hex(const char *text)
{
    size_t capacity = strlen(text) / 2 + 1;
    uint8_t *bytes = malloc(capacity);
    HN_CHECK(bytes != NULL);
    return evm_bytes_of_hex(bytes, capacity, text);
}

static void read_line(evm_programs *programs, char *line, const char *filter)
{
    char *rest = line, *name = strsep(&rest, " "), *code = strsep(&rest, " "), *input = strsep(&rest, " \n");
    if (code == NULL || (filter != NULL && strstr(name, filter) == NULL))
        return;
    HN_CHECK(programs->count < EVM_PROGRAMS_MAX && strlen(name) < EVM_PROGRAM_NAME_BYTES);
    evm_program *program = &programs->items[programs->count++];
    snprintf(program->name, sizeof program->name, "%s", name);
    program->code = read_hex(code);
    program->input = input != NULL ? read_hex(input) : hn_bytes_of(NULL, 0);
}

static void read_expected(evm_programs *programs, FILE *file)
{
    char name[EVM_PROGRAM_NAME_BYTES];
    uint64_t gas, output;
    while (fscanf(file, "%127s gas=%" SCNu64 " hash=%" SCNx64, name, &gas, &output) == 3)
        for (size_t i = 0; i < programs->count; i++)
            if (strcmp(programs->items[i].name, name) == 0) {
                programs->items[i].gas = gas;
                programs->items[i].output = output;
                programs->items[i].is_expected = true;
            }
}

bool evm_programs_read(evm_programs *out, const char *folder, const char *filter)
{
    FILE *file = open_file(folder, "programs.txt"), *expected = open_file(folder, "expected.txt");
    bool both = file != NULL && expected != NULL;
    char *line = NULL;
    size_t room = 0;
    out->count = 0;
    while (both && getline(&line, &room, file) > 0)
        read_line(out, line, filter);
    free(line);
    if (both)
        read_expected(out, expected);
    if (file != NULL)
        fclose(file);
    if (expected != NULL)
        fclose(expected);
    return both;
}

void evm_program_put(evm_world *world, const evm_program *program)
{
    hn_address contract = evm_world_contract(0);
    evm_world_set_fork(world, HN_FORK_BERLIN);
    evm_world_put(world, &contract, program->code, 0, 1);
    hn_state_view view = hn_flat_view(world->flat);
    hn_state_reset(world->state, &view, world->block.fork);
    hn_state_begin_transaction(world->state);
}

hn_message evm_program_message(const evm_program *program)
{
    return evm_world_call(evm_programs_gas, program->input);
}

/* FNV-1a, but from the offset that expected.txt was made with: the usual one in decimal without its last
 * digit. */
static uint64_t hash_of(hn_bytes bytes)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* expected.txt was made over a host in which every slot is warm and every write costs 100 gas. Under EIP-2929
 * that is what the second execution in one transaction sees; programs that keep off storage cost the same as
 * ever. */
bool evm_program_check(evm_world *world, const evm_program *program, evm_way way, char problem[256])
{
    hn_message message = evm_program_message(program);
    hn_tracer silent = {.self = NULL};
    hn_evm_result result = {.status = HN_EVM_INTERRUPTED};
    evm_program_put(world, program);
    world->evm->exact_only = way == EVM_EXACT;
    hn_evm_set_patience(world->evm, 0);
    for (unsigned i = 0; i < 2; i++)
        hn_evm_execute(world->evm, &result, world->state, &world->block, &world->transaction, &message,
                       way == EVM_TRACED ? &silent : NULL);
    world->evm->exact_only = false;
    uint64_t gas = evm_programs_gas - result.gas_left;
    snprintf(problem, 256,
             "%s, gas %" PRIu64 ", output %016" PRIx64 "; expected gas %" PRIu64 ", output %016" PRIx64,
             result.status == HN_EVM_SUCCESS ? "success" : hn_evm_status_text(result.status), gas,
             hash_of(result.output), program->gas, program->output);
    return result.status == HN_EVM_SUCCESS && program->is_expected && gas == program->gas &&
           hash_of(result.output) == program->output;
}
