/* lib/keystore/pkcs12.h - PKCS12 stores, as PEM.
 *
 * GnuTLS opens them: it knows the ciphers of old ones, which OpenSSL 3 has put aside.
 * Threads: any. */
#ifndef SLUICE_KEYSTORE_PKCS12_H
#define SLUICE_KEYSTORE_PKCS12_H

#include "base/buffer.h"

typedef enum pkcs12_result {
    PKCS12_OK,
    PKCS12_BROKEN,   /* Not a PKCS12 store, or of a kind that is not known. */
    PKCS12_SHUT,     /* The password is another. */
    PKCS12_KEY_SHUT, /* The key's is. */
    PKCS12_EMPTY,    /* There is no key with its certificate, or no certificate. */
} pkcs12_result;

typedef struct pkcs12_wanted {
    const char *password;     /* UTF-8; NULL: there is none. */
    const char *key_password; /* NULL: no key is wanted, but all certificates. */
} pkcs12_wanted;

/* Appends the first key to `key` and its chain to `certificates`; or all certificates.
 * One that has no digest over itself is taken as it is. On PKCS12_BROKEN and
 * PKCS12_KEY_SHUT the reason is put at `ret_reason`, a constant. */
pkcs12_result pkcs12_read(const void *base, size_t len, const pkcs12_wanted *wanted,
                          buffer *key, buffer *certificates, const char **ret_reason);

/* Appends a certificate in DER as PEM. False: it is none. */
bool pkcs12_certificate(const void *der, size_t len, buffer *out);

#endif
