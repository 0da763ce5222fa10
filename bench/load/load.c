#include "bench/load/load.h"

#include "bench/load/clock.h"
#include "bench/load/driver.h"
#include "bench/load/expect.h"
#include "bench/load/report.h"
#include "shard/order/pending.h"

#include <curl/curl.h>
#include <stdio.h>

static const uint64_t second_ns = UINT64_C(1000000000);

enum {
    SETUP_WINDOW = 256,
    SETUP_RAW_BYTES = HN_LOAD_CODE_BYTES_MAX + 256,
};

typedef struct session {
    const hn_load_options *options;
    hn_signature_context *signer;
    hn_load_rpc *rpc;
    hn_load_plan plan;
} session;

static hn_err send_batch(hn_load_run *run)
{
    uint64_t before = hn_load_processor_ns();
    hn_err err = run->options->target == HN_LOAD_RPC ? hn_load_run_rpc(run) : hn_load_run_datagram(run);
    run->processor_ns = hn_load_processor_ns() - before;
    return err;
}

static hn_err sign(hn_load_batch *out, session *s, uint64_t count, size_t bytes_max, const char *title,
                   void (*draft)(void *, hn_load_draft *, uint64_t))
{
    hn_load_recipe recipe = {.context = &s->plan,
                             .draft = draft,
                             .count = count,
                             .bytes_max = bytes_max,
                             .chain_id = s->plan.chain_id,
                             .gas_price = s->plan.gas_price,
                             .threads = s->options->threads,
                             .title = title};
    hn_err err = hn_load_batch_sign(out, &recipe, s->signer);
    if (err != HN_OK)
        (void)fprintf(stderr, "hanse load: cannot sign: %s\n", hn_err_text(err));
    return err;
}

/* Sends a batch of preparations: all of it must succeed. */
static hn_err prepare(session *s, const char *what, uint64_t count, size_t bytes_max,
                      void (*draft)(void *, hn_load_draft *, uint64_t))
{
    if (count == 0)
        return HN_OK;
    (void)fprintf(stderr, "%s: %lu transactions\n", what, (unsigned long)count);
    hn_load_batch batch;
    HN_TRY(sign(&batch, s, count, bytes_max, NULL, draft));
    hn_load_run run = {.options = s->options, .batch = &batch, .level = HN_REPLY_EXECUTED, .title = what};
    hn_err err = hn_load_pacer_open(&run.pacer, count, 0, SETUP_WINDOW);
    if (err == HN_OK) {
        err = send_batch(&run);
        if (err == HN_OK && run.pacer.failed != 0) {
            (void)fprintf(stderr, "hanse load: %s: %lu transactions failed", what,
                          (unsigned long)run.pacer.failed);
            if (run.pacer.reason_count != 0)
                (void)fprintf(stderr, " (%s)", run.pacer.reasons[0].text);
            (void)fprintf(stderr, "\n");
            err = HN_ERR_INVALID;
        }
        hn_load_pacer_close(&run.pacer);
    }
    hn_load_batch_destroy(&batch);
    return err;
}

/* Waits until queries see an account's transactions. */
static hn_err wait_for_nonce(session *s, const hn_load_account *account, uint64_t nonce)
{
    hn_load_state state = {0};
    hn_err err = hn_load_state_add(&state, HN_LOAD_FACT_NONCE, NULL, &account->address);
    if (err == HN_OK) {
        state.facts[0].value.w[0] = nonce;
        err = hn_load_state_check(&state, s->rpc, s->options->timeout_s * second_ns);
    }
    hn_load_state_close(&state);
    return err;
}

