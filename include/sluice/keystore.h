/* sluice/keystore.h - Java's key stores and trust stores, as PEM.
 *
 * Configurations name the stores that the Java original reads: JKS, PKCS12 and PEM,
 * told apart by their content, whatever the type says. Libraries of C want PEM, which
 * these functions give.
 *
 * Threads: any. */
#ifndef SLUICE_KEYSTORE_H
#define SLUICE_KEYSTORE_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_keystore sluice_keystore;

/* Where a store is: a file, or PEM in its place. What is not there is NULL. */
typedef struct sluice_keystore_source {
    size_t size;              /* sizeof(sluice_keystore_source) */
    const char *name;         /* "ssl.keystore": how the keys of these begin. */
    const char *type;         /* PEM, PKCS12, JKS, or NULL: any of these. */
    const char *location;     /* A file of at most 4 MiB. */
    const char *password;     /* Of a JKS or PKCS12 store. */
    const char *key;          /* PEM, in lines or in one line. */
    const char *certificates; /* The same. */
    const char *key_password; /* Of the key; `password` where a JKS has no other. */
    bool has_key; /* A key and its chain are wanted; else whom the store trusts. */
} sluice_keystore_source;

/* Reads a store. As in Java, a trust store trusts its certificates and those of its
 * keys, and one without a password is read without a look at its integrity; of several
 * keys the first is taken.
 * SLUICE_BAD_CONFIG: the file cannot be read, is of another form, its password is
 * wrong, it lacks what is wanted, or key and certificate do not belong together. No
 * message shows a password or a part of a key. */
SLUICE_API sluice_status sluice_keystore_read(const sluice_keystore_source *source,
                                              sluice_keystore **ret_store,
                                              sluice_error *err);
SLUICE_API void sluice_keystore_free(sluice_keystore *store); /* NULL is accepted. */

/* Borrowed, NUL-ended. The key is PKCS8 without a password, NULL in a trust store; of
 * the certificates the key's own comes first, then who signed it. */
SLUICE_API const char *sluice_keystore_key(const sluice_keystore *store);
SLUICE_API const char *sluice_keystore_certificates(const sluice_keystore *store);

/* Whether a file's first bytes are those of a JKS or PKCS12 store; false where it
 * cannot be read, too. */
SLUICE_API bool sluice_keystore_is_java(const char *location);

#ifdef __cplusplus
}
#endif

#endif
