#include "pipeline/port/peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

hn_err hn_peer_parse_address(hn_peer *out, const char *text)
{
    hn_peer peer = {0};
    if (inet_pton(AF_INET, text, peer.address) == 1) {
        peer.family = HN_PEER_IPV4;
        *out = peer;
        return HN_OK;
    }
    /* A link-local address names its interface behind a percent sign (RFC 4007, section 11). */
    char address[INET6_ADDRSTRLEN];
    const char *percent = strchr(text, '%');
    size_t size = percent != NULL ? (size_t)(percent - text) : strlen(text);
    if (size >= sizeof address)
        return HN_ERR_INVALID;
    memcpy(address, text, size);
    address[size] = '\0';
    if (inet_pton(AF_INET6, address, peer.address) != 1)
        return HN_ERR_INVALID;
    if (percent != NULL) {
        peer.scope = if_nametoindex(percent + 1);
        if (peer.scope == 0)
            return HN_ERR_INVALID;
    }
    peer.family = HN_PEER_IPV6;
    *out = peer;
    return HN_OK;
}

hn_err hn_peer_parse(hn_peer *out, const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon[1] < '0' || colon[1] > '9')
        return HN_ERR_INVALID;
    char *end;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || port > UINT16_MAX)
        return HN_ERR_INVALID;

    const char *begin = text;
    const char *behind = colon;
    bool is_bracketed = text[0] == '[';
    if (is_bracketed) {
        begin++;
        behind--;
        if (behind <= begin || *behind != ']')
            return HN_ERR_INVALID;
    }
    char address[HN_PEER_TEXT_MAX];
    size_t size = (size_t)(behind - begin);
    if (size >= sizeof address)
        return HN_ERR_INVALID;
    memcpy(address, begin, size);
    address[size] = '\0';
    hn_peer peer;
    HN_TRY(hn_peer_parse_address(&peer, address));
    if (is_bracketed != (peer.family == HN_PEER_IPV6))
        return HN_ERR_INVALID;
    peer.port = (uint16_t)port;
    *out = peer;
    return HN_OK;
}

size_t hn_peer_write(char out[HN_PEER_TEXT_MAX], const hn_peer *peer)
{
    char address[INET6_ADDRSTRLEN];
    bool is_ipv6 = peer->family == HN_PEER_IPV6;
    if (peer->family == HN_PEER_NONE ||
        inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, peer->address, address, sizeof address) == NULL)
        return (size_t)snprintf(out, HN_PEER_TEXT_MAX, "-");
    int size;
    if (is_ipv6 && peer->scope != 0)
        size = snprintf(out, HN_PEER_TEXT_MAX, "[%s%%%u]:%u", address, peer->scope, peer->port);
    else
        size = snprintf(out, HN_PEER_TEXT_MAX, is_ipv6 ? "[%s]:%u" : "%s:%u", address, peer->port);
    return (size_t)size;
}

socklen_t hn_peer_to_sockaddr(struct sockaddr_storage *out, const hn_peer *peer)
{
    if (peer->family == HN_PEER_IPV4) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
        memcpy(&address.sin_addr, peer->address, sizeof address.sin_addr);
        memcpy(out, &address, sizeof address);
        return sizeof address;
    }
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons(peer->port), .sin6_scope_id = peer->scope};
    memcpy(&address.sin6_addr, peer->address, sizeof address.sin6_addr);
    memcpy(out, &address, sizeof address);
    return sizeof address;
}

bool hn_peer_from_sockaddr(hn_peer *out, const struct sockaddr_storage *from)
{
    hn_peer peer = {0};
    if (from->ss_family == AF_INET) {
        struct sockaddr_in address;
        memcpy(&address, from, sizeof address);
        peer.family = HN_PEER_IPV4;
        peer.port = ntohs(address.sin_port);
        memcpy(peer.address, &address.sin_addr, sizeof address.sin_addr);
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 address;
        memcpy(&address, from, sizeof address);
        peer.family = HN_PEER_IPV6;
        peer.port = ntohs(address.sin6_port);
        peer.scope = address.sin6_scope_id;
        memcpy(peer.address, &address.sin6_addr, sizeof address.sin6_addr);
    } else {
        return false;
    }
    *out = peer;
    return true;
}
