#include "pipeline/rpc/address_count.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static hn_address_counts counts;
static uint32_t ticket;

static bool add(const char *text, uint32_t most)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return hn_address_counts_add(&counts, &ticket, (const struct sockaddr *)&four, most);
    cr_assert_eq(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
    return hn_address_counts_add(&counts, &ticket, (const struct sockaddr *)&six, most);
}

Test(address_count, counts_each_address_by_itself)
{
    cr_assert_eq(hn_address_counts_create(&counts, 8, 1), HN_OK);
    cr_assert(add("10.0.0.1", 2));
    uint32_t first = ticket;
    cr_assert(add("10.0.0.1", 2));
    cr_assert_eq(ticket, first);
    cr_assert_not(add("10.0.0.1", 2));
    cr_assert_not(add("::ffff:10.0.0.1", 2)); /* the same one */
    cr_assert(add("10.0.0.2", 2));
    hn_address_counts_remove(&counts, first);
    cr_assert(add("10.0.0.1", 2));
    cr_assert_not(add("10.0.0.1", 2));
    hn_address_counts_destroy(&counts);
}

Test(address_count, takes_a_network_for_an_address_and_leaves_loopback_alone)
{
    cr_assert_eq(hn_address_counts_create(&counts, 8, 2), HN_OK);
    cr_assert(add("2001:db8::1", 1));
    cr_assert_not(add("2001:db8::ffff:2", 1));
    cr_assert(add("2001:db8:0:1::1", 1));
    for (int i = 0; i < 100; i++) {
        cr_assert(add(i % 3 == 0 ? "127.0.0.1" : i % 3 == 1 ? "::1" : "::ffff:127.1.2.3", 1));
        cr_assert_eq(ticket, HN_ADDRESS_NOT_COUNTED);
        hn_address_counts_remove(&counts, ticket);
    }
    struct sockaddr other = {.sa_family = AF_UNIX};
    cr_assert(hn_address_counts_add(&counts, &ticket, &other, 1));
    cr_assert_eq(ticket, HN_ADDRESS_NOT_COUNTED);
    hn_address_counts_destroy(&counts);
}

/* Against a plain list: addresses come and go in an order without a pattern. */
Test(address_count, keeps_its_counts_while_addresses_come_and_go)
{
    enum { ADDRESSES = 50, ROOM = 40, MOST = 3, STEPS = 20000 };
    cr_assert_eq(hn_address_counts_create(&counts, ROOM, 3), HN_OK);
    uint32_t model[ADDRESSES] = {0};
    uint32_t tickets[ADDRESSES] = {0};
    unsigned known = 0;
    uint32_t random = 12345;
    for (unsigned i = 0; i < STEPS; i++) {
        random = random * 1664525u + 1013904223u;
        unsigned which = (random >> 8) % ADDRESSES;
        if ((random >> 20) % 2 == 0) {
            char text[32];
            snprintf(text, sizeof text, "192.0.2.%u", which);
            bool has_room = model[which] != 0 || known < ROOM;
            cr_assert_eq(add(text, MOST), has_room && model[which] < MOST);
            if (has_room && model[which] < MOST) {
                known += model[which]++ == 0;
                tickets[which] = ticket;
            }
        } else if (model[which] != 0) {
            hn_address_counts_remove(&counts, tickets[which]);
            known -= --model[which] == 0;
        }
    }
    hn_address_counts_destroy(&counts);
}
