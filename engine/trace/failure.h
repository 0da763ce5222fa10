/* Why a frame failed, in geth's words, which say more than hn_evm_status: which opcode is invalid, how deep
 * the stack was, what asked for the gas. It is worked out from the last instruction that the frame showed.
 */
#ifndef HN_ENGINE_TRACE_FAILURE_H
#define HN_ENGINE_TRACE_FAILURE_H

#include "engine/evm/tracer.h"

enum { HN_FAILURE_TEXT_MAX = 96 };

/* Feed it every step. */
typedef struct hn_failure_watch {
    hn_evm_status status; /* of the last step */
    uint8_t opcode;
    uint32_t depth;
    uint32_t stack_size;
    bool is_unpayable;  /* no amount of gas would have been enough */
    bool overflows;     /* its memory would pass 2^64 */
    bool is_call_price; /* a call whose own price, not what it passes on, cannot be paid */
    uint64_t gas;
    uint64_t gas_cost; /* as geth shows it: where a price cannot be paid, only what it got to */
} hn_failure_watch;

void hn_failure_watch_step(hn_failure_watch *watch, const hn_trace_step *step);

/* Text of one step's failure; `step` must be the last one fed, or its fault. */
void hn_failure_text_of_step(char out[HN_FAILURE_TEXT_MAX], const hn_failure_watch *watch,
                             const hn_trace_step *step);

/* Text of a frame's failure at its exit (status other than SUCCESS). */
void hn_failure_text(char out[HN_FAILURE_TEXT_MAX], const hn_failure_watch *watch, const hn_message *message,
                     hn_evm_status status);

/* "PUSH1", "opcode 0xc not defined". */
void hn_opcode_text(char out[32], uint8_t opcode);

#endif
