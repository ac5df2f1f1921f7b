/* Key stores and trust stores: what GnuTLS can read becomes PEM. */
#include "worker/rest/keystore.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/rest/pem.h"
#include <errno.h>
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { file_bytes_max = 4 * 1024 * 1024 };

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

static sluice_status read_file(const keystore_source *source, content *ret_content,
                               sluice_error *err)
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

static char *text_of(gnutls_datum_t *datum)
{
    char *text = memory_copy(datum->data, datum->size);
    explicit_bzero(datum->data, datum->size);
    gnutls_free(datum->data);
    return text;
}

static void append_certificate(buffer *out, gnutls_x509_crt_t certificate)
{
    gnutls_datum_t pem;
    if (gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0) {
        buffer_append(out, pem.data, pem.size);
        gnutls_free(pem.data);
    }
}

/* --- PKCS12. --- */

static sluice_status p12_fault(const keystore_source *source, int code,
                               sluice_error *err)
{
    if (code == GNUTLS_E_MAC_VERIFY_FAILED || code == GNUTLS_E_DECRYPTION_FAILED) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.location: '%s' is not opened by %s.password",
                           source->name, source->location, source->name);
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "%s.location: '%s' is not a PKCS12 store that can be read: %s",
                       source->name, source->location, gnutls_strerror(code));
}

static int p12_key(gnutls_pkcs12_t store, const char *password, keystore *ret,
                   bool *ret_found)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t *chain = NULL;
    unsigned count = 0;
    gnutls_datum_t pem;
    buffer certificates = BUFFER_INIT;
    int code = gnutls_pkcs12_simple_parse(store, password, &key, &chain, &count, NULL,
                                          NULL, NULL, 0);
    *ret_found = code == 0 && key != NULL && count > 0;
    if (*ret_found) {
        code = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
                                                 GNUTLS_PKCS_PLAIN, &pem);
    }
    if (*ret_found && code == 0) {
        ret->key = text_of(&pem);
        for (unsigned i = 0; i < count; i++) {
            append_certificate(&certificates, chain[i]);
        }
        ret->certificates = buffer_take(&certificates, NULL);
    }
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    if (key != NULL) {
        gnutls_x509_privkey_deinit(key);
    }
    return code;
}

static void append_bag(gnutls_pkcs12_bag_t bag, buffer *out)
{
    int count = gnutls_pkcs12_bag_get_count(bag);
    for (int i = 0; i < count; i++) {
        gnutls_datum_t data;
        gnutls_x509_crt_t certificate;
        if (gnutls_pkcs12_bag_get_type(bag, (unsigned)i) != GNUTLS_BAG_CERTIFICATE ||
            gnutls_pkcs12_bag_get_data(bag, (unsigned)i, &data) != 0 ||
            gnutls_x509_crt_init(&certificate) != 0) {
            continue;
        }
        if (gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_DER) == 0) {
            append_certificate(out, certificate);
        }
        gnutls_x509_crt_deinit(certificate);
    }
}

/* Every certificate there is: those that a store trusts have no key. */
static int p12_certificates(gnutls_pkcs12_t store, const char *password, buffer *out)
{
    int code = 0;
    for (int i = 0; code == 0; i++) {
        gnutls_pkcs12_bag_t bag;
        code = gnutls_pkcs12_bag_init(&bag);
        if (code != 0) {
            return code;
        }
        code = gnutls_pkcs12_get_bag(store, i, bag);
        if (code == 0 && gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED) {
            code = gnutls_pkcs12_bag_decrypt(bag, password);
        }
        if (code == 0) {
            append_bag(bag, out);
        }
        gnutls_pkcs12_bag_deinit(bag);
    }
    return code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : code;
}

static sluice_status p12_fill(const keystore_source *source, gnutls_pkcs12_t store,
                              keystore *ret, sluice_error *err)
{
    const char *password = source->password == NULL ? "" : source->password;
    buffer certificates = BUFFER_INIT;
    bool found = true;
    int code = gnutls_pkcs12_verify_mac(store, password);
    if (code == 0 && source->has_key) {
        code = p12_key(store, password, ret, &found);
    } else if (code == 0) {
        code = p12_certificates(store, password, &certificates);
        found = certificates.len > 0;
        ret->certificates = buffer_take(&certificates, NULL);
    }
    if (code != 0) {
        return p12_fault(source, code, err);
    }
    return found ? SLUICE_OK
                 : sluice_fail(err, SLUICE_BAD_CONFIG, "%s.location: '%s' has no %s",
                               source->name, source->location,
                               source->has_key ? "private key with its certificate"
                                               : "certificate");
}

static sluice_status read_p12(const keystore_source *source, const content *from,
                              keystore *ret, sluice_error *err)
{
    gnutls_pkcs12_t store;
    const gnutls_datum_t der = {(unsigned char *)from->base, (unsigned)from->len};
    int code = gnutls_pkcs12_init(&store);
    if (code != 0) {
        return p12_fault(source, code, err);
    }
    code = gnutls_pkcs12_import(store, &der, GNUTLS_X509_FMT_DER, 0);
    sluice_status status =
        code == 0 ? p12_fill(source, store, ret, err) : p12_fault(source, code, err);
    gnutls_pkcs12_deinit(store);
    return status;
}

