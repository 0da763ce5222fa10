/* The pool against a model that keeps everything in one array and looks at all of it each time. */
#include "engine/base/prng.h"
#include "shard/order/pool.h"

#include <criterion/criterion.h>

enum { SENDERS = 6, SLOTS = 256, TRANSACTIONS = 24, PER_SENDER = 8, GAPPED = 3, BYTES = 3000, NOBODY = -1 };

typedef enum place { FREE, IN_POOL, TAKEN, LOST } place;

typedef struct model_transaction {
    place place;
    int sender;
    uint64_t nonce, fee, tip, size, cost;
    bool is_ready;
    uint64_t since; /* when it came to its place */
    hn_verdict lost_verdict;
    hn_reject lost_reject;
} model_transaction;

typedef struct model_sender {
    hn_account account;
    uint64_t next; /* handed out below */
    int in_flight;
    bool is_stalled;
} model_sender;

typedef struct model {
    model_transaction all[SLOTS];
    model_sender senders[SENDERS];
    uint64_t clock;
} model;

static hn_pending slots[SLOTS];
static model world;
static hn_pool *pool;
static hn_prng prng;

static hn_address address_of(int sender)
{
    hn_address address = {.b = {[19] = (uint8_t)(sender + 1)}};
    return address;
}

static int slot_of(const hn_pending *pending)
{
    return pending == NULL ? NOBODY : (int)(pending - slots);
}

static int count_of(int sender, bool only_waiting)
{
    int count = 0;
    for (int i = 0; i < SLOTS; i++)
        count += world.all[i].place == IN_POOL && (sender == NOBODY || world.all[i].sender == sender) &&
                 !(only_waiting && world.all[i].is_ready);
    return count;
}

static uint64_t bytes_of(bool only_waiting)
{
    uint64_t bytes = 0;
    for (int i = 0; i < SLOTS; i++)
        if (world.all[i].place == IN_POOL && !(only_waiting && world.all[i].is_ready))
            bytes += world.all[i].size;
    return bytes;
}

static int with_nonce(int sender, uint64_t nonce)
{
    for (int i = 0; i < SLOTS; i++)
        if (world.all[i].place == IN_POOL && world.all[i].sender == sender && world.all[i].nonce == nonce)
            return i;
    return NOBODY;
}

static int oldest(place where, bool is_ready, int except)
{
    int found = NOBODY;
    for (int i = 0; i < SLOTS; i++)
        if (i != except && world.all[i].place == where &&
            (where != IN_POOL || world.all[i].is_ready == is_ready) &&
            (found == NOBODY || world.all[i].since < world.all[found].since))
            found = i;
    return found;
}

static void lose(int i, hn_verdict verdict, hn_reject reject)
{
    world.all[i].place = LOST;
    world.all[i].since = ++world.clock;
    world.all[i].lost_verdict = verdict;
    world.all[i].lost_reject = reject;
}

/* Nothing to remember: as if never seen. */
static void settle(int sender)
{
    model_sender *s = &world.senders[sender];
    if (s->in_flight == 0 && count_of(sender, false) == 0)
        s->next = s->account.nonce;
}

/* Says of each transaction of a sender anew whether it is ready. */
static void judge(int sender)
{
    model_sender *s = &world.senders[sender];
    uint64_t nonce = s->next;
    for (int i; !s->is_stalled && (i = with_nonce(sender, nonce)) != NOBODY; nonce++)
        if (!world.all[i].is_ready) {
            world.all[i].is_ready = true;
            world.all[i].since = ++world.clock;
        }
    uint64_t highest = 0;
    for (int i = 0; i < SLOTS; i++)
        if (world.all[i].place == IN_POOL && world.all[i].sender == sender && world.all[i].nonce > highest)
            highest = world.all[i].nonce;
    for (; nonce <= highest; nonce++) {
        int i = with_nonce(sender, nonce);
        if (i != NOBODY && world.all[i].is_ready) {
            world.all[i].is_ready = false;
            world.all[i].since = ++world.clock;
        }
    }
}

static void use_up(int sender)
{
    model_sender *s = &world.senders[sender];
    for (uint64_t nonce = s->next; nonce < s->account.nonce; nonce++) {
        int i = with_nonce(sender, nonce);
        if (i != NOBODY)
            lose(i, HN_VERDICT_REJECTED, HN_REJECT_NONCE_TOO_LOW);
    }
    if (s->next < s->account.nonce)
        s->next = s->account.nonce;
    judge(sender);
}

