#include "pipeline/rpc/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 * 1024 };

/* Forward secrecy and authenticated encryption only; TLS 1.3 has nothing else. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

__attribute__((format(printf, 3, 4))) static hn_err fail(hn_err err, hn_rpc_problem *problem,
                                                         const char *format, ...)
{
    ERR_clear_error();
    if (problem == NULL)
        return err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    return err;
}

/* Reads without buffers of the C library, which would keep what was in them. */
static hn_err read_all(char *text, size_t *size, int file)
{
    *size = 0;
    for (;;) {
        ssize_t got = read(file, text + *size, FILE_BYTES_MAX - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return HN_ERR_IO;
        if (got == 0)
            return HN_OK;
        *size += (size_t)got;
        if (*size == FILE_BYTES_MAX)
            return HN_ERR_LIMIT;
    }
}

/* The file as a source of PEM; *text is to be wiped and freed after it. */
static hn_err open_pem(BIO **out, char **text, hn_rpc_problem *problem, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return fail(errno == ENOENT ? HN_ERR_NOT_FOUND : HN_ERR_IO, problem, "%.150s: %s", path,
                    strerror(errno));
    struct stat status;
    char *room = OPENSSL_malloc(FILE_BYTES_MAX);
    size_t size = 0;
    hn_err err = room == NULL ? HN_ERR_NO_MEMORY : read_all(room, &size, file);
    int reason = errno;
    bool is_file = fstat(file, &status) == 0 && !S_ISDIR(status.st_mode);
    close(file);
    BIO *source = err == HN_OK ? BIO_new_mem_buf(room, (int)size) : NULL;
    if (source != NULL) {
        *out = source;
        *text = room;
        return HN_OK;
    }
    OPENSSL_clear_free(room, FILE_BYTES_MAX);
    if (err == HN_ERR_IO)
        return fail(err, problem, "%.150s: %s", path, strerror(is_file ? reason : EISDIR));
    if (err == HN_ERR_LIMIT)
        return fail(HN_ERR_INVALID, problem, "%.150s: larger than %d bytes", path, FILE_BYTES_MAX);
    return fail(HN_ERR_NO_MEMORY, problem, "%.150s: out of memory", path);
}

static void close_pem(BIO *source, char *text)
{
    BIO_free(source);
    OPENSSL_clear_free(text, FILE_BYTES_MAX);
}

static hn_err use_certificates(SSL_CTX *tls, BIO *source, hn_rpc_problem *problem, const char *path)
{
    X509 *certificate = PEM_read_bio_X509_AUX(source, NULL, NULL, NULL);
    if (certificate == NULL)
        return fail(HN_ERR_INVALID, problem, "%.150s: has no certificate in PEM form", path);
    bool good = SSL_CTX_use_certificate(tls, certificate) == 1;
    X509_free(certificate);
    if (!good)
        return fail(HN_ERR_INVALID, problem, "%.150s: the certificate cannot be used: %.80s", path,
                    ERR_reason_error_string(ERR_peek_last_error()));
    for (X509 *next; (next = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL;) {
        if (SSL_CTX_add0_chain_cert(tls, next) == 1)
            continue;
        X509_free(next);
        return fail(HN_ERR_INVALID, problem, "%.150s: a certificate above the first cannot be used", path);
    }
    ERR_clear_error(); /* there was no further one */
    return HN_OK;
}

static hn_err load_certificates(SSL_CTX *tls, hn_rpc_problem *problem, const char *path)
{
    BIO *source = NULL;
    char *text = NULL;
    HN_TRY(open_pem(&source, &text, problem, path));
    hn_err err = use_certificates(tls, source, problem, path);
    close_pem(source, text);
    return err;
}

/* Nobody is there to be asked. */
static int refuse_password(char *out, int size, int is_writing, void *was_asked)
{
    (void)out, (void)size, (void)is_writing;
    *(bool *)was_asked = true;
    return -1;
}

static hn_err load_key(SSL_CTX *tls, hn_rpc_problem *problem, const char *path, const char *certificate)
{
    BIO *source = NULL;
    char *text = NULL;
    bool is_encrypted = false;
    HN_TRY(open_pem(&source, &text, problem, path));
    EVP_PKEY *key = PEM_read_bio_PrivateKey(source, NULL, refuse_password, &is_encrypted);
    close_pem(source, text);
    if (key == NULL && is_encrypted)
        return fail(HN_ERR_INVALID, problem,
                    "%.150s: the private key is encrypted; store it without a password", path);
    if (key == NULL)
        return fail(HN_ERR_INVALID, problem, "%.150s: has no private key in PEM form", path);
    bool good = SSL_CTX_use_PrivateKey(tls, key) == 1;
    EVP_PKEY_free(key); /* which wipes it with its last user */
    if (!good || SSL_CTX_check_private_key(tls) != 1)
        return fail(HN_ERR_INVALID, problem, "%.110s: is not the private key of %.110s", path, certificate);
    return HN_OK;
}

/* HTTP/1.1 is what there is; a client that offers only other protocols gets it all the same. */
static int choose_protocol(SSL *connection, const uint8_t **out, uint8_t *out_size, const uint8_t *offered,
                           unsigned offered_size, void *unused)
{
    static const uint8_t wanted[] = "\x08http/1.1";
    uint8_t *chosen;
    (void)connection, (void)unused;
    if (SSL_select_next_proto(&chosen, out_size, wanted, sizeof wanted - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

hn_err hn_rpc_tls_create(SSL_CTX **out, hn_rpc_problem *problem, const char *certificate, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        return fail(HN_ERR_NO_MEMORY, problem, "TLS cannot be started: out of memory");
    SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
    hn_err err = HN_OK;
    if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list(tls, ciphers) != 1)
        err = fail(HN_ERR_SYSTEM, problem, "TLS cannot be started: OpenSSL has not what is needed");
    if (err == HN_OK)
        err = load_certificates(tls, problem, certificate);
    if (err == HN_OK)
        err = load_key(tls, problem, key, certificate);
    if (err != HN_OK) {
        SSL_CTX_free(tls);
        return err;
    }
    *out = tls;
    return HN_OK;
}

void hn_rpc_tls_destroy(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}
