/* keystore.h - a key store or trust store of Kafka's, as PEM.
 *
 * PEM and PKCS12 are read, told apart by their first bytes; Java's own JKS is refused
 * with the command that converts it.
 *
 * Threads: any. */
#ifndef SLUICE_REST_KEYSTORE_H
#define SLUICE_REST_KEYSTORE_H

#include <sluice/error.h>
#include <stdbool.h>

typedef struct keystore_source {
    const char *name;         /* "ssl.keystore": how the keys of these begin. */
    const char *type;         /* ssl.keystore.type; JKS is Kafka's default. */
    const char *location;     /* A file, or NULL. */
    const char *password;     /* Of a PKCS12 store, or NULL. */
    const char *key;          /* PEM in place of a file, or NULL. */
    const char *certificates; /* The same. */
    const char *key_password; /* Of a key in PEM, or NULL. */
    bool has_key;             /* A key and its chain are wanted; else certificates. */
} keystore_source;

typedef struct keystore {
    char *key;          /* PEM, not encrypted; NULL in a trust store. */
    char *certificates; /* PEM; the key's own first, then who signed it. */
} keystore;

/* BAD_CONFIG: the file cannot be read, is of another form, its password is wrong, it
 * lacks what is wanted, or key and certificate do not belong together. No message shows
 * a password or a part of a key. */
sluice_status keystore_read(const keystore_source *source, keystore *ret_store,
                            sluice_error *err);
void keystore_done(keystore *self); /* Overwrites the key. */

#endif
