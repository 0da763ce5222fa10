#include "engine/crypto/p256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

struct hn_p256_context {
    EC_GROUP *group;
    const BIGNUM *order; /* owned by the group */
    const BIGNUM *field; /* owned by the group: p */
};

hn_err hn_p256_context_create(hn_p256_context **out)
{
    hn_p256_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return HN_ERR_NO_MEMORY;
    context->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    if (context->group == NULL) {
        free(context);
        return HN_ERR_NO_MEMORY;
    }
    context->order = EC_GROUP_get0_order(context->group);
    context->field = EC_GROUP_get0_field(context->group);
    *out = context;
    return HN_OK;
}

void hn_p256_context_destroy(hn_p256_context *context)
{
    if (context == NULL)
        return;
    EC_GROUP_free(context->group);
    free(context);
}

/* Numbers and points of one verification. */
typedef struct work {
    BN_CTX *numbers;
    EC_POINT *key;
    EC_POINT *sum;
    BIGNUM *digest, *r, *s, *x, *y;
} work;

static bool begin(work *w, const hn_p256_context *context)
{
    *w = (work){.numbers = BN_CTX_new()};
    if (w->numbers == NULL)
        return false;
    BN_CTX_start(w->numbers);
    w->digest = BN_CTX_get(w->numbers);
    w->r = BN_CTX_get(w->numbers);
    w->s = BN_CTX_get(w->numbers);
    w->x = BN_CTX_get(w->numbers);
    w->y = BN_CTX_get(w->numbers);
    w->key = EC_POINT_new(context->group);
    w->sum = EC_POINT_new(context->group);
    return w->y != NULL && w->key != NULL && w->sum != NULL;
}

static void end(work *w)
{
    EC_POINT_free(w->key);
    EC_POINT_free(w->sum);
    if (w->numbers != NULL)
        BN_CTX_end(w->numbers);
    BN_CTX_free(w->numbers);
}

static bool below(const BIGNUM *number, const BIGNUM *bound)
{
    return BN_cmp(number, bound) < 0;
}

/* R = (digest / s) G + (r / s) key; the signature is good when R is finite and R.x = r modulo n. Setting the
 * key's coordinates checks the curve's equation. */
static bool check(work *w, const hn_p256_context *context)
{
    if (BN_is_zero(w->r) || BN_is_zero(w->s) || !below(w->r, context->order) || !below(w->s, context->order))
        return false;
    if (!below(w->x, context->field) || !below(w->y, context->field))
        return false;
    if (EC_POINT_set_affine_coordinates(context->group, w->key, w->x, w->y, w->numbers) != 1)
        return false;
    if (BN_mod_inverse(w->s, w->s, context->order, w->numbers) == NULL ||
        BN_mod_mul(w->digest, w->digest, w->s, context->order, w->numbers) != 1 ||
        BN_mod_mul(w->s, w->r, w->s, context->order, w->numbers) != 1)
        return false;
    if (EC_POINT_mul(context->group, w->sum, w->digest, w->key, w->s, w->numbers) != 1)
        return false;
    if (EC_POINT_is_at_infinity(context->group, w->sum))
        return false;
    return EC_POINT_get_affine_coordinates(context->group, w->sum, w->x, NULL, w->numbers) == 1 &&
           BN_nnmod(w->x, w->x, context->order, w->numbers) == 1 && BN_cmp(w->x, w->r) == 0;
}

bool hn_p256_verify(const hn_p256_context *context, const uint8_t digest[32], const uint8_t r[32],
                    const uint8_t s[32], const uint8_t x[32], const uint8_t y[32])
{
    work w;
    ERR_set_mark();
    bool good = begin(&w, context) && BN_bin2bn(digest, 32, w.digest) != NULL &&
                BN_bin2bn(r, 32, w.r) != NULL && BN_bin2bn(s, 32, w.s) != NULL &&
                BN_bin2bn(x, 32, w.x) != NULL && BN_bin2bn(y, 32, w.y) != NULL && check(&w, context);
    end(&w);
    ERR_pop_to_mark(); /* a bad signature is an answer: it must leave nothing in this thread's list of errors
                        */
    return good;
}