static hn_err set_up(session *s)
{
    HN_TRY(hn_load_plan_open(&s->plan, s->options, s->signer, s->rpc));
    uint64_t count = hn_load_setup_count(&s->plan);
    HN_TRY(prepare(s, "funding the senders", count, SETUP_RAW_BYTES, hn_load_setup_draft));
    HN_TRY(wait_for_nonce(s, &s->plan.funder, s->plan.funder.nonce + count));
    uint64_t approvals = hn_load_approval_count(&s->plan);
    HN_TRY(prepare(s, "approving the exchange", approvals, HN_LOAD_RAW_BYTES_MAX, hn_load_approval_draft));
    for (uint64_t i = 0; approvals != 0 && i < s->options->senders; i++)
        HN_TRY(wait_for_nonce(s, &s->plan.senders[i], s->plan.senders[i].nonce + 2));
    return HN_OK;
}

static hn_err check(session *s, hn_load_state *state, const hn_load_run *run)
{
    hn_load_expect_end(state, &s->plan, &run->pacer);
    (void)fprintf(stderr, "checking %lu nonces and balances\n", (unsigned long)state->count);
    HN_TRY(hn_load_state_check(state, s->rpc, s->options->timeout_s * second_ns));
    if (s->options->workload == HN_LOAD_SWAP)
        HN_TRY(hn_load_expect_conserved(state, &s->plan, s->rpc));
    return s->options->save_state != NULL ? hn_load_state_save(state, s->options->save_state) : HN_OK;
}

/* The run itself, on signed transactions. */
static hn_err measure(session *s, const hn_load_batch *batch, hn_load_state *state)
{
    const hn_load_options *options = s->options;
    hn_load_run run = {.options = options,
                       .batch = batch,
                       .level = options->level,
                       .told = options->hints ? &s->plan : NULL,
                       .title = "load"};
    HN_TRY(hn_load_pacer_open(&run.pacer, options->count, options->rate, options->window));
    hn_err err = send_batch(&run);
    hn_load_check outcome = HN_LOAD_CHECK_SKIPPED;
    if (err == HN_OK && !options->no_check) {
        err = check(s, state, &run);
        outcome = err == HN_OK ? HN_LOAD_CHECK_RIGHT : HN_LOAD_CHECK_WRONG;
    }
    hn_load_report(&run, outcome, state->count);
    if (options->json)
        hn_load_report_json(&run, outcome, state->count);
    if (err == HN_OK && run.pacer.failed != 0)
        err = HN_ERR_INVALID;
    hn_load_pacer_close(&run.pacer);
    return err;
}

static hn_err run_all(session *s)
{
    HN_TRY(set_up(s));
    hn_load_state state = {0};
    hn_load_batch batch = {0};
    hn_err err = HN_OK;
    if (!s->options->no_check)
        err = hn_load_expect_begin(&state, &s->plan, s->rpc);
    if (err == HN_OK)
        err = sign(&batch, s, s->options->count, HN_LOAD_RAW_BYTES_MAX, "signing", hn_load_run_draft);
    if (err == HN_OK)
        err = measure(s, &batch, &state);
    hn_load_batch_destroy(&batch);
    hn_load_state_close(&state);
    return err;
}

static hn_err check_file(session *s)
{
    hn_load_state state;
    HN_TRY(hn_load_state_load(&state, s->options->check_state));
    hn_err err = hn_load_state_check(&state, s->rpc, s->options->timeout_s * second_ns);
    if (err == HN_OK)
        (void)fprintf(stderr, "all %lu nonces and balances are right\n", (unsigned long)state.count);
    hn_load_state_close(&state);
    return err;
}

int hn_cli_load(int argc, char **argv)
{
    hn_load_options options;
    if (hn_load_options_read(&options, argc, argv) != HN_OK)
        return 2;
    if (options.help) {
        hn_load_options_help();
        return 0;
    }
    session s = {.options = &options};
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    hn_err err = hn_load_rpc_open(&s.rpc, options.rpc);
    if (err == HN_OK)
        err = hn_signature_context_create(&s.signer);
    if (err == HN_OK)
        err = options.check_state != NULL ? check_file(&s) : run_all(&s);
    hn_load_plan_close(&s.plan);
    hn_signature_context_destroy(s.signer);
    hn_load_rpc_close(s.rpc);
    curl_global_cleanup();
    return err == HN_OK ? 0 : 1;
}
