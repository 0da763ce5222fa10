#include "bench/load/batch.h"

#include "bench/load/clock.h"
#include "engine/types/transaction.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 256, /* transactions that a thread takes at a time */
    THREADS_MAX = 256,
};

typedef struct job {
    const hn_load_recipe *recipe;
    const hn_signature_context *signer;
    uint8_t *slots; /* bytes_max for each */
    uint32_t *sizes;
    atomic_uint_fast64_t next;
    atomic_uint_fast64_t done;
    atomic_int err;
} job;

static hn_err sign_one(job *work, hn_arena *arena, uint64_t index)
{
    const hn_load_recipe *recipe = work->recipe;
    hn_load_draft draft = {0};
    recipe->draft(recipe->context, &draft, index);
    hn_transaction transaction = {.type = HN_TRANSACTION_LEGACY,
                                  .is_create = draft.is_create,
                                  .is_replay_protected = true,
                                  .chain_id = recipe->chain_id,
                                  .nonce = draft.nonce,
                                  .gas_limit = draft.gas_limit,
                                  .gas_price = {{recipe->gas_price, 0, 0, 0}},
                                  .max_fee_per_gas = {{recipe->gas_price, 0, 0, 0}},
                                  .max_priority_fee_per_gas = {{recipe->gas_price, 0, 0, 0}},
                                  .to = draft.to,
                                  .value = draft.value,
                                  .data = draft.data};
    hn_hash digest;
    hn_bytes raw;
    HN_TRY(hn_transaction_signing_hash(&digest, arena, &transaction));
    HN_TRY(hn_signature_sign(work->signer, &transaction.signature, &digest, draft.key));
    HN_TRY(hn_transaction_encode(&raw, arena, &transaction));
    if (raw.size > recipe->bytes_max)
        return HN_ERR_LIMIT;
    memcpy(work->slots + index * recipe->bytes_max, raw.data, raw.size);
    work->sizes[index] = (uint32_t)raw.size;
    return HN_OK;
}

static void *sign_chunks(void *self)
{
    job *work = self;
    hn_arena arena;
    hn_arena_init(&arena, 0, 0);
    for (;;) {
        uint64_t begin = atomic_fetch_add(&work->next, CHUNK);
        if (begin >= work->recipe->count || atomic_load(&work->err) != HN_OK)
            break;
        uint64_t end = begin + CHUNK < work->recipe->count ? begin + CHUNK : work->recipe->count;
        for (uint64_t i = begin; i < end; i++) {
            hn_err err = sign_one(work, &arena, i);
            if (err != HN_OK)
                atomic_store(&work->err, (int)err);
            hn_arena_reset(&arena);
        }
        atomic_fetch_add(&work->done, end - begin);
    }
    hn_arena_destroy(&arena);
    return NULL;
}

static void show_progress(const job *work, uint64_t begin_ns)
{
    uint64_t done = atomic_load(&work->done);
    double seconds = (double)(hn_load_now_ns() - begin_ns) / 1e9;
    (void)fprintf(stderr, "%s: %lu of %lu (%.0f/s)\n", work->recipe->title, (unsigned long)done,
                  (unsigned long)work->recipe->count, seconds > 0 ? (double)done / seconds : 0);
}

static hn_err run_threads(job *work)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t wanted = work->recipe->threads != 0 ? work->recipe->threads : cores > 0 ? (uint64_t)cores : 1;
    uint64_t useful = (work->recipe->count + CHUNK - 1) / CHUNK;
    if (wanted > useful)
        wanted = useful;
    if (wanted > THREADS_MAX)
        wanted = THREADS_MAX;
    pthread_t threads[THREADS_MAX];
    uint64_t started = 0;
    uint64_t begin_ns = hn_load_now_ns();
    while (started < wanted && pthread_create(&threads[started], NULL, sign_chunks, work) == 0)
        started++;
    if (started == 0 && wanted != 0)
        return HN_ERR_SYSTEM;
    bool has_title = work->recipe->title != NULL;
    for (unsigned tenths = 1; has_title && atomic_load(&work->done) < work->recipe->count; tenths++) {
        if (atomic_load(&work->err) != HN_OK)
            break;
        struct timespec pause = {.tv_nsec = 100000000};
        (void)nanosleep(&pause, NULL);
        if (tenths % 10 == 0)
            show_progress(work, begin_ns);
    }
    if (has_title)
        show_progress(work, begin_ns);
    for (uint64_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    return (hn_err)atomic_load(&work->err);
}

/* Closes the gaps between the slots. */
static void compact(hn_load_batch *out, const job *work)
{
    uint64_t at = 0;
    for (uint64_t i = 0; i < out->count; i++) {
        out->begin[i] = at;
        memmove(work->slots + at, work->slots + i * work->recipe->bytes_max, work->sizes[i]);
        at += work->sizes[i];
    }
    out->begin[out->count] = at;
    out->bytes = work->slots;
}

hn_err hn_load_batch_sign(hn_load_batch *out, const hn_load_recipe *recipe,
                          const hn_signature_context *signer)
{
    job work = {.recipe = recipe, .signer = signer};
    hn_load_batch batch = {.count = recipe->count};
    work.slots = malloc(recipe->count * recipe->bytes_max + 1);
    work.sizes = calloc(recipe->count + 1, sizeof *work.sizes);
    batch.begin = calloc(recipe->count + 1, sizeof *batch.begin);
    hn_err err = work.slots == NULL || work.sizes == NULL || batch.begin == NULL ? HN_ERR_NO_MEMORY : HN_OK;
    if (err == HN_OK)
        err = run_threads(&work);
    if (err == HN_OK)
        compact(&batch, &work);
    free(work.sizes);
    if (err != HN_OK) {
        free(work.slots);
        free(batch.begin);
        return err;
    }
    *out = batch;
    return HN_OK;
}

void hn_load_batch_destroy(hn_load_batch *batch)
{
    free(batch->bytes);
    free(batch->begin);
    *batch = (hn_load_batch){0};
}
