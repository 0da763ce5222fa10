/* The curves: bn254 (EIP-196, EIP-197, EIP-1108) and BLS12-381 (EIP-2537). */
#include "engine/crypto/bls12_381.h"
#include "engine/crypto/bn254.h"
#include "engine/evm/precompile_table.h"

uint64_t hn_precompile_gas_bn254_add(hn_fork fork, hn_bytes input)
{
    (void)input;
    return fork >= HN_FORK_ISTANBUL ? 150 : 500;
}

bool hn_precompile_run_bn254_add(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                 hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    uint8_t points[2 * HN_BN254_G1_BYTES];
    hn_precompile_read(points, sizeof points, input, 0);
    return hn_bn254_add(hn_precompile_output(output, arena, HN_BN254_G1_BYTES), points);
}

uint64_t hn_precompile_gas_bn254_mul(hn_fork fork, hn_bytes input)
{
    (void)input;
    return fork >= HN_FORK_ISTANBUL ? 6000 : 40000;
}

bool hn_precompile_run_bn254_mul(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                 hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    uint8_t term[HN_BN254_G1_BYTES + 32];
    hn_precompile_read(term, sizeof term, input, 0);
    return hn_bn254_mul(hn_precompile_output(output, arena, HN_BN254_G1_BYTES), term,
                        term + HN_BN254_G1_BYTES);
}

uint64_t hn_precompile_gas_bn254_pairing(hn_fork fork, hn_bytes input)
{
    uint64_t pairs = input.size / HN_BN254_PAIR_BYTES;
    return fork >= HN_FORK_ISTANBUL ? 45000 + 34000 * pairs : 100000 + 80000 * pairs;
}

bool hn_precompile_run_bn254_pairing(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                     hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    bool is_one;
    return input.size % HN_BN254_PAIR_BYTES == 0 &&
           hn_bn254_pairing_check(&is_one, input.data, input.size / HN_BN254_PAIR_BYTES) &&
           hn_precompile_answer(output, arena, is_one);
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

uint64_t hn_precompile_gas_bls12_g1_add(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 375;
}

bool hn_precompile_run_bls12_g1_add(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    return input.size == 2 * HN_BLS12_G1_BYTES &&
           hn_bls12_g1_add(hn_precompile_output(output, arena, HN_BLS12_G1_BYTES), input.data);
}

uint64_t hn_precompile_gas_bls12_g1_msm(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return msm_gas(input.size / HN_BLS12_G1_TERM_BYTES, 12000, g1_discount);
}

bool hn_precompile_run_bls12_g1_msm(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    if (input.size == 0 || input.size % HN_BLS12_G1_TERM_BYTES != 0)
        return false;
    uint8_t *sum = hn_precompile_output(output, arena, HN_BLS12_G1_BYTES);
    return hn_bls12_g1_msm(sum, arena, input.data, input.size / HN_BLS12_G1_TERM_BYTES);
}

uint64_t hn_precompile_gas_bls12_g2_add(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 600;
}

bool hn_precompile_run_bls12_g2_add(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    return input.size == 2 * HN_BLS12_G2_BYTES &&
           hn_bls12_g2_add(hn_precompile_output(output, arena, HN_BLS12_G2_BYTES), input.data);
}

uint64_t hn_precompile_gas_bls12_g2_msm(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return msm_gas(input.size / HN_BLS12_G2_TERM_BYTES, 22500, g2_discount);
}

bool hn_precompile_run_bls12_g2_msm(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    if (input.size == 0 || input.size % HN_BLS12_G2_TERM_BYTES != 0)
        return false;
    uint8_t *sum = hn_precompile_output(output, arena, HN_BLS12_G2_BYTES);
    return hn_bls12_g2_msm(sum, arena, input.data, input.size / HN_BLS12_G2_TERM_BYTES);
}

uint64_t hn_precompile_gas_bls12_pairing(hn_fork fork, hn_bytes input)
{
    (void)fork;
    return 37700 + 32600 * ((uint64_t)input.size / HN_BLS12_PAIR_BYTES);
}

bool hn_precompile_run_bls12_pairing(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                     hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    bool is_one;
    return input.size != 0 && input.size % HN_BLS12_PAIR_BYTES == 0 &&
           hn_bls12_pairing_check(&is_one, input.data, input.size / HN_BLS12_PAIR_BYTES) &&
           hn_precompile_answer(output, arena, is_one);
}

uint64_t hn_precompile_gas_bls12_map_g1(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 5500;
}

bool hn_precompile_run_bls12_map_g1(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    return input.size == HN_BLS12_FP_BYTES &&
           hn_bls12_map_to_g1(hn_precompile_output(output, arena, HN_BLS12_G1_BYTES), input.data);
}

uint64_t hn_precompile_gas_bls12_map_g2(hn_fork fork, hn_bytes input)
{
    (void)fork;
    (void)input;
    return 23800;
}

bool hn_precompile_run_bls12_map_g2(const hn_precompile_context *context, hn_bytes *output, hn_arena *arena,
                                    hn_fork fork, hn_bytes input)
{
    (void)context;
    (void)fork;
    return input.size == 2 * HN_BLS12_FP_BYTES &&
           hn_bls12_map_to_g2(hn_precompile_output(output, arena, HN_BLS12_G2_BYTES), input.data);
}
