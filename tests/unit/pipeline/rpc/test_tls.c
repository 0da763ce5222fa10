/* Certificates and keys from files, the wrong ones above all; connections over TLS are tested from outside
 * (tests/system). */
#include "pipeline/rpc/tls.h"

#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* A key and a certificate that it has signed itself, as NAME.key and NAME.crt. */
static void make_pair(const char *name, const char *password)
{
    char file_name[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const uint8_t *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    cr_assert_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    snprintf(file_name, sizeof file_name, "%s.crt", name);
    FILE *file = fopen(path_of(file_name), "w");
    cr_assert_eq(PEM_write_X509(file, certificate), 1);
    fclose(file);
    snprintf(file_name, sizeof file_name, "%s.key", name);
    file = fopen(path_of(file_name), "w");
    cr_assert_eq(PEM_write_PrivateKey(file, key, password != NULL ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                                      (void *)(uintptr_t)password),
                 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void expect_problem(const char *certificate, const char *key, hn_err wanted, const char *file,
                           const char *words)
{
    SSL_CTX *tls;
    hn_rpc_problem problem = {.text = ""};
    cr_assert_eq(hn_rpc_tls_create(&tls, &problem, path_of(certificate), path_of(key)), wanted, "%s: %s",
                 words, problem.text);
    cr_assert_eq(strncmp(problem.text, path_of(file), strlen(path_of(file))), 0, "%s", problem.text);
    cr_assert_not_null(strstr(problem.text, words), "%s", problem.text);
}

Test(tls, names_the_file_that_is_wrong)
{
    snprintf(folder, sizeof folder, "/tmp/hanse-tls-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    make_pair("one", NULL);
    make_pair("two", NULL);
    make_pair("locked", "secret");
    write_text("nonsense", "nothing of the kind\n");
    write_text("empty", "");
    write_text("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    SSL_CTX *tls = NULL;
    cr_assert_eq(hn_rpc_tls_create(&tls, NULL, path_of("one.crt"), path_of("one.key")), HN_OK);
    cr_assert_eq(SSL_CTX_get_min_proto_version(tls), TLS1_2_VERSION);
    hn_rpc_tls_destroy(tls);
    expect_problem("none.crt", "one.key", HN_ERR_NOT_FOUND, "none.crt", "No such file or directory");
    expect_problem("one.crt", "none.key", HN_ERR_NOT_FOUND, "none.key", "No such file or directory");
    expect_problem("one.crt", "two.key", HN_ERR_INVALID, "two.key", "is not the private key of");
    expect_problem("nonsense", "one.key", HN_ERR_INVALID, "nonsense", "no certificate in PEM form");
    expect_problem("empty", "one.key", HN_ERR_INVALID, "empty", "no certificate in PEM form");
    expect_problem("broken", "one.key", HN_ERR_INVALID, "broken", "no certificate in PEM form");
    expect_problem("one.key", "one.key", HN_ERR_INVALID, "one.key", "no certificate in PEM form");
    expect_problem("one.crt", "nonsense", HN_ERR_INVALID, "nonsense", "no private key in PEM form");
    expect_problem("one.crt", "one.crt", HN_ERR_INVALID, "one.crt", "no private key in PEM form");
    expect_problem("locked.crt", "locked.key", HN_ERR_INVALID, "locked.key", "encrypted");
    expect_problem("", "one.key", HN_ERR_IO, "", "Is a directory");
    if (getuid() != 0) {
        chmod(path_of("one.key"), 0);
        expect_problem("one.crt", "one.key", HN_ERR_IO, "one.key", "Permission denied");
    }
    static const char *const names[] = {"one.crt",    "one.key",  "two.crt", "two.key", "locked.crt",
                                        "locked.key", "nonsense", "empty",   "broken"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    cr_assert_eq(rmdir(folder), 0);
}