static void trim(int sender)
{
    while (count_of(sender, true) > GAPPED) {
        int last = NOBODY;
        for (int i = 0; i < SLOTS; i++)
            if (world.all[i].place == IN_POOL && world.all[i].sender == sender &&
                (last == NOBODY || world.all[i].nonce > world.all[last].nonce))
                last = i;
        lose(last, HN_VERDICT_SENDER_FULL, HN_REJECT_NONE);
    }
}

static int lost_count(void)
{
    int count = 0;
    for (int i = 0; i < SLOTS; i++)
        count += world.all[i].place == LOST;
    return count;
}

static bool model_room(int *displaced, bool may_displace, bool needs_entry, uint64_t size, int kept)
{
    uint64_t fixed = bytes_of(false) - bytes_of(true);
    if (kept != NOBODY && !world.all[kept].is_ready)
        fixed += world.all[kept].size;
    bool lacks_entry = needs_entry && count_of(NOBODY, false) + lost_count() == TRANSACTIONS;
    if (fixed + size > BYTES || (lacks_entry && count_of(NOBODY, true) == 0))
        return false;
    while (lacks_entry || bytes_of(false) + size > BYTES) {
        int victim = oldest(IN_POOL, false, kept);
        int sender = world.all[victim].sender;
        if (may_displace && *displaced == NOBODY) {
            *displaced = victim;
            world.all[victim].place = FREE;
        } else {
            lose(victim, HN_VERDICT_POOL_FULL, HN_REJECT_NONE);
        }
        settle(sender);
        lacks_entry = false;
    }
    return true;
}

static hn_verdict model_add(int i, int *displaced, hn_reject *reject)
{
    model_transaction *new = &world.all[i];
    model_sender *s = &world.senders[new->sender];
    *displaced = NOBODY;
    *reject = HN_REJECT_NONE;
    settle(new->sender);
    use_up(new->sender);
    settle(new->sender);
    if (new->nonce < s->next) {
        *reject = HN_REJECT_NONCE_TOO_LOW;
        return HN_VERDICT_REJECTED;
    }
    if (new->cost > s->account.balance.w[0]) {
        *reject = HN_REJECT_FUNDS;
        return HN_VERDICT_REJECTED;
    }
    int same = with_nonce(new->sender, new->nonce);
    if (same != NOBODY) {
        model_transaction *old = &world.all[same];
        if (new->fee <= old->fee || new->tip <= old->tip || new->fee < old->fee * 110 / 100 ||
            new->tip < old->tip * 110 / 100)
            return HN_VERDICT_UNDERPRICED;
        if (new->size > old->size && !model_room(displaced, false, false, new->size - old->size, same))
            return HN_VERDICT_POOL_FULL;
        *displaced = same;
        new->place = IN_POOL;
        new->is_ready = old->is_ready;
        new->since = old->since;
        old->place = FREE;
        return HN_VERDICT_QUEUED;
    }
    uint64_t nonce = s->next;
    while (!s->is_stalled && with_nonce(new->sender, nonce) != NOBODY)
        nonce++;
    bool will_be_ready = !s->is_stalled && nonce == new->nonce;
    if (count_of(new->sender, false) == PER_SENDER ||
        (!will_be_ready && count_of(new->sender, true) == GAPPED))
        return HN_VERDICT_SENDER_FULL;
    if (!will_be_ready &&
        (count_of(NOBODY, false) + lost_count() == TRANSACTIONS || bytes_of(false) + new->size > BYTES))
        return HN_VERDICT_POOL_FULL;
    if (will_be_ready && !model_room(displaced, true, true, new->size, NOBODY))
        return HN_VERDICT_POOL_FULL;
    new->place = IN_POOL;
    new->is_ready = false;
    new->since = ++world.clock;
    judge(new->sender);
    return HN_VERDICT_QUEUED;
}

static void model_note(int sender)
{
    model_sender *s = &world.senders[sender];
    if (!s->is_stalled && s->account.nonce <= s->next - (uint64_t)s->in_flight) {
        s->is_stalled = true;
        s->next = s->account.nonce;
        judge(sender);
    }
    if (--s->in_flight == 0)
        s->is_stalled = false;
    use_up(sender);
    trim(sender);
    int head = with_nonce(sender, s->next);
    if (s->in_flight == 0 && head != NOBODY && world.all[head].cost > s->account.balance.w[0]) {
        lose(head, HN_VERDICT_REJECTED, HN_REJECT_FUNDS);
        judge(sender);
        trim(sender);
    }
    settle(sender);
}

