/* Key stores and trust stores of each form become PEM. */
#include "base/memory.h"
#include "base/text.h"
#include "keystore/jks.h"
#include "keystore/pem.h"
#include "keystore/pkcs12.h"
#include "keystore/private_key.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sluice/keystore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { file_bytes_max = 4 * 1024 * 1024 };

struct sluice_keystore {
    char *key;
    char *certificates;
};

/* What is read of a store, in PEM. */
typedef struct parts {
    buffer key, certificates;
} parts;

typedef struct content {
    char *base; /* A NUL that is not counted follows. */
    size_t len;
} content;

/* --- Bytes. --- */

static void wipe(char *base, size_t len)
{
    if (base != NULL) {
        explicit_bzero(base, len);
    }
    free(base);
}

static sluice_status read_file(const sluice_keystore_source *source,
                               content *ret_content, sluice_error *err)
{
    FILE *file = fopen(source->location, "rbe");
    char *base = file == NULL ? NULL : malloc(file_bytes_max + 1);
    size_t len = base == NULL ? 0 : fread(base, 1, file_bytes_max, file);
    bool failed = file == NULL || base == NULL || ferror(file);
    int reason = errno;
    if (file != NULL) {
        fclose(file);
    }
    if (failed || len == file_bytes_max) {
        free(base);
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.location: '%s' cannot be read: %s", source->name,
                           source->location,
                           failed ? strerror(reason) : "it has 4 MiB or more");
    }
    base[len] = '\0';
    *ret_content = (content){base, len};
    return SLUICE_OK;
}

/* --- What is wrong with a store. --- */

static sluice_status store_fault(const sluice_keystore_source *source,
                                 sluice_error *err, const char *what, const char *more)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG, "%s.location: '%s' %s%s", source->name,
                       source->location, what, more);
}

static sluice_status nothing_found(const sluice_keystore_source *source,
                                   sluice_error *err)
{
    return store_fault(source, err, "has no ",
                       source->has_key ? "private key with its certificate"
                                       : "certificate");
}

static sluice_status not_opened(const sluice_keystore_source *source, const char *more,
                                sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "%s.location: '%s' is not opened %s %s.password%s", source->name,
                       source->location, source->password == NULL ? "without" : "by",
                       source->name, more);
}

static sluice_status key_not_opened(const sluice_keystore_source *source,
                                    const char *reason, sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "%s.location: the private key in '%s' is not opened by %s%s%s",
                       source->name, source->location,
                       source->key_password == NULL
                           ? "the password of the store; set ssl.key.password"
                           : "ssl.key.password",
                       reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
}

/* What opens the key, NULL where none is wanted. */
static const char *key_password(const sluice_keystore_source *source)
{
    const char *password =
        source->key_password != NULL ? source->key_password : source->password;
    return !source->has_key ? NULL : password == NULL ? "" : password;
}

/* --- PKCS12. --- */

static sluice_status read_p12(const sluice_keystore_source *source, const content *from,
                              parts *ret, sluice_error *err)
{
    const pkcs12_wanted wanted = {source->password, key_password(source)};
    const char *reason = NULL;
    switch (pkcs12_read(from->base, from->len, &wanted, &ret->key, &ret->certificates,
                        &reason)) {
    case PKCS12_OK:
        return SLUICE_OK;
    case PKCS12_SHUT:
        return not_opened(source, "", err);
    case PKCS12_KEY_SHUT:
        return key_not_opened(source, reason, err);
    case PKCS12_EMPTY:
        return nothing_found(source, err);
    case PKCS12_BROKEN:
        break;
    }
    return store_fault(source, err,
                       "is not a JKS or PKCS12 store that can be read: ", reason);
}

/* --- JKS. --- */

static bool add_certificate(void *context, const unsigned char *base, size_t len)
{
    return pkcs12_certificate(base, len, context);
}

static sluice_status jks_fault(const sluice_keystore_source *source, jks_result result,
                               sluice_error *err)
{
    switch (result) {
    case JKS_OK:
        return SLUICE_OK;
    case JKS_CHANGED:
        return not_opened(source, ", or its bytes were changed", err);
    case JKS_KEY_SHUT:
        return key_not_opened(source, NULL, err);
    case JKS_KEY_OTHER:
        return store_fault(source, err, "has a private key that is protected in a way ",
                           "that is not JKS's");
    case JKS_EMPTY:
        return nothing_found(source, err);
    case JKS_BROKEN:
        break;
    }
    return store_fault(
        source, err, "begins as a JKS store and is none: ", "it is cut off or damaged");
}

static sluice_status read_jks(const sluice_keystore_source *source, const content *from,
                              parts *ret, sluice_error *err)
{
    buffer der = BUFFER_INIT;
    const jks_wanted wanted = {source->password, key_password(source), add_certificate,
                               &ret->certificates};
    sluice_status status =
        jks_fault(source, jks_read(from->base, from->len, &wanted, &der), err);
    const char *reason = status == SLUICE_OK && source->has_key
                             ? private_key_from_pkcs8(der.base, der.len, &ret->key)
                             : NULL;
    private_key_wipe(&der);
    return reason == NULL
               ? status
               : store_fault(source, err,
                             "has a private key that cannot be used: ", reason);
}

/* --- PEM. --- */

