/* Addresses as text and as the kernel has them. */
#include "pipeline/port/peer.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>

static void check(const char *text, hn_peer_family family, uint16_t port)
{
    hn_peer peer, back;
    cr_assert_eq(hn_peer_parse(&peer, text), HN_OK, "%s", text);
    cr_assert_eq(peer.family, family);
    cr_assert_eq(peer.port, port);
    char written[HN_PEER_TEXT_MAX];
    cr_assert_eq(hn_peer_write(written, &peer), strlen(text));
    cr_assert_str_eq(written, text);
    struct sockaddr_storage address;
    (void)hn_peer_to_sockaddr(&address, &peer);
    cr_assert(hn_peer_from_sockaddr(&back, &address));
    cr_assert(hn_peer_equal(&peer, &back));
}

Test(port_peer, text_there_and_back)
{
    check("192.0.2.1:8546", HN_PEER_IPV4, 8546);
    check("0.0.0.0:0", HN_PEER_IPV4, 0);
    check("[::1]:65535", HN_PEER_IPV6, 65535);
    check("[2001:db8::12]:1", HN_PEER_IPV6, 1);
}

Test(port_peer, kernel_form)
{
    hn_peer peer;
    struct sockaddr_storage address;
    cr_assert_eq(hn_peer_parse(&peer, "192.0.2.7:258"), HN_OK);
    cr_assert_eq(hn_peer_to_sockaddr(&address, &peer), sizeof(struct sockaddr_in));
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
    cr_assert_eq(in->sin_addr.s_addr, inet_addr("192.0.2.7"));
    cr_assert_eq(ntohs(in->sin_port), 258);
    address.ss_family = AF_UNIX;
    cr_assert_not(hn_peer_from_sockaddr(&peer, &address));
}

Test(port_peer, bad_text)
{
    static const char *const bad[] = {"",           "1.2.3.4",  "1.2.3.4:",     "1.2.3.4:65536",
                                      "1.2.3.4:-1", "1.2.3:80", "1.2.3.4:80x",  "::1:80",
                                      "[::1]80",    "[::1:80",  "[1.2.3.4]:80", "localhost:80",
                                      ":80",        "[]:80",    "1.2.3.4: 80",  "[fe80::1%nosuchdevice]:80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hn_peer peer;
        cr_assert_eq(hn_peer_parse(&peer, bad[i]), HN_ERR_INVALID, "\"%s\" was taken", bad[i]);
    }
}