/* What a walk over the pool, or over one sender's, has seen. */
typedef struct walk {
    int sender; /* NOBODY: all */
    uint64_t last_nonce;
    uint32_t seen;
} walk;

static hn_err note(void *self, const hn_pending *pending, bool is_ready)
{
    walk *w = self;
    const model_transaction *expected = &world.all[slot_of(pending)];
    cr_assert(expected->place == IN_POOL && expected->is_ready == is_ready);
    if (w->sender != NOBODY) {
        cr_assert_eq(expected->sender, w->sender);
        cr_assert(w->seen == 0 || expected->nonce > w->last_nonce);
        w->last_nonce = expected->nonce;
    }
    w->seen++;
    return HN_OK;
}

static void compare_walks(void)
{
    for (int i = NOBODY; i < SENDERS; i++) {
        walk w = {.sender = i};
        hn_address address = address_of(i);
        cr_assert_eq(hn_pool_visit(pool, i == NOBODY ? NULL : &address, note, &w), HN_OK);
        cr_assert_eq(w.seen, (uint32_t)count_of(i, false));
    }
}

static void compare(void)
{
    compare_walks();
    hn_pool_counts counts = hn_pool_count(pool);
    cr_assert_eq(counts.ready + counts.gapped, (uint32_t)count_of(NOBODY, false));
    cr_assert_eq(counts.gapped, (uint32_t)count_of(NOBODY, true));
    cr_assert_eq(counts.bytes, bytes_of(false));
    cr_assert_eq(slot_of(hn_pool_peek(pool)), oldest(IN_POOL, true, NOBODY));
    uint32_t known = 0;
    for (int i = 0; i < SENDERS; i++) {
        uint64_t nonce, expected = world.senders[i].next;
        while (!world.senders[i].is_stalled && with_nonce(i, expected) != NOBODY)
            expected++;
        hn_address address = address_of(i);
        bool is_known = world.senders[i].in_flight != 0 || count_of(i, false) != 0;
        cr_assert_eq(hn_pool_pending_nonce(pool, &nonce, &address), is_known);
        if (is_known)
            cr_assert_eq(nonce, expected);
        known += is_known;
    }
    cr_assert_eq(counts.senders, known);
    for (int i = 0; i < SLOTS; i++)
        if (world.all[i].place != FREE)
            cr_assert_eq(slot_of(hn_pool_find(pool, &slots[i].content.hash)),
                         world.all[i].place == IN_POOL ? i : NOBODY);
}

static void add_random(void)
{
    int i = (int)hn_prng_below(&prng, SLOTS);
    while (world.all[i].place != FREE)
        i = (i + 1) % SLOTS;
    int sender = (int)hn_prng_below(&prng, SENDERS);
    uint64_t base = world.senders[sender].account.nonce;
    world.all[i] = (model_transaction){
        .place = FREE,
        .sender = sender,
        .nonce = base + hn_prng_below(&prng, 8) - (base > 0 && hn_prng_below(&prng, 8) == 0),
        .fee = hn_prng_below(&prng, 30),
        .size = 100 + hn_prng_below(&prng, 300),
    };
    world.all[i].tip = hn_prng_below(&prng, world.all[i].fee + 1);
    uint64_t value = hn_prng_below(&prng, 1000);
    world.all[i].cost = 10 * world.all[i].fee + value;
    hn_pending_reset(&slots[i]);
    hn_signed_transaction *content = &slots[i].content;
    content->transaction.nonce = world.all[i].nonce;
    content->transaction.gas_limit = 10;
    content->transaction.max_fee_per_gas = hn_u256_of(world.all[i].fee);
    content->transaction.max_priority_fee_per_gas = hn_u256_of(world.all[i].tip);
    content->transaction.value = hn_u256_of(value);
    content->transaction.raw = hn_bytes_of(slots[i].inline_raw, world.all[i].size);
    content->sender = address_of(sender);
    hn_prng_fill(&prng, content->hash.b, sizeof content->hash.b);

    hn_pending *displaced;
    bool is_ready;
    hn_reject reject, expected_reject;
    int expected_displaced;
    hn_verdict verdict =
        hn_pool_add(pool, &displaced, &is_ready, &reject, &slots[i], &world.senders[sender].account);
    hn_verdict expected = model_add(i, &expected_displaced, &expected_reject);
    cr_assert_str_eq(hn_verdict_name(verdict), hn_verdict_name(expected));
    cr_assert_eq((int)reject, (int)expected_reject);
    cr_assert_eq(slot_of(displaced), expected_displaced);
    cr_assert_eq(is_ready, world.all[i].place == IN_POOL && world.all[i].is_ready);
    if (verdict != HN_VERDICT_QUEUED)
        return;
    verdict = hn_pool_add(pool, &displaced, &is_ready, &reject, &slots[i], &world.senders[sender].account);
    cr_assert_eq(verdict, HN_VERDICT_KNOWN);
}

