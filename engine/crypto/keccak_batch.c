/* Many messages at once: each lane of a wide kernel works on a message of its own, and takes the next one as
 * soon as it is done, so that messages of different length keep all lanes busy. */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/crypto/keccak_kernels.h"

#ifdef __x86_64__
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}
#endif

const hn_keccak_kernel hn_keccak_kernels[] = {
#ifdef __x86_64__
    {"avx512", 8, 5, 2, hn_keccak_absorb_avx512_8, has_avx512},
    {"avx512", 4, 2, 2, hn_keccak_absorb_avx512_4, has_avx512},
    {"avx2", 4, 3, 3, hn_keccak_absorb_avx2_4, has_avx2},
#endif
};
const size_t hn_keccak_kernel_count = sizeof hn_keccak_kernels / sizeof hn_keccak_kernels[0];

const hn_keccak_kernel *hn_keccak_choose(size_t count)
{
    for (size_t i = 0; i < hn_keccak_kernel_count; i++)
        if (count >= hn_keccak_kernels[i].worthwhile && hn_keccak_kernels[i].available())
            return &hn_keccak_kernels[i];
    return NULL;
}

const char *hn_keccak256_kernel(void)
{
    const hn_keccak_kernel *kernel = hn_keccak_choose(SIZE_MAX);
    return kernel != NULL ? kernel->name : "scalar";
}

/* What one lane is doing. */
typedef struct lane_work {
    hn_bytes rest; /* of the message, not yet absorbed */
    hn_hash *out;  /* NULL: idle */
    bool last;     /* the padded block has been absorbed: the state is the digest */
} lane_work;

/* All lanes, and room for their last blocks. */
typedef struct lanes {
    _Alignas(64) uint64_t state[25 * HN_KECCAK_LANES_MAX];
    uint8_t padded[HN_KECCAK_LANES_MAX][HN_KECCAK_RATE_BYTES];
    const uint8_t *blocks[HN_KECCAK_LANES_MAX];
    lane_work work[HN_KECCAK_LANES_MAX];
} lanes;

/* The next block of a message: a part of it, or its rest, padded, in `padded`. */
static const uint8_t *next_block(lane_work *work, uint8_t padded[HN_KECCAK_RATE_BYTES])
{
    const uint8_t *block = work->rest.data;
    size_t size = work->rest.size;
    if (size >= HN_KECCAK_RATE_BYTES) {
        work->rest = hn_bytes_of(block + HN_KECCAK_RATE_BYTES, size - HN_KECCAK_RATE_BYTES);
        return block;
    }
    hn_keccak_pad(padded, block, size);
    work->last = true;
    return padded;
}

/* Continues one lane's message by itself to its end. */
static void finish_alone(lanes *all, size_t count, size_t lane, bool begun)
{
    lane_work *work = &all->work[lane];
    uint64_t state[25] = {0};
    for (size_t i = 0; begun && i < 25; i++)
        state[i] = all->state[i * count + lane];
    while (!work->last) {
        const uint8_t *block = next_block(work, all->padded[lane]);
        for (size_t i = 0; i < HN_KECCAK_RATE_WORDS; i++)
            state[i] ^= hn_load_le64(block + 8 * i);
        hn_keccak_permute(state);
    }
    memcpy(work->out->b, state, sizeof work->out->b);
}

/* Writes the digests that are ready and makes their lanes idle; returns how many. */
static size_t collect(lanes *all, size_t count)
{
    size_t ready = 0;
    for (size_t lane = 0; lane < count; lane++) {
        lane_work *work = &all->work[lane];
        if (work->out == NULL || !work->last)
            continue;
        for (size_t i = 0; i < 4; i++)
            hn_store_le64(work->out->b + 8 * i, all->state[i * count + lane]);
        work->out = NULL;
        ready++;
    }
    return ready;
}

void hn_keccak256_batch_with(const hn_keccak_kernel *kernel, hn_hash *out, const hn_bytes *messages,
                             size_t count)
{
    static const uint8_t nothing[HN_KECCAK_RATE_BYTES];
    HN_CHECK(kernel->lanes <= HN_KECCAK_LANES_MAX);
    lanes all;
    size_t next = 0;
    size_t busy = 0;
    unsigned fresh;
    for (size_t lane = 0; lane < kernel->lanes; lane++)
        all.work[lane].out = NULL;

    for (;;) {
        fresh = 0;
        for (size_t lane = 0; lane < kernel->lanes; lane++) {
            lane_work *work = &all.work[lane];
            if (work->out != NULL)
                continue;
            fresh |= 1u << lane;
            all.blocks[lane] = nothing;
            if (next == count)
                continue;
            *work = (lane_work){.rest = messages[next], .out = &out[next]};
            next++;
            busy++;
        }
        if (busy < kernel->break_even)
            break;
        for (size_t lane = 0; lane < kernel->lanes; lane++)
            if (all.work[lane].out != NULL)
                all.blocks[lane] = next_block(&all.work[lane], all.padded[lane]);
        kernel->absorb(all.state, fresh, all.blocks);
        busy -= collect(&all, kernel->lanes);
    }
    for (size_t lane = 0; lane < kernel->lanes; lane++)
        if (all.work[lane].out != NULL)
            finish_alone(&all, kernel->lanes, lane, (fresh >> lane & 1) == 0);
}

void hn_keccak256_batch(hn_hash *out, const hn_bytes *messages, size_t count)
{
    const hn_keccak_kernel *kernel = hn_keccak_choose(count);
    if (kernel != NULL) {
        hn_keccak256_batch_with(kernel, out, messages, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        hn_keccak256(&out[i], messages[i].data, messages[i].size);
}
