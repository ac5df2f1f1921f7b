/* Kafka's ssl.* keys, as what libmicrohttpd needs. */
#include "worker/rest/tls.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/rest/cipher_suites.h"
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sluice/keystore.h>
#include <stdlib.h>
#include <string.h>

typedef enum client_auth { auth_none, auth_requested, auth_required } client_auth;

typedef struct tls_values {
    const char *keystore_type, *keystore_location, *keystore_password;
    const char *keystore_key, *keystore_chain, *key_password;
    const char *truststore_type, *truststore_location, *truststore_password;
    const char *truststore_certificates;
    int32_t client_auth;
    sluice_list protocols, suites;
} tls_values;

struct tls {
    sluice_keystore *keys, *trusted;
    char *priorities;
    client_auth auth;
};

#define AT(type, field) SLUICE_AT(type, tls_values, field)
#define OPTIONAL(type_, field_, name_, doc_)                                           \
    {                                                                                  \
        .name = name_, .type = type_, .fallback = SLUICE_NULL,                         \
        .importance = SLUICE_MEDIUM, .offset = AT(const char *, field_), .doc = doc_   \
    }
#define NO_JAVA(name_)                                                                 \
    {                                                                                  \
        .name = name_, .type = SLUICE_STRING, .fallback = "",                          \
        .unused = "TLS is GnuTLS's here, not Java's"                                   \
    }

static const char *const auths[] = {"none", "requested", "required", NULL};

static const sluice_key keys[] = {
    {.name = "ssl.keystore.type",
     .type = SLUICE_STRING,
     .fallback = "JKS",
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, keystore_type),
     .doc = "JKS, PKCS12 or PEM. What a file is, is seen from its content."},
    OPTIONAL(SLUICE_STRING, keystore_location, "ssl.keystore.location",
             "The file with the private key and the chain of its certificate."),
    OPTIONAL(SLUICE_PASSWORD, keystore_password, "ssl.keystore.password",
             "What opens a JKS or PKCS12 store."),
    OPTIONAL(SLUICE_PASSWORD, keystore_key, "ssl.keystore.key",
             "The private key itself, in PEM, in place of a file."),
    OPTIONAL(SLUICE_PASSWORD, keystore_chain, "ssl.keystore.certificate.chain",
             "Its certificate and who signed it, in PEM."),
    OPTIONAL(SLUICE_PASSWORD, key_password, "ssl.key.password",
             "What opens a private key in PEM that is encrypted, or one in a JKS store "
             "that has a password of its own."),
    {.name = "ssl.client.auth",
     .type = SLUICE_ENUM,
     .fallback = "none",
     .choices = auths,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, client_auth),
     .doc = "Whether clients are asked for a certificate (requested), and refused "
            "without one (required). One that nobody in the trust store has signed is "
            "refused in either case."},
    {.name = "ssl.truststore.type",
     .type = SLUICE_STRING,
     .fallback = "JKS",
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, truststore_type),
     .doc = "JKS, PKCS12 or PEM, as ssl.keystore.type."},
    OPTIONAL(SLUICE_STRING, truststore_location, "ssl.truststore.location",
             "The file with the certificates of those who sign clients' ones."),
    OPTIONAL(SLUICE_PASSWORD, truststore_password, "ssl.truststore.password",
             "What opens a JKS or PKCS12 store."),
    OPTIONAL(SLUICE_PASSWORD, truststore_certificates, "ssl.truststore.certificates",
             "These certificates themselves, in PEM, in place of a file."),
    {.name = "ssl.enabled.protocols",
     .type = SLUICE_LIST,
     .fallback = "TLSv1.2,TLSv1.3",
     .min = 1,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, protocols),
     .doc = "The versions of TLS that are spoken."},
    {.name = "ssl.cipher.suites",
     .type = SLUICE_LIST,
     .fallback = SLUICE_NULL,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, suites),
     .doc =
         "Names as Java's: TLS_AES_256_GCM_SHA384, "
         "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384. Without this key: those that "
         "GnuTLS holds to be good. GnuTLS chooses key exchange, cipher and hash one "
         "by one, so that two suites may allow a third that is made of their parts."},
    NO_JAVA("ssl.protocol"),
    NO_JAVA("ssl.provider"),
    NO_JAVA("ssl.keymanager.algorithm"),
    NO_JAVA("ssl.trustmanager.algorithm"),
    NO_JAVA("ssl.secure.random.implementation"),
    NO_JAVA("ssl.endpoint.identification.algorithm"),
    NO_JAVA("ssl.engine.factory.class"),
    {.name = NULL},
};

