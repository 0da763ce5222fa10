/* TLS for the server: a context of OpenSSL from two PEM files. */
#ifndef HN_PIPELINE_RPC_TLS_H
#define HN_PIPELINE_RPC_TLS_H

#include "pipeline/rpc/server.h"

#include <openssl/ssl.h>

/* TLS 1.2 and 1.3 with forward secrecy, no renegotiation, no session kept on this side. `certificate`: the
 * server's, then those above it; `key`: its private key, not encrypted. *problem names the file that is wrong
 * and why, never what is in it; it may be NULL. HN_ERR_NOT_FOUND, HN_ERR_IO, HN_ERR_INVALID,
 * HN_ERR_NO_MEMORY. */
HN_MUST_USE hn_err hn_rpc_tls_create(SSL_CTX **out, hn_rpc_problem *problem, const char *certificate,
                                     const char *key);

/* May be NULL. */
void hn_rpc_tls_destroy(SSL_CTX *tls);

#endif
