/* lib/keystore/jks.h - Java's own key store, JKS.
 *
 * A file of big-endian numbers and texts: magic, version, entries, and a SHA-1 over the
 * password and all of it. A certificate lies in it as it is; a key is behind a stream
 * of SHA-1 digests of its password (JDK: sun.security.provider.KeyProtector).
 *
 *     FEEDFEED  version  count  { 1 alias date  key     count { type certificate }
 *                               | 2 alias date  type certificate }  digest
 *
 * The bytes are hostile: every read is bounded, nothing is taken for a size.
 * Threads: any. */
#ifndef SLUICE_KEYSTORE_JKS_H
#define SLUICE_KEYSTORE_JKS_H

#include "base/buffer.h"

typedef enum jks_result {
    JKS_OK,
    JKS_BROKEN,    /* Not a JKS store, or cut off, or with more behind its end. */
    JKS_CHANGED,   /* The digest is another: wrong password, or changed bytes. */
    JKS_KEY_SHUT,  /* The key is not opened by its password. */
    JKS_KEY_OTHER, /* The key is protected in a way that is not JKS's. */
    JKS_EMPTY,     /* There is no key, or no certificate. */
} jks_result;

/* Called for each certificate that is wanted, in DER. False: stop, JKS_BROKEN. */
typedef bool jks_certificate(void *context, const unsigned char *base, size_t len);

typedef struct jks_wanted {
    const char *password;     /* UTF-8; NULL: the digest is not looked at. */
    const char *key_password; /* NULL: no key is wanted, but whom the store trusts. */
    jks_certificate *certificate;
    void *context;
} jks_wanted;

bool jks_is(const void *base, size_t len); /* By its first bytes. */

/* Reads a store. With a key: appends the first one to `key` (PKCS8 in DER) and gives
 * its chain; without: gives its trusted certificates, and the first of each chain. */
jks_result jks_read(const void *base, size_t len, const jks_wanted *wanted,
                    buffer *key);

#endif