const sluice_config tls_config_table = {.size = sizeof(sluice_config),
                                        .key_size = sizeof(sluice_key),
                                        .struct_size = sizeof(tls_values),
                                        .keys = keys};

/* --- Making. --- */

static sluice_props *names_behind(const json_t *worker, const char *prefix)
{
    sluice_props *props = sluice_props_new();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)worker, name, value)
    {
        const char *rest = text_starts(name, prefix) ? name + strlen(prefix) : "";
        if (text_starts(rest, "ssl.") && json_is_string(value)) {
            sluice_props_set(props, rest, json_string_value(value));
        }
    }
    return props;
}

sluice_props *tls_props(const json_t *worker, const char *prefix)
{
    sluice_props *props = names_behind(worker, prefix);
    if (sluice_props_count(props) > 0) {
        return props;
    }
    sluice_props_free(props);
    return names_behind(worker, "");
}

static sluice_status read_keys(tls *self, const tls_values *values, sluice_error *err)
{
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "ssl.keystore",
                                           .type = values->keystore_type,
                                           .location = values->keystore_location,
                                           .password = values->keystore_password,
                                           .key = values->keystore_key,
                                           .certificates = values->keystore_chain,
                                           .key_password = values->key_password,
                                           .has_key = true};
    if (source.location == NULL && source.key == NULL && source.certificates == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "https needs a private key and a certificate: set "
                           "ssl.keystore.location, or ssl.keystore.key and "
                           "ssl.keystore.certificate.chain");
    }
    return sluice_keystore_read(&source, &self->keys, err);
}

static sluice_status read_trusted(tls *self, const tls_values *values,
                                  sluice_error *err)
{
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "ssl.truststore",
                                           .type = values->truststore_type,
                                           .location = values->truststore_location,
                                           .password = values->truststore_password,
                                           .certificates =
                                               values->truststore_certificates};
    if (self->auth == auth_none) {
        return SLUICE_OK;
    }
    if (source.location == NULL && source.certificates == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "ssl.client.auth is '%s': set ssl.truststore.location, or "
                           "ssl.truststore.certificates, to say whose clients are "
                           "trusted",
                           auths[self->auth]);
    }
    return sluice_keystore_read(&source, &self->trusted, err);
}

sluice_status tls_new(const sluice_props *props, tls **ret_tls, sluice_error *err)
{
    void *parsed;
    sluice_status status = sluice_config_parse(&tls_config_table, props, &parsed, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const tls_values *values = parsed;
    tls *self = memory_zero(sizeof *self);
    self->auth = (client_auth)values->client_auth;
    status = read_keys(self, values, err);
    if (status == SLUICE_OK) {
        status = read_trusted(self, values, err);
    }
    if (status == SLUICE_OK) {
        status = cipher_suites_priorities(&values->protocols, &values->suites,
                                          &self->priorities, err);
    }
    sluice_config_free(&tls_config_table, parsed);
    if (status != SLUICE_OK) {
        tls_free(self);
        return status;
    }
    *ret_tls = self;
    return SLUICE_OK;
}

void tls_free(tls *self)
{
    if (self != NULL) {
        sluice_keystore_free(self->keys);
        sluice_keystore_free(self->trusted);
        free(self->priorities);
        free(self);
    }
}

const char *tls_key(const tls *self)
{
    return sluice_keystore_key(self->keys);
}

const char *tls_certificates(const tls *self)
{
    return sluice_keystore_certificates(self->keys);
}

const char *tls_trusted(const tls *self)
{
    return self->trusted == NULL ? NULL : sluice_keystore_certificates(self->trusted);
}

const char *tls_priorities(const tls *self)
{
    return self->priorities;
}

/* --- A connection. --- */

/* Whoever has shown no certificate has been refused before where one is required. */
static int verify(gnutls_session_t session)
{
    unsigned count = 0, wrong = 0;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (void *)GNUTLS_KP_TLS_WWW_CLIENT};
    if (gnutls_certificate_get_peers(session, &count) == NULL || count == 0) {
        return 0;
    }
    return gnutls_certificate_verify_peers(session, &purpose, 1, &wrong) == 0 &&
                   wrong == 0
               ? 0
               : GNUTLS_E_CERTIFICATE_ERROR;
}

void tls_begin(const tls *self, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (self->auth == auth_none || info == NULL) {
        return;
    }
    gnutls_certificate_server_set_request(info->tls_session, self->auth == auth_required
                                                                 ? GNUTLS_CERT_REQUIRE
                                                                 : GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(info->tls_session, verify);
}