/* --- PEM. --- */

/* The key without its password. */
static sluice_status open_key(const keystore_source *source, const char *where,
                              buffer *key, keystore *ret, sluice_error *err)
{
    gnutls_x509_privkey_t opened;
    gnutls_datum_t pem = {(unsigned char *)key->base, (unsigned)key->len};
    int code = gnutls_x509_privkey_init(&opened);
    if (code == 0) {
        code = gnutls_x509_privkey_import2(opened, &pem, GNUTLS_X509_FMT_PEM,
                                           source->key_password, 0);
        if (code == 0) {
            code = gnutls_x509_privkey_export2_pkcs8(opened, GNUTLS_X509_FMT_PEM, NULL,
                                                     GNUTLS_PKCS_PLAIN, &pem);
        }
        gnutls_x509_privkey_deinit(opened);
    }
    if (code != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s: its private key cannot be read%s: %s", where,
                           source->key_password == NULL ? ", without ssl.key.password"
                                                        : " with ssl.key.password",
                           gnutls_strerror(code));
    }
    ret->key = text_of(&pem);
    return SLUICE_OK;
}

static sluice_status read_pem(const keystore_source *source, const char *where,
                              const char *key, const char *certificates, keystore *ret,
                              sluice_error *err)
{
    buffer key_text = BUFFER_INIT, certificate_text = BUFFER_INIT;
    size_t keys = source->has_key ? pem_blocks(key, "PRIVATE KEY", &key_text) : 0;
    size_t count = pem_blocks(certificates, "CERTIFICATE", &certificate_text);
    sluice_status status = SLUICE_OK;
    if (count == 0 || (source->has_key && keys != 1)) {
        status = sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "%s: %zu private keys and %zu certificates in PEM: %s", where, keys, count,
            source->has_key ? "must be one key and the chain of its certificate"
                            : "must be certificates");
    } else if (source->has_key) {
        status = open_key(source, where, &key_text, ret, err);
    }
    if (status == SLUICE_OK) {
        ret->certificates = buffer_take(&certificate_text, NULL);
    }
    buffer_done(&certificate_text);
    wipe(key_text.base, key_text.len);
    return status;
}

/* --- Either. --- */

static sluice_status check_pair(const keystore_source *source, const char *where,
                                const keystore *store, sluice_error *err)
{
    gnutls_certificate_credentials_t credentials;
    const gnutls_datum_t chain = {(unsigned char *)store->certificates,
                                  (unsigned)strlen(store->certificates)};
    const gnutls_datum_t key = {(unsigned char *)store->key,
                                store->key == NULL ? 0 : (unsigned)strlen(store->key)};
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

static bool is_jks(const content *from)
{
    return from->len >= 4 && (memcmp(from->base, "\xfe\xed\xfe\xed", 4) == 0 ||
                              memcmp(from->base, "\xce\xce\xce\xce", 4) == 0);
}

static sluice_status read_stored(const keystore_source *source, const char *where,
                                 keystore *ret, sluice_error *err)
{
    content from = {NULL, 0};
    sluice_status status = read_file(source, &from, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (is_jks(&from)) {
        status = sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "%s is a JKS store, which only Java reads: convert it with 'keytool "
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

static sluice_status check_source(const keystore_source *source, sluice_error *err)
{
    bool in_line = source->key != NULL || source->certificates != NULL;
    const char *more = source->has_key ? "certificate.chain" : "certificates";
    if (!text_equal_nocase(source->type, "PEM") &&
        !text_equal_nocase(source->type, "PKCS12") &&
        !text_equal_nocase(source->type, "JKS")) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "%s.type is '%s': must be PEM or PKCS12", source->name,
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

sluice_status keystore_read(const keystore_source *source, keystore *ret_store,
                            sluice_error *err)
{
    *ret_store = (keystore){0};
    sluice_status status = check_source(source, err);
    if (status != SLUICE_OK) {
        return status;
    }
    char *where =
        source->location == NULL
            ? memory_print("%s.%s", source->name,
                           source->has_key ? "key" : "certificates")
            : memory_print("%s.location: '%s'", source->name, source->location);
    status = source->location == NULL ? read_pem(source, where, source->key,
                                                 source->certificates, ret_store, err)
                                      : read_stored(source, where, ret_store, err);
    if (status == SLUICE_OK) {
        status = check_pair(source, where, ret_store, err);
    }
    if (status != SLUICE_OK) {
        keystore_done(ret_store);
    }
    free(where);
    return status;
}

void keystore_done(keystore *self)
{
    wipe(self->key, self->key == NULL ? 0 : strlen(self->key));
    free(self->certificates);
    *self = (keystore){0};
}
