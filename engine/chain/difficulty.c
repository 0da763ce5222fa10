/* Difficulty of proof-of-work blocks (yellow paper (41)-(50); EIP-2, 100, 649, 1234, 2384, 3554, 4345, 5133).
 */
#include "engine/chain/parameters.h"
#include "engine/chain/transition.h"

/* How many blocks the bomb was put off by, in all, from each fork on. */
static const struct {
    hn_fork fork;
    uint64_t blocks;
} bomb_delays[] = {
    {HN_FORK_GRAY_GLACIER, 11400000}, {HN_FORK_ARROW_GLACIER, 10700000}, {HN_FORK_LONDON, 9700000},
    {HN_FORK_MUIR_GLACIER, 9000000},  {HN_FORK_CONSTANTINOPLE, 5000000}, {HN_FORK_BYZANTIUM, 3000000},
};

enum { BOMB_PERIOD_BLOCKS = 100000, NOTCHES_DOWN_MAX = 99 };

static uint64_t bomb_delay(hn_fork fork)
{
    for (size_t i = 0; i < sizeof bomb_delays / sizeof *bomb_delays; i++)
        if (fork >= bomb_delays[i].fork)
            return bomb_delays[i].blocks;
    return 0;
}

/* By how many steps of parent / 2048 the difficulty moves; positive is up. */
static int64_t notches(hn_fork fork, uint64_t seconds, bool parent_has_uncles)
{
    if (fork < HN_FORK_HOMESTEAD)
        return seconds < 13 ? 1 : -1;
    uint64_t down = fork < HN_FORK_BYZANTIUM ? seconds / 10 : seconds / 9;
    int64_t up = fork >= HN_FORK_BYZANTIUM && parent_has_uncles ? 2 : 1;
    if (down > NOTCHES_DOWN_MAX + 2)
        return -NOTCHES_DOWN_MAX;
    int64_t sum = up - (int64_t)down;
    return sum < -NOTCHES_DOWN_MAX ? -NOTCHES_DOWN_MAX : sum;
}

static hn_u256 move(const hn_u256 *difficulty, int64_t steps)
{
    hn_u256 divisor = hn_u256_of(HN_DIFFICULTY_BOUND_DIVISOR);
    hn_u256 step = hn_u256_div(difficulty, &divisor);
    hn_u256 count = hn_u256_of((uint64_t)(steps < 0 ? -steps : steps));
    hn_u256 distance = hn_u256_mul(&step, &count);
    return steps < 0 ? hn_u256_sub(difficulty, &distance) : hn_u256_add(difficulty, &distance);
}

hn_u256 hn_next_difficulty(const hn_chain_config *config, const hn_header *parent, bool parent_has_uncles,
                           uint64_t number, uint64_t timestamp)
{
    hn_fork fork = hn_fork_at(config, number, timestamp);
    if (fork >= HN_FORK_PARIS)
        return hn_u256_of(0); /* EIP-3675 */
    uint64_t seconds = timestamp > parent->timestamp ? timestamp - parent->timestamp : 0;
    hn_u256 difficulty = move(&parent->difficulty, notches(fork, seconds, parent_has_uncles));
    hn_u256 minimum = hn_u256_of(HN_DIFFICULTY_MINIMUM);
    if (hn_u256_less(&difficulty, &minimum))
        difficulty = minimum;

    uint64_t delay = bomb_delay(fork);
    uint64_t period = number > delay ? (number - delay) / BOMB_PERIOD_BLOCKS : 0;
    if (period > 1) {
        hn_u256 one = hn_u256_of(1);
        hn_u256 bomb = hn_u256_shl(&one, period - 2 > 255 ? 256U : (unsigned)(period - 2));
        difficulty = hn_u256_add(&difficulty, &bomb);
    }
    return difficulty;
}
