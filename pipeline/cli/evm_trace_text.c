/* Traces for people: plain text and Markdown, as geth's evm tool lays them out. */
#include "engine/codec/hex.h"
#include "engine/crypto/keccak.h"
#include "engine/evm/opcode.h"
#include "pipeline/cli/evm_trace.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

void hn_trace_put_dump(FILE *file, hn_bytes bytes)
{
    for (size_t line = 0; line < bytes.size; line += 16) {
        char text[17] = "";
        fprintf(file, "%08zx ", line);
        for (size_t i = 0; i < 16; i++) {
            if (i == 8)
                putc(' ', file);
            if (line + i >= bytes.size) {
                fputs("   ", file);
                continue;
            }
            uint8_t byte = bytes.data[line + i];
            fprintf(file, " %02x", byte);
            text[i] = byte >= 32 && byte < 127 ? (char)byte : '.';
        }
        fprintf(file, "  |%s|\n", text);
    }
}

static void put_word(FILE *file, const hn_u256 *word)
{
    char number[HN_HEX_QUANTITY_MAX];
    hn_hex_write_u256(number, word);
    fputs(number, file);
}

/* Notes what SLOAD finds and SSTORE writes. True: the account's slots are to be shown. */
static bool note_slot(hn_trace_writer *writer, const hn_trace_step *step)
{
    const hn_u256 *top = step->stack + step->stack_size - 1;
    bool is_store = step->opcode == HN_OP_SSTORE;
    if (writer->without_storage || (!is_store && step->opcode != HN_OP_SLOAD) ||
        step->stack_size < (is_store ? 2u : 1u))
        return false;
    hn_state_account *account = hn_state_get(step->state, step->address);
    hn_u256 value = is_store ? top[-1] : hn_state_get_slot(step->state, account, top)->current;
    for (size_t i = 0; i < writer->slot_count; i++)
        if (hn_address_equal(&writer->slots[i].address, step->address) &&
            hn_u256_equal(&writer->slots[i].key, top)) {
            writer->slots[i].value = value;
            return true;
        }
    hn_trace_slot *grown = realloc(writer->slots, (writer->slot_count + 1) * sizeof *grown);
    if (grown == NULL)
        return true;
    grown[writer->slot_count++] = (hn_trace_slot){.address = *step->address, .key = *top, .value = value};
    writer->slots = grown;
    return true;
}

static void put_slots(const hn_trace_writer *writer, const hn_address *address)
{
    FILE *file = writer->file;
    fputs("Storage:\n", file);
    for (size_t i = 0; i < writer->slot_count; i++) {
        hn_hash key, value;
        if (!hn_address_equal(&writer->slots[i].address, address))
            continue;
        hn_u256_to_be(key.b, &writer->slots[i].key);
        hn_u256_to_be(value.b, &writer->slots[i].value);
        hn_trace_put_hex(file, hn_bytes_of(key.b, sizeof key.b));
        fputs(": ", file);
        hn_trace_put_hex(file, hn_bytes_of(value.b, sizeof value.b));
        putc('\n', file);
    }
}

static void put_paragraph(hn_trace_writer *writer, const hn_trace_step *step)
{
    FILE *file = writer->file;
    char text[HN_FAILURE_TEXT_MAX];
    hn_opcode_text(text, step->opcode);
    fprintf(file, "%-16spc=%08" PRIu64 " gas=%" PRIu64 " cost=%" PRIu64, text, step->pc, step->gas,
            writer->watch.gas_cost);
    if (step->status != HN_EVM_SUCCESS) {
        hn_failure_text_of_step(text, &writer->watch, step);
        fprintf(file, " ERROR: %s", text);
    }
    putc('\n', file);
    if (step->stack_size != 0 && !writer->without_stack) {
        fputs("Stack:\n", file);
        for (uint32_t i = 0; i < step->stack_size; i++) {
            fprintf(file, "%08" PRIu32 "  ", i);
            put_word(file, &step->stack[step->stack_size - 1 - i]);
            putc('\n', file);
        }
    }
    if (writer->with_memory && step->memory.size != 0) {
        fputs("Memory:\n", file);
        hn_trace_put_dump(file, step->memory);
    }
    if (note_slot(writer, step))
        put_slots(writer, step->address);
    if (writer->with_return_data && step->return_data.size != 0) {
        fputs("ReturnData:\n", file);
        hn_trace_put_dump(file, step->return_data);
    }
    putc('\n', file);
}

