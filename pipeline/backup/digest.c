#include "pipeline/backup/digest.h"

#include "engine/base/check.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <xxhash.h>

struct hn_digest_state {
    XXH3_state_t *sum;
    EVP_MD_CTX *sha256;
};

hn_digest_state *hn_digest_create(void)
{
    hn_digest_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return NULL;
    state->sum = XXH3_createState();
    state->sha256 = EVP_MD_CTX_new();
    if (state->sum == NULL || state->sha256 == NULL ||
        EVP_DigestInit_ex(state->sha256, EVP_sha256(), NULL) != 1) {
        hn_digest_destroy(state);
        return NULL;
    }
    (void)XXH3_128bits_reset(state->sum);
    return state;
}

void hn_digest_destroy(hn_digest_state *state)
{
    if (state == NULL)
        return;
    (void)XXH3_freeState(state->sum);
    EVP_MD_CTX_free(state->sha256);
    free(state);
}

void hn_digest_begin(hn_digest_state *state)
{
    (void)XXH3_128bits_reset(state->sum);
    HN_CHECK(EVP_DigestInit_ex(state->sha256, NULL, NULL) == 1);
}

void hn_digest_add(hn_digest_state *state, hn_bytes bytes)
{
    if (bytes.size == 0)
        return;
    (void)XXH3_128bits_update(state->sum, bytes.data, bytes.size);
    HN_CHECK(EVP_DigestUpdate(state->sha256, bytes.data, bytes.size) == 1);
}

hn_digest hn_digest_end(hn_digest_state *state)
{
    hn_digest digest;
    XXH128_hash_t sum = XXH3_128bits_digest(state->sum);
    digest.sum = (hn_checksum){.low = sum.low64, .high = sum.high64};
    HN_CHECK(EVP_DigestFinal_ex(state->sha256, digest.sha256.b, NULL) == 1);
    return digest;
}

bool hn_digest_equal(const hn_digest *left, const hn_digest *right)
{
    return left->sum.low == right->sum.low && left->sum.high == right->sum.high &&
           hn_hash_equal(&left->sha256, &right->sha256);
}
