/* Many messages at once: each lane of a wide kernel works on a message of its own, and takes the next one as
 * soon as it is done, so that messages of different length keep all lanes busy. */
#include "engine/base/check.h"
#include "engine/crypto/keccak.h"
#include "engine/crypto/keccak_kernels.h"

enum { RATE_BYTES = 136, RATE_WORDS = RATE_BYTES / 8 };

static bool always(void)
{
    return true;
}

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
    {"avx512", 8, 5, hn_keccak_permute_avx512_8, has_avx512},
    {"avx512", 4, 2, hn_keccak_permute_avx512_4, has_avx512},
    {"avx2", 4, 3, hn_keccak_permute_avx2_4, has_avx2},
#endif
    {"scalar", 1, 0, hn_keccak_permute, always},
};
const size_t hn_keccak_kernel_count = sizeof hn_keccak_kernels / sizeof hn_keccak_kernels[0];

const hn_keccak_kernel *hn_keccak_choose(size_t count)
{
    const hn_keccak_kernel *kernel = hn_keccak_kernels;
    while (count < kernel->worthwhile || !kernel->available())
        kernel++;
    return kernel;
}

const char *hn_keccak256_kernel(void)
{
    return hn_keccak_choose(SIZE_MAX)->name;
}

/* What one lane is doing. */
typedef struct lane_work {
    hn_bytes rest; /* of the message, not yet absorbed */
    hn_hash *out;  /* NULL: idle */
    bool last;     /* the padded block has been absorbed: the state is the digest */
} lane_work;

/* Adds the next block of the lane's message to its state. */
static void absorb_lane(uint64_t *state, size_t lanes, lane_work *work)
{
    const uint8_t *block = work->rest.data;
    uint8_t padded[RATE_BYTES];
    if (work->rest.size >= RATE_BYTES) {
        work->rest.data += RATE_BYTES;
        work->rest.size -= RATE_BYTES;
    } else {
        memset(padded, 0, sizeof padded);
        if (work->rest.size != 0)
            memcpy(padded, work->rest.data, work->rest.size);
        padded[work->rest.size] = 0x01;
        padded[RATE_BYTES - 1] |= 0x80;
        block = padded;
        work->last = true;
    }
    for (size_t i = 0; i < RATE_WORDS; i++)
        state[i * lanes] ^= hn_load_le64(block + 8 * i);
}

/* Continues one lane's message with the scalar permutation to its end. */
static void finish_alone(const uint64_t *state, size_t lanes, lane_work *work)
{
    uint64_t own[25];
    for (size_t i = 0; i < 25; i++)
        own[i] = state[i * lanes];
    while (!work->last) {
        absorb_lane(own, 1, work);
        hn_keccak_permute(own);
    }
    memcpy(work->out->b, own, sizeof work->out->b);
    work->out = NULL;
}

static void start_lane(uint64_t *state, size_t lanes, lane_work *work, hn_hash *out, hn_bytes message)
{
    for (size_t i = 0; i < 25; i++)
        state[i * lanes] = 0;
    *work = (lane_work){.rest = message, .out = out};
}

static void end_lane(const uint64_t *state, size_t lanes, lane_work *work)
{
    for (size_t i = 0; i < 4; i++)
        hn_store_le64(work->out->b + 8 * i, state[i * lanes]);
    work->out = NULL;
}

void hn_keccak256_batch_with(const hn_keccak_kernel *kernel, hn_hash *out, const hn_bytes *messages,
                             size_t count)
{
    HN_CHECK(kernel->lanes <= HN_KECCAK_LANES_MAX);
    size_t lanes = kernel->lanes;
    size_t next = 0;
    size_t busy = 0;
    _Alignas(64) uint64_t state[25 * HN_KECCAK_LANES_MAX] = {0};
    lane_work work[HN_KECCAK_LANES_MAX] = {0};

    for (;;) {
        for (size_t i = 0; i < lanes && next < count; i++) {
            if (work[i].out != NULL)
                continue;
            start_lane(state + i, lanes, &work[i], &out[next], messages[next]);
            next++;
            busy++;
        }
        if (busy == 0 || busy < kernel->worthwhile)
            break;
        for (size_t i = 0; i < lanes; i++)
            if (work[i].out != NULL)
                absorb_lane(state + i, lanes, &work[i]);
        kernel->permute(state);
        for (size_t i = 0; i < lanes; i++) {
            if (work[i].out != NULL && work[i].last) {
                end_lane(state + i, lanes, &work[i]);
                busy--;
            }
        }
    }
    for (size_t i = 0; i < lanes; i++)
        if (work[i].out != NULL)
            finish_alone(state + i, lanes, &work[i]);
}

void hn_keccak256_batch(hn_hash *out, const hn_bytes *messages, size_t count)
{
    const hn_keccak_kernel *kernel = hn_keccak_choose(count);
    if (kernel->lanes == 1) {
        for (size_t i = 0; i < count; i++)
            hn_keccak256(&out[i], messages[i].data, messages[i].size);
        return;
    }
    hn_keccak256_batch_with(kernel, out, messages, count);
}
