/* The curves: bn254 (EIP-196, EIP-197, EIP-1108) and BLS12-381 (EIP-2537). */
#include "engine/crypto/bls12_381.h"
#include "engine/crypto/bn254.h"
#include "engine/evm/precompile_table.h"

typedef bool point_function(uint8_t *out, const uint8_t *in);

/* BLS12-381's contracts refuse an input of another size; bn254's take what is missing as zeroes. */
static bool run_exactly(const hn_precompile_call *call, size_t out_size, size_t in_size,
                        point_function *function)
{
    return call->input.size == in_size && function(hn_precompile_output(call, out_size), call->input.data);
}

bool hn_precompile_run_bn254_add(const hn_precompile_call *call)
{
    uint8_t points[2 * HN_BN254_G1_BYTES];
    hn_precompile_read(points, sizeof points, call->input, 0);
    return hn_bn254_add(hn_precompile_output(call, HN_BN254_G1_BYTES), points);
}

bool hn_precompile_run_bn254_mul(const hn_precompile_call *call)
{
    uint8_t term[HN_BN254_G1_BYTES + 32];
    hn_precompile_read(term, sizeof term, call->input, 0);
    return hn_bn254_mul(hn_precompile_output(call, HN_BN254_G1_BYTES), term, term + HN_BN254_G1_BYTES);
}

typedef bool pairing_function(bool *is_one, const uint8_t *pairs, size_t count);

static bool run_pairing(const hn_precompile_call *call, size_t pair_bytes, pairing_function *function)
{
    bool is_one;
    hn_bytes input = call->input;
    return input.size % pair_bytes == 0 && function(&is_one, input.data, input.size / pair_bytes) &&
           hn_precompile_answer(call, is_one);
}

bool hn_precompile_run_bn254_pairing(const hn_precompile_call *call)
{
    return run_pairing(call, HN_BN254_PAIR_BYTES, hn_bn254_pairing_check);
}

/* Price of a sum of k products in thousandths of k single ones (EIP-2537); the last entry serves all larger
 * k. */
enum { DISCOUNTS = 128 };

static const uint16_t g1_discount[DISCOUNTS] = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665,
    661,  658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615,
    613,  611, 609, 608, 606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585,
    584,  582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563,
    562,  561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545,
    544,  543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529,
    528,  528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519};

static const uint16_t g2_discount[DISCOUNTS] = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699,
    693,  688,  683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629,
    627,  624,  622, 620, 618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592,
    590,  589,  587, 586, 584, 583, 582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567,
    566,  565,  563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548,
    547,  546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533,
    532,  532,  531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524};

static uint64_t msm_gas(uint64_t count, uint64_t single, const uint16_t discount[DISCOUNTS])
{
    if (count == 0)
        return 0;
    return count * single * discount[(count < DISCOUNTS ? count : DISCOUNTS) - 1] / 1000;
}

uint64_t hn_precompile_gas_bls12_g1_msm(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return msm_gas(input.size / HN_BLS12_G1_TERM_BYTES, 12000, g1_discount);
}

uint64_t hn_precompile_gas_bls12_g2_msm(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return msm_gas(input.size / HN_BLS12_G2_TERM_BYTES, 22500, g2_discount);
}

typedef bool msm_function(uint8_t *out, hn_arena *scratch, const uint8_t *terms, size_t count);

static bool run_msm(const hn_precompile_call *call, size_t out_size, size_t term_size, msm_function *function)
{
    hn_bytes input = call->input;
    if (input.size == 0 || input.size % term_size != 0)
        return false;
    uint8_t *sum = hn_precompile_output(call, out_size);
    return function(sum, call->arena, input.data, input.size / term_size);
}

bool hn_precompile_run_bls12_g1_msm(const hn_precompile_call *call)
{
    return run_msm(call, HN_BLS12_G1_BYTES, HN_BLS12_G1_TERM_BYTES, hn_bls12_g1_msm);
}

bool hn_precompile_run_bls12_g2_msm(const hn_precompile_call *call)
{
    return run_msm(call, HN_BLS12_G2_BYTES, HN_BLS12_G2_TERM_BYTES, hn_bls12_g2_msm);
}

bool hn_precompile_run_bls12_g1_add(const hn_precompile_call *call)
{
    return run_exactly(call, HN_BLS12_G1_BYTES, 2 * HN_BLS12_G1_BYTES, hn_bls12_g1_add);
}

bool hn_precompile_run_bls12_g2_add(const hn_precompile_call *call)
{
    return run_exactly(call, HN_BLS12_G2_BYTES, 2 * HN_BLS12_G2_BYTES, hn_bls12_g2_add);
}

bool hn_precompile_run_bls12_pairing(const hn_precompile_call *call)
{
    return call->input.size != 0 && run_pairing(call, HN_BLS12_PAIR_BYTES, hn_bls12_pairing_check);
}

bool hn_precompile_run_bls12_map_g1(const hn_precompile_call *call)
{
    return run_exactly(call, HN_BLS12_G1_BYTES, HN_BLS12_FP_BYTES, hn_bls12_map_to_g1);
}

bool hn_precompile_run_bls12_map_g2(const hn_precompile_call *call)
{
    return run_exactly(call, HN_BLS12_G2_BYTES, 2 * HN_BLS12_FP_BYTES, hn_bls12_map_to_g2);
}