/* A cell of the table, at least ten wide. */
static void put_stack_cell(FILE *file, const hn_trace_step *step)
{
    size_t width = 2;
    char number[HN_HEX_QUANTITY_MAX];
    for (uint32_t i = 0; i < step->stack_size; i++)
        width += hn_hex_write_u256(number, &step->stack[i]) + (i != 0);
    for (; width < 10; width++)
        putc(' ', file);
    putc('[', file);
    for (uint32_t i = 0; i < step->stack_size; i++) {
        if (i != 0)
            putc(',', file);
        put_word(file, &step->stack[i]);
    }
    fputs("] |", file);
}

static void put_row(const hn_trace_writer *writer, const hn_trace_step *step)
{
    FILE *file = writer->file;
    char text[HN_FAILURE_TEXT_MAX];
    hn_opcode_text(text, step->opcode);
    fprintf(file, "| %4" PRIu64 "  | %10s  |  %3" PRIu64 " |%10" PRIu64 " |", step->pc, text,
            writer->watch.gas_cost, step->refund);
    if (!writer->without_stack)
        put_stack_cell(file, step);
    putc('\n', file);
    if (step->status != HN_EVM_SUCCESS) {
        hn_failure_text_of_step(text, &writer->watch, step);
        fprintf(file, "Error: %s\n", text);
    }
}

void hn_trace_text_step(hn_trace_writer *writer, const hn_trace_step *step)
{
    if (writer->format == HN_TRACE_FORMAT_STRUCT)
        put_paragraph(writer, step);
    else
        put_row(writer, step);
}

void hn_trace_text_fault(hn_trace_writer *writer, const hn_trace_step *step)
{
    char name[32], text[HN_FAILURE_TEXT_MAX];
    if (writer->format != HN_TRACE_FORMAT_MARKDOWN)
        return;
    hn_opcode_text(name, step->opcode);
    hn_failure_text_of_step(text, &writer->watch, step);
    fprintf(writer->file, "\nError: at pc=%" PRIu64 ", op=%s: %s\n", step->pc, name, text);
}

/* With EIP-55's capitals. */
static void put_address(FILE *file, const hn_address *address)
{
    char digits[2 * sizeof address->b + 1];
    hn_hash hash;
    *hn_hex_encode(digits, address->b, sizeof address->b) = '\0';
    hn_keccak256(&hash, digits, 2 * sizeof address->b);
    fputs("0x", file);
    for (size_t i = 0; i < 2 * sizeof address->b; i++) {
        unsigned nibble = (unsigned)(hash.b[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 15;
        putc(nibble >= 8 ? toupper((unsigned char)digits[i]) : digits[i], file);
    }
}

/* A line of the list; data that is empty is shown as nothing. */
static void put_data_line(FILE *file, const char *name, hn_bytes bytes)
{
    fprintf(file, "  - %s: `%s", name, bytes.size != 0 ? "0x" : "");
    hn_trace_put_hex(file, bytes);
    fputs("`\n", file);
}

void hn_trace_text_enter(hn_trace_writer *writer, const hn_message *message)
{
    FILE *file = writer->file;
    char value[HN_U256_DECIMAL_MAX];
    if (writer->format != HN_TRACE_FORMAT_MARKDOWN || message->depth != 0)
        return;
    fputs("Pre-execution info:\n  - from: `", file);
    put_address(file, &message->sender);
    fprintf(file, "`\n  - %s: `", message->kind == HN_MESSAGE_CREATE ? "create" : "to");
    put_address(file, &message->recipient);
    fputs("`\n", file);
    put_data_line(file, "data", message->input);
    hn_u256_to_decimal(value, &message->value);
    fprintf(file, "  - gas: `%" PRIu64 "`\n  - value: `%s` wei\n", message->gas, value);
    fputs("\n|  Pc   |      Op     | Cost |   Refund  |   Stack   |\n"
          "|-------|-------------|------|-----------|-----------|\n",
          file);
}

void hn_trace_text_exit(hn_trace_writer *writer, const hn_message *message, const hn_evm_result *result,
                        uint64_t gas_used)
{
    FILE *file = writer->file;
    char text[HN_FAILURE_TEXT_MAX] = "<nil>";
    if (writer->format != HN_TRACE_FORMAT_MARKDOWN || message->depth != 0)
        return;
    if (result->status != HN_EVM_SUCCESS)
        hn_failure_text(text, &writer->watch, message, result->status);
    fputs("\nPost-execution info:\n", file);
    put_data_line(file, "output", result->output);
    fprintf(file, "  - consumed gas: `%" PRIu64 "`\n  - error: `%s`\n", gas_used, text);
}
