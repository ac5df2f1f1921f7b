/* lib/keystore/private_key.h - private keys of every form, as PKCS8 in PEM.
 *
 * OpenSSL reads them: Java writes keys of elliptic curves without their public half,
 * which GnuTLS 3.7 refuses; what comes out has both halves.
 *
 * Each appends one block "PRIVATE KEY" to `out` and returns NULL; or a reason, a
 * constant, and appends nothing. Threads: any. */
#ifndef SLUICE_KEYSTORE_PRIVATE_KEY_H
#define SLUICE_KEYSTORE_PRIVATE_KEY_H

#include "base/buffer.h"

const char *private_key_from_pem(const buffer *pem, const char *password, buffer *out);
const char *private_key_from_pkcs8(const void *der, size_t len, buffer *out);

/* EncryptedPrivateKeyInfo, as PKCS12 has it. */
const char *private_key_from_locked(const void *der, size_t len, const char *password,
                                    buffer *out);

/* Appends those of the certificates `pem` that are the chain of this key: its own
 * first, then who signed it. False: none is its own. */
bool private_key_chain(const buffer *key, const buffer *pem, buffer *out);

/* Overwrites the content, then as buffer_done(). */
void private_key_wipe(buffer *secret);

#endif