static int flight[SLOTS]; /* taken, in order */
static int flight_count;

static void take_one(void)
{
    int expected = oldest(IN_POOL, true, NOBODY);
    int taken = slot_of(hn_pool_take(pool));
    cr_assert_eq(taken, expected);
    if (taken == NOBODY)
        return;
    model_transaction *t = &world.all[taken];
    t->place = TAKEN;
    world.senders[t->sender].next = t->nonce + 1;
    world.senders[t->sender].in_flight++;
    flight[flight_count++] = taken;
}

/* Executes the oldest taken one as the engine would, or skips it. */
static void execute_one(void)
{
    if (flight_count == 0)
        return;
    model_transaction *t = &world.all[flight[0]];
    memmove(flight, flight + 1, (size_t)--flight_count * sizeof flight[0]);
    hn_account *account = &world.senders[t->sender].account;
    if (hn_prng_below(&prng, 16) == 0)
        account->balance = hn_u256_of(hn_prng_below(&prng, 400)); /* somebody else's doing */
    bool is_valid = t->nonce == account->nonce && t->cost <= account->balance.w[0];
    if (is_valid) {
        account->nonce++;
        account->balance.w[0] -= t->cost / 2;
    }
    if (hn_prng_below(&prng, 32) == 0)
        account->nonce += hn_prng_below(&prng, 3); /* authorizations */
    t->place = FREE;
    hn_address address = address_of(t->sender);
    hn_pool_note_executed(pool, &address, account);
    model_note(t->sender);
    if (hn_prng_below(&prng, 4) == 0)
        account->balance = hn_u256_of(2000);
}

static void fetch_dropped(void)
{
    hn_verdict verdict;
    hn_reject reject;
    int expected = oldest(LOST, false, NOBODY);
    int dropped = slot_of(hn_pool_take_dropped(pool, &verdict, &reject));
    cr_assert_eq(dropped, expected);
    if (dropped == NOBODY)
        return;
    cr_assert_str_eq(hn_verdict_name(verdict), hn_verdict_name(world.all[dropped].lost_verdict));
    cr_assert_eq((int)reject, (int)world.all[dropped].lost_reject);
    world.all[dropped].place = FREE;
}

static void run(uint64_t seed, unsigned adds, unsigned takes, unsigned executes)
{
    hn_prng_init(&prng, seed);
    memset(&world, 0, sizeof world);
    flight_count = 0;
    for (int i = 0; i < SLOTS; i++)
        hn_pending_init(&slots[i]);
    for (int i = 0; i < SENDERS; i++)
        world.senders[i].account.balance = hn_u256_of(2000);
    hn_pool_limits limits = {TRANSACTIONS, PER_SENDER, GAPPED, BYTES};
    cr_assert_eq((int)hn_pool_create(&pool, &limits, seed), (int)HN_OK);
    for (int step = 0; step < 3000; step++) {
        uint64_t choice = hn_prng_below(&prng, adds + takes + executes + 2);
        if (choice < adds)
            add_random();
        else if (choice < adds + takes)
            take_one();
        else if (choice < adds + takes + executes)
            execute_one();
        else
            fetch_dropped();
        compare();
    }
    hn_pool_destroy(pool);
}

Test(pool, equals_the_model_when_it_fills_up)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        run(seed, 20, 3, 3);
}

Test(pool, equals_the_model_when_much_is_in_flight)
{
    for (uint64_t seed = 101; seed <= 120; seed++)
        run(seed, 8, 8, 6);
}

Test(pool, equals_the_model_when_it_drains)
{
    for (uint64_t seed = 201; seed <= 220; seed++)
        run(seed, 8, 12, 12);
}

/* --- rules one by one, from the contract
 * ---------------------------------------------------------------------- */

