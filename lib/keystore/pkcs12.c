/* PKCS12 stores, opened bag by bag. */
#include "keystore/pkcs12.h"
#include "keystore/private_key.h"
#include <gnutls/pkcs12.h>
#include <gnutls/x509.h>

typedef struct opening {
    const pkcs12_wanted *wanted;
    buffer *key, *certificates;
    const char *key_fault; /* Why the key could not be read, or NULL. */
} opening;

bool pkcs12_certificate(const void *der, size_t len, buffer *out)
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem;
    const gnutls_datum_t datum = {(unsigned char *)der, (unsigned)len};
    if (gnutls_x509_crt_init(&certificate) != 0) {
        return false;
    }
    bool good = gnutls_x509_crt_import(certificate, &datum, GNUTLS_X509_FMT_DER) == 0 &&
                gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem) == 0;
    if (good) {
        buffer_append(out, pem.data, pem.size);
        gnutls_free(pem.data);
    }
    gnutls_x509_crt_deinit(certificate);
    return good;
}

/* One thing in a bag: a key while none was found, or a certificate. */
static void open_item(opening *self, gnutls_pkcs12_bag_type_t type,
                      const gnutls_datum_t *data)
{
    bool key_wanted = self->wanted->key_password != NULL && self->key->len == 0 &&
                      self->key_fault == NULL;
    switch ((int)type) {
    case GNUTLS_BAG_CERTIFICATE:
        pkcs12_certificate(data->data, data->size, self->certificates);
        break;
    case GNUTLS_BAG_PKCS8_KEY:
        if (key_wanted) {
            self->key_fault = private_key_from_pkcs8(data->data, data->size, self->key);
        }
        break;
    case GNUTLS_BAG_PKCS8_ENCRYPTED_KEY:
        if (key_wanted) {
            self->key_fault = private_key_from_locked(
                data->data, data->size, self->wanted->key_password, self->key);
        }
        break;
    default:
        break;
    }
}

static int open_bag(opening *self, gnutls_pkcs12_bag_t bag)
{
    int code = 0;
    if (gnutls_pkcs12_bag_get_type(bag, 0) == GNUTLS_BAG_ENCRYPTED) {
        const char *password = self->wanted->password;
        code = gnutls_pkcs12_bag_decrypt(bag, password == NULL ? "" : password);
    }
    int count = code == 0 ? gnutls_pkcs12_bag_get_count(bag) : 0;
    for (int i = 0; i < count; i++) {
        gnutls_datum_t data;
        if (gnutls_pkcs12_bag_get_data(bag, (unsigned)i, &data) == 0) {
            open_item(self, gnutls_pkcs12_bag_get_type(bag, (unsigned)i), &data);
        }
    }
    return code;
}

static int open_bags(opening *self, gnutls_pkcs12_t store)
{
    int code = 0;
    for (int i = 0; code == 0; i++) {
        gnutls_pkcs12_bag_t bag;
        code = gnutls_pkcs12_bag_init(&bag);
        if (code != 0) {
            return code;
        }
        code = gnutls_pkcs12_get_bag(store, i, bag);
        if (code == 0) {
            code = open_bag(self, bag);
        }
        gnutls_pkcs12_bag_deinit(bag);
    }
    return code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? 0 : code;
}

/* Without a password nothing can be said of who wrote it, as in Java, nor where there
 * is no digest: Java's own `cacerts` has none. */
static int verify(gnutls_pkcs12_t store, const char *password)
{
    int code = password == NULL ? 0 : gnutls_pkcs12_verify_mac(store, password);
    return code == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND ? 0 : code;
}

/* Leaves the chain of the key of all the certificates. */
static bool keep_chain(opening *self)
{
    buffer chain = BUFFER_INIT;
    bool found =
        self->key->len > 0 && private_key_chain(self->key, self->certificates, &chain);
    buffer_done(self->certificates);
    *self->certificates = chain;
    return found;
}

pkcs12_result pkcs12_read(const void *base, size_t len, const pkcs12_wanted *wanted,
                          buffer *key, buffer *certificates, const char **ret_reason)
{
    gnutls_pkcs12_t store;
    opening self = {wanted, key, certificates, NULL};
    const gnutls_datum_t der = {(unsigned char *)base, (unsigned)len};
    int code = gnutls_pkcs12_init(&store);
    if (code == 0) {
        code = gnutls_pkcs12_import(store, &der, GNUTLS_X509_FMT_DER, 0);
        code = code == 0 ? verify(store, wanted->password) : code;
        code = code == 0 ? open_bags(&self, store) : code;
        gnutls_pkcs12_deinit(store);
    }
    if (code == GNUTLS_E_MAC_VERIFY_FAILED || code == GNUTLS_E_DECRYPTION_FAILED) {
        return PKCS12_SHUT;
    }
    if (code != 0) {
        *ret_reason = gnutls_strerror(code);
        return PKCS12_BROKEN;
    }
    if (self.key_fault != NULL) {
        *ret_reason = self.key_fault;
        return PKCS12_KEY_SHUT;
    }
    bool found =
        wanted->key_password == NULL ? certificates->len > 0 : keep_chain(&self);
    return found ? PKCS12_OK : PKCS12_EMPTY;
}
