/* Private keys of every form, read and written by OpenSSL. */
#include "keystore/private_key.h"
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { certificates_max = 1000 };

void private_key_wipe(buffer *secret)
{
    if (secret->base != NULL) {
        explicit_bzero(secret->base, secret->len);
    }
    buffer_done(secret);
}

/* What OpenSSL has said last. Its list is a thread's, and others look at it too. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text == NULL ? "it is not a private key" : text;
}

/* What was written to `out`, which is freed. */
static void take_written(BIO *from, buffer *out)
{
    char *base;
    long len = BIO_get_mem_data(from, &base);
    if (len > 0) {
        buffer_append(out, base, (size_t)len);
    }
    BIO_free(from);
}

/* A key that came without its public half would be written without it, too. */
static bool complete(EVP_PKEY *key)
{
    return !EVP_PKEY_is_a(key, "EC") ||
           EVP_PKEY_set_int_param(key, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1) == 1;
}

/* Takes `key`, which may be NULL. */
static const char *show(EVP_PKEY *key, buffer *out)
{
    BIO *text = BIO_new(BIO_s_secmem());
    bool good = key != NULL && text != NULL && complete(key) &&
                PEM_write_bio_PKCS8PrivateKey(text, key, NULL, NULL, 0, NULL, NULL);
    EVP_PKEY_free(key);
    if (!good) {
        BIO_free(text);
        return reason();
    }
    take_written(text, out);
    return NULL;
}

/* OpenSSL would ask the terminal otherwise. */
static int give_password(char *out, int size, int writing, void *password)
{
    (void)writing;
    size_t len = password == NULL ? 0 : strlen(password);
    if (password == NULL || len > (size_t)size) {
        return -1;
    }
    memcpy(out, password, len);
    return (int)len;
}

static EVP_PKEY *key_of(const buffer *pem, const char *password)
{
    BIO *text = BIO_new_mem_buf(pem->base, (int)pem->len);
    EVP_PKEY *key = text == NULL ? NULL
                                 : PEM_read_bio_PrivateKey(text, NULL, give_password,
                                                           (void *)password);
    BIO_free(text);
    return key;
}

const char *private_key_from_pem(const buffer *pem, const char *password, buffer *out)
{
    return show(key_of(pem, password), out);
}

static const char *show_info(PKCS8_PRIV_KEY_INFO *info, buffer *out)
{
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    return show(key, out);
}

const char *private_key_from_pkcs8(const void *der, size_t len, buffer *out)
{
    const unsigned char *at = der;
    return show_info(d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)len), out);
}

const char *private_key_from_locked(const void *der, size_t len, const char *password,
                                    buffer *out)
{
    const unsigned char *at = der;
    X509_SIG *locked = d2i_X509_SIG(NULL, &at, (long)len);
    PKCS8_PRIV_KEY_INFO *info =
        locked == NULL ? NULL : PKCS8_decrypt(locked, password, (int)strlen(password));
    X509_SIG_free(locked);
    return show_info(info, out);
}

/* --- Chains. --- */

typedef struct certificates {
    X509 *all[certificates_max];
    size_t count;
} certificates;

static void read_certificates(const buffer *pem, certificates *ret)
{
    BIO *text = BIO_new_mem_buf(pem->base, (int)pem->len);
    X509 *one;
    ret->count = 0;
    while (text != NULL && ret->count < certificates_max &&
           (one = PEM_read_bio_X509(text, NULL, give_password, NULL)) != NULL) {
        ret->all[ret->count++] = one;
    }
    BIO_free(text);
}

/* Takes out who signed `subject`, or NULL. */
static X509 *take_issuer(certificates *from, X509 *subject)
{
    for (size_t i = 0; i < from->count; i++) {
        if (X509_check_issued(from->all[i], subject) == X509_V_OK) {
            X509 *found = from->all[i];
            from->all[i] = from->all[--from->count];
            return found;
        }
    }
    return NULL;
}

static X509 *take_own(certificates *from, EVP_PKEY *key)
{
    for (size_t i = 0; i < from->count; i++) {
        if (X509_check_private_key(from->all[i], key) == 1) {
            X509 *found = from->all[i];
            from->all[i] = from->all[--from->count];
            return found;
        }
    }
    return NULL;
}

bool private_key_chain(const buffer *key, const buffer *pem, buffer *out)
{
    certificates left;
    read_certificates(pem, &left);
    EVP_PKEY *own = key_of(key, NULL);
    X509 *link = own == NULL ? NULL : take_own(&left, own);
    BIO *text = BIO_new(BIO_s_mem());
    bool found = link != NULL && text != NULL;
    while (link != NULL) {
        X509 *issuer = take_issuer(&left, link);
        PEM_write_bio_X509(text, link);
        X509_free(link);
        link = issuer;
    }
    while (left.count > 0) {
        X509_free(left.all[--left.count]);
    }
    EVP_PKEY_free(own);
    ERR_clear_error();
    take_written(text, out);
    return found;
}