static hn_verdict offer(int i, int sender, uint64_t nonce, uint64_t fee, uint64_t tip, hn_pending **displaced,
                        hn_reject *reject)
{
    hn_pending_reset(&slots[i]);
    hn_signed_transaction *content = &slots[i].content;
    content->transaction.nonce = nonce;
    content->transaction.gas_limit = 21000;
    content->transaction.max_fee_per_gas = hn_u256_of(fee);
    content->transaction.max_priority_fee_per_gas = hn_u256_of(tip);
    content->transaction.raw = hn_bytes_of(slots[i].inline_raw, 100);
    content->sender = address_of(sender);
    memset(content->hash.b, 0, sizeof content->hash.b);
    hn_store_le32(content->hash.b, (uint32_t)i + 1);
    hn_account account = {.balance = hn_u256_of(21000 * 1000)};
    bool is_ready;
    return hn_pool_add(pool, displaced, &is_ready, reject, &slots[i], &account);
}

static void open_default(void)
{
    for (int i = 0; i < SLOTS; i++)
        hn_pending_init(&slots[i]);
    hn_pool_limits limits = {0};
    cr_assert_eq((int)hn_pool_create(&pool, &limits, 7), (int)HN_OK);
}

Test(pool, replacement_needs_ten_percent_on_both_fees, .init = open_default)
{
    hn_pending *displaced;
    hn_reject reject;
    cr_assert_eq((int)offer(0, 0, 0, 100, 10, &displaced, &reject), (int)HN_VERDICT_QUEUED);
    cr_assert_eq((int)offer(1, 0, 0, 100, 10, &displaced, &reject), (int)HN_VERDICT_UNDERPRICED);
    cr_assert_eq(hn_pool_replacement_fee(pool, &slots[1]).w[0], 110);
    cr_assert_eq((int)offer(1, 0, 0, 109, 11, &displaced, &reject), (int)HN_VERDICT_UNDERPRICED);
    cr_assert_eq(hn_pool_replacement_fee(pool, &slots[1]).w[0], 110);
    cr_assert_eq((int)offer(1, 0, 0, 110, 10, &displaced, &reject), (int)HN_VERDICT_UNDERPRICED);
    cr_assert_eq(hn_pool_replacement_fee(pool, &slots[1]).w[0], 11, "the fee is high enough: the tip is not");
    cr_assert_eq((int)offer(1, 0, 0, 110, 11, &displaced, &reject), (int)HN_VERDICT_QUEUED);
    cr_assert_eq(displaced, &slots[0]);
    cr_assert_eq(hn_pool_take(pool), &slots[1]);
    cr_assert_eq((int)offer(2, 0, 0, 900, 900, &displaced, &reject), (int)HN_VERDICT_REJECTED);
    cr_assert_eq((int)reject, (int)HN_REJECT_NONCE_TOO_LOW);
    hn_pool_destroy(pool);
}

Test(pool, free_gas_is_never_replaced, .init = open_default)
{
    hn_pending *displaced;
    hn_reject reject;
    cr_assert_eq((int)offer(0, 0, 0, 0, 0, &displaced, &reject), (int)HN_VERDICT_QUEUED);
    cr_assert_eq((int)offer(1, 0, 0, 0, 0, &displaced, &reject), (int)HN_VERDICT_UNDERPRICED);
    cr_assert_eq(hn_pool_replacement_fee(pool, &slots[1]).w[0], 1);
    hn_pool_destroy(pool);
}

Test(pool, costs_above_256_bits_are_insufficient_funds, .init = open_default)
{
    hn_pending *displaced;
    hn_reject reject;
    bool is_ready;
    hn_account rich = {.balance = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}}};
    offer(0, 0, 5, 0, 0, &displaced, &reject);
    hn_pending *pending = hn_pool_take(pool);
    cr_assert_eq(pending, NULL);
    hn_signed_transaction *content = &slots[1].content;
    content->transaction.gas_limit = UINT64_MAX;
    content->transaction.max_fee_per_gas = rich.balance;
    content->hash.b[5] = 1;
    cr_assert_eq((int)hn_pool_add(pool, &displaced, &is_ready, &reject, &slots[1], &rich),
                 (int)HN_VERDICT_REJECTED);
    cr_assert_eq((int)reject, (int)HN_REJECT_FUNDS);
    content->transaction.max_fee_per_gas = hn_u256_of(1);
    content->transaction.value = rich.balance;
    cr_assert_eq((int)hn_pool_add(pool, &displaced, &is_ready, &reject, &slots[1], &rich),
                 (int)HN_VERDICT_REJECTED);
    content->transaction.gas_limit = 0;
    cr_assert_eq((int)hn_pool_add(pool, &displaced, &is_ready, &reject, &slots[1], &rich),
                 (int)HN_VERDICT_QUEUED);
    hn_pool_destroy(pool);
}