static sluice_status read_pem(const sluice_keystore_source *source, const char *where,
                              const char *key, const char *certificates, parts *ret,
                              sluice_error *err)
{
    buffer block = BUFFER_INIT;
    size_t keys = source->has_key ? pem_blocks(key, "PRIVATE KEY", &block) : 0;
    size_t count = pem_blocks(certificates, "CERTIFICATE", &ret->certificates);
    sluice_status status = SLUICE_OK;
    const char *reason = NULL;
    if (count == 0 || (source->has_key && keys != 1)) {
        status = sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "%s: %zu private keys and %zu certificates in PEM: %s", where, keys, count,
            source->has_key ? "must be one key and the chain of its certificate"
                            : "must be certificates");
    } else if (source->has_key) {
        reason = private_key_from_pem(&block, source->key_password, &ret->key);
    }
    if (reason != NULL) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "%s: its private key cannot be read%s: %s", where,
                             source->key_password == NULL ? ", without ssl.key.password"
                                                          : " with ssl.key.password",
                             reason);
    }
    private_key_wipe(&block);
    return status;
}

/* --- Either. --- */

static sluice_status check_pair(const sluice_keystore_source *source, const char *where,
                                const parts *store, sluice_error *err)
{
    gnutls_certificate_credentials_t credentials;
    const gnutls_datum_t chain = {(unsigned char *)store->certificates.base,
                                  (unsigned)store->certificates.len};
    const gnutls_datum_t key = {(unsigned char *)store->key.base,
                                (unsigned)store->key.len};
    int code = gnutls_certificate_allocate_credentials(&credentials);
    if (code == 0) {
        code = source->has_key
                   ? gnutls_certificate_set_x509_key_mem2(credentials, &chain, &key,
                                                          GNUTLS_X509_FMT_PEM, NULL, 0)
                   : gnutls_certificate_set_x509_trust_mem(credentials, &chain,
                                                           GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    return code >= 0 ? SLUICE_OK
                     : sluice_fail(err, SLUICE_BAD_CONFIG, "%s: %s", where,
                                   gnutls_strerror(code));
}

/* Java's other store, of which only a secret key needs what JKS has not. */
static bool is_jceks(const void *base, size_t len)
{
    return len >= 4 && memcmp(base, "\xce\xce\xce\xce", 4) == 0;
}

static sluice_status read_stored(const sluice_keystore_source *source,
                                 const char *where, parts *ret, sluice_error *err)
{
    content from = {NULL, 0};
    sluice_status status = read_file(source, &from, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (jks_is(from.base, from.len)) {
        status = read_jks(source, &from, ret, err);
    } else if (is_jceks(from.base, from.len)) {
        status = sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "%s is a JCEKS store, which only Java reads: convert it with 'keytool "
            "-importkeystore -srckeystore %s -destkeystore %s.p12 -deststoretype "
            "PKCS12' and set %s.location to that",
            where, source->location, source->location, source->name);
    } else if (strstr(from.base, "-----BEGIN ") != NULL) {
        status = read_pem(source, where, from.base, from.base, ret, err);
    } else {
        status = read_p12(source, &from, ret, err);
    }
    wipe(from.base, from.len);
    return status;
}

static sluice_status check_source(const sluice_keystore_source *source,
                                  sluice_error *err)
{
    bool in_line = source->key != NULL || source->certificates != NULL;
    const char *more = source->has_key ? "certificate.chain" : "certificates";
    if (source->type != NULL && !text_equal_nocase(source->type, "PEM") &&
        !text_equal_nocase(source->type, "PKCS12") &&
        !text_equal_nocase(source->type, "JKS")) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.type is '%s': must be JKS, PKCS12 or PEM", source->name,
                           source->type);
    }
    if (in_line && source->location != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.location and %s.%s are both set: one store is wanted",
                           source->name, source->name, more);
    }
    if (in_line &&
        (source->certificates == NULL || (source->has_key && source->key == NULL))) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.key and %s.%s go together: one is missing", source->name,
                           source->name, more);
    }
    return SLUICE_OK;
}

static sluice_status read_source(const sluice_keystore_source *source, parts *ret,
                                 sluice_error *err)
{
    sluice_status status = check_source(source, err);
    if (status != SLUICE_OK) {
        return status;
    }
    char *where =
        source->location == NULL
            ? memory_print("%s.%s", source->name,
                           source->has_key ? "key" : "certificates")
            : memory_print("%s.location: '%s'", source->name, source->location);
    status = source->location == NULL
                 ? read_pem(source, where, source->key, source->certificates, ret, err)
                 : read_stored(source, where, ret, err);
    if (status == SLUICE_OK) {
        status = check_pair(source, where, ret, err);
    }
    free(where);
    return status;
}

sluice_status sluice_keystore_read(const sluice_keystore_source *source,
                                   sluice_keystore **ret_store, sluice_error *err)
{
    parts store = {BUFFER_INIT, BUFFER_INIT};
    sluice_status status = read_source(source, &store, err);
    if (status != SLUICE_OK) {
        private_key_wipe(&store.key);
        buffer_done(&store.certificates);
        return status;
    }
    *ret_store = memory_zero(sizeof **ret_store);
    (*ret_store)->key = source->has_key ? buffer_take(&store.key, NULL) : NULL;
    (*ret_store)->certificates = buffer_take(&store.certificates, NULL);
    return SLUICE_OK;
}

void sluice_keystore_free(sluice_keystore *store)
{
    if (store != NULL) {
        wipe(store->key, store->key == NULL ? 0 : strlen(store->key));
        free(store->certificates);
        free(store);
    }
}

const char *sluice_keystore_key(const sluice_keystore *store)
{
    return store->key;
}

const char *sluice_keystore_certificates(const sluice_keystore *store)
{
    return store->certificates;
}

bool sluice_keystore_is_java(const char *location)
{
    unsigned char head[4];
    FILE *file = fopen(location, "rbe");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(head, 1, sizeof head, file);
    fclose(file);
    /* PKCS12 begins with a SEQUENCE of DER. */
    return jks_is(head, len) || is_jceks(head, len) || (len > 1 && head[0] == 0x30);
}
