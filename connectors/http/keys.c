/* The keys of the HTTP sink, and the rules between them. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const authorizations[] = {"none", "static", "basic", "bearer", NULL};
static const char *const null_values[] = {"fail", "ignore", NULL};
static const char *const decimal_formats[] = {"BASE64", "NUMERIC", NULL};

#define TARGET        "Target"
#define AUTHORIZATION "Authorization"
#define BATCHING      "Batching"
#define RETRIES       "Retries"
#define RECORDS       "Records"

#define OAUTH2_UNUSED                                                                  \
    "http.authorization.type=oauth2 is not there yet, and only that would use it"

static const sluice_key keys[] = {
    {.name = "http.url",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .group = TARGET,
     .doc = "The URL that records are posted to, http or https.",
     .offset = SLUICE_AT(const char *, http_config, url)},
    {.name = "http.authorization.type",
     .type = SLUICE_ENUM,
     .choices = authorizations,
     .importance = SLUICE_HIGH,
     .group = AUTHORIZATION,
     .fallback = "none",
     .doc =
         "How requests are authorized. static sends http.headers.authorization as it "
         "is; basic sends http.basic.user and http.basic.password; bearer sends "
         "http.bearer.token.",
     .offset = SLUICE_AT(int32_t, http_config, authorization)},
    {.name = "http.headers.authorization",
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_MEDIUM,
     .group = AUTHORIZATION,
     .fallback = SLUICE_NULL,
     .doc =
         "The value of the Authorization header, for http.authorization.type=static.",
     .offset = SLUICE_AT(const char *, http_config, headers_authorization)},
    {.name = "http.basic.user",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .group = AUTHORIZATION,
     .fallback = SLUICE_NULL,
     .doc = "The user, for http.authorization.type=basic.",
     .offset = SLUICE_AT(const char *, http_config, basic_user)},
    {.name = "http.basic.password",
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_MEDIUM,
     .group = AUTHORIZATION,
     .fallback = SLUICE_NULL,
     .doc = "The password, for http.authorization.type=basic.",
     .offset = SLUICE_AT(const char *, http_config, basic_password)},
    {.name = "http.bearer.token",
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_MEDIUM,
     .group = AUTHORIZATION,
     .fallback = SLUICE_NULL,
     .doc = "The token, for http.authorization.type=bearer.",
     .offset = SLUICE_AT(const char *, http_config, bearer_token)},
    {.name = "http.headers.content.type",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = SLUICE_NULL,
     .doc = "The Content-Type header. None is sent where this is not set.",
     .offset = SLUICE_AT(const char *, http_config, content_type)},
    {.name = "http.headers.additional",
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = "",
     .doc = "More headers, each as Name:value. A name may be given once.",
     .offset = SLUICE_AT(sluice_list, http_config, headers_additional)},
    {.name = "http.ssl.trust.all.certs",
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = "false",
     .doc =
         "Accepts every certificate, whoever signed it and whatever host it names. For "
         "trying things out only.",
     .offset = SLUICE_AT(bool, http_config, trust_all)},
    {.name = "http.ssl.ca.location",
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .group = TARGET,
     .fallback = SLUICE_NULL,
     .doc = "A file of certificates in PEM format that are trusted instead of the "
            "system's.",
     .offset = SLUICE_AT(const char *, http_config, ca_location)},
    {.name = "http.ssl.truststore.location",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = SLUICE_NULL,
     .doc = "A trust store in PEM format; the same as http.ssl.ca.location. A Java key "
            "store is refused with the command that converts it.",
     .offset = SLUICE_AT(const char *, http_config, truststore_location)},
    {.name = "http.ssl.truststore.password",
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = SLUICE_NULL,
     .doc = "The password of a Java key store.",
     .unused = "trust stores are PEM files, which have no password"},
    {.name = "http.proxy.host",
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = SLUICE_NULL,
     .doc = "The host of an HTTP proxy. http.proxy.port is set too then.",
     .offset = SLUICE_AT(const char *, http_config, proxy_host)},
    {.name = "http.proxy.port",
     .type = SLUICE_INT,
     .importance = SLUICE_LOW,
     .group = TARGET,
     .fallback = "0",
     .min = 0,
     .max = 65535,
     .doc = "The port of the HTTP proxy.",
     .offset = SLUICE_AT(int32_t, http_config, proxy_port)},
    {.name = "batching.enabled",
     .type = SLUICE_BOOL,
     .importance = SLUICE_HIGH,
     .group = BATCHING,
     .fallback = "false",
     .doc = "Whether several records travel in one request.",
     .offset = SLUICE_AT(bool, http_config, batching)},
    {.name = "batch.max.size",
     .type = SLUICE_INT,
     .importance = SLUICE_MEDIUM,
     .group = BATCHING,
     .fallback = "500",
     .min = 1,
     .max = 1000000,
     .doc = "The most records of one request.",
     .offset = SLUICE_AT(int32_t, http_config, batch_max)},
    {.name = "batch.prefix",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .group = BATCHING,
     .fallback = "",
     .doc = "What stands before the records of a request: [ for a JSON array.",
     .offset = SLUICE_AT(const char *, http_config, batch_prefix)},
    {.name = "batch.suffix",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .group = BATCHING,
     .fallback = "\n",
     .doc = "What stands behind the records of a request: ] for a JSON array.",
     .offset = SLUICE_AT(const char *, http_config, batch_suffix)},
    {.name = "batch.separator",
     .type = SLUICE_STRING,
     .importance = SLUICE_HIGH,
     .group = BATCHING,
     .fallback = "\n",
     .doc = "What stands between the records of a request: a comma for a JSON array.",
     .offset = SLUICE_AT(const char *, http_config, batch_separator)},
    {.name = "max.retries",
     .type = SLUICE_INT,
     .importance = SLUICE_MEDIUM,
     .group = RETRIES,
     .fallback = "1",
     .min = 0,
     .max = INT32_MAX,
     .doc =
         "How often a request is sent again after it was refused, timed out, or was "
         "answered with status 408, 429 or 5xx. Other statuses from 400 on are final, "
         "since the same request would be answered in the same way.",
     .offset = SLUICE_AT(int32_t, http_config, retries_max)},
    {.name = "retry.backoff.ms",
     .type = SLUICE_DURATION,
     .importance = SLUICE_MEDIUM,
     .group = RETRIES,
     .fallback = "3000",
     .min = 0,
     .max = 86400000,
     .shown_type = "INT",
     .doc =
         "How long to wait before a request is sent again. A Retry-After header of the "
         "answer makes it longer, up to a minute.",
     .offset = SLUICE_AT(int64_t, http_config, retry_backoff_ms)},
    {.name = "kafka.retry.backoff.ms",
     .type = SLUICE_DURATION,
     .importance = SLUICE_MEDIUM,
     .group = RETRIES,
     .fallback = "-1",
     .min = -1,
     .max = 86400000,
     .shown_type = "LONG",
     .doc = "When set, the task does not fail after max.retries: the worker gives the "
            "same records again, for as long as it takes, with its own back-off.",
     .offset = SLUICE_AT(int64_t, http_config, kafka_retry_backoff_ms)},
    {.name = "http.timeout",
     .type = SLUICE_INT,
     .importance = SLUICE_LOW,
     .group = RETRIES,
     .fallback = "30",
     .min = 1,
     .max = 86400,
     .doc = "The most seconds that one request may take.",
     .offset = SLUICE_AT(int32_t, http_config, timeout_s)},
    {.name = "behavior.on.null.values",
     .type = SLUICE_ENUM,
     .choices = null_values,
     .importance = SLUICE_MEDIUM,
     .group = RECORDS,
     .fallback = "fail",
     .doc =
         "What to do with a record without a value (a tombstone): fail treats it as a "
         "bad record, ignore skips it.",
     .offset = SLUICE_AT(int32_t, http_config, null_values)},
    {.name = "decimal.format",
     .type = SLUICE_ENUM,
     .choices = decimal_formats,
     .importance = SLUICE_LOW,
     .group = RECORDS,
     .fallback = "BASE64",
     .doc = "How decimals of structured values are written in JSON.",
     .offset = SLUICE_AT(int32_t, http_config, decimal_format)},
#define OAUTH2(key)                                                                    \
    {                                                                                  \
        .name = key, .type = SLUICE_STRING, .importance = SLUICE_LOW,                  \
        .group = AUTHORIZATION, .fallback = SLUICE_NULL,                               \
        .doc = "Of OAuth2 authorization.", .unused = OAUTH2_UNUSED                     \
    }
    OAUTH2("oauth2.access.token.url"),
    OAUTH2("oauth2.request.grant.type.property"),
    OAUTH2("oauth2.grant.type"),
    OAUTH2("oauth2.request.client.id.property"),
    OAUTH2("oauth2.client.id"),
    OAUTH2("oauth2.request.client.secret.property"),
    OAUTH2("oauth2.client.authorization.mode"),
    OAUTH2("oauth2.client.scope"),
    OAUTH2("oauth2.response.token.property"),
    OAUTH2("oauth2.token.renew.on.status.codes"),
#undef OAUTH2
    {.name = "oauth2.client.secret",
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_LOW,
     .group = AUTHORIZATION,
     .fallback = SLUICE_NULL,
     .doc = "Of OAuth2 authorization.",
     .unused = OAUTH2_UNUSED},
    {.name = NULL},
};

/* What one kind of authorization needs. */
static void need(sluice_error *err, const char *key, const char *value,
                 const char *type)
{
    if (value == NULL || *value == '\0') {
        sluice_fail_key(err, key,
                        "%s is needed by http.authorization.type=%s, and not set", key,
                        type);
    }
}

static void check_authorization(const http_config *config, sluice_error *err)
{
    switch ((http_authorization)config->authorization) {
    case HTTP_AUTHORIZATION_NONE:
        break;
    case HTTP_AUTHORIZATION_STATIC:
        need(err, "http.headers.authorization", config->headers_authorization,
             "static");
        break;
    case HTTP_AUTHORIZATION_BASIC:
        need(err, "http.basic.user", config->basic_user, "basic");
        need(err, "http.basic.password", config->basic_password, "basic");
        break;
    case HTTP_AUTHORIZATION_BEARER:
        need(err, "http.bearer.token", config->bearer_token, "bearer");
        break;
    }
}

static bool has_line_break(const char *text)
{
    return text != NULL && strpbrk(text, "\r\n") != NULL;
}

static void check_header(const sluice_list *headers, size_t index, sluice_error *err)
{
    const char *header = headers->items[index];
    const char *colon = strchr(header, ':');
    if (colon == NULL || colon == header || has_line_break(header)) {
        sluice_fail_key(
            err, "http.headers.additional",
            "http.headers.additional has '%s': must be Name:value, in one line",
            header);
        return;
    }
    size_t len = (size_t)(colon - header) + 1;
    for (size_t i = 0; i < index; i++) {
        if (strncasecmp(headers->items[i], header, len) == 0) {
            sluice_fail_key(err, "http.headers.additional",
                            "http.headers.additional has '%.*s' twice: once is allowed",
                            (int)len - 1, header);
            return;
        }
    }
}

static void check_truststore(const char *key, const char *path, sluice_error *err)
{
    static const unsigned char jks[] = {0xfe, 0xed, 0xfe, 0xed};
    unsigned char head[4];
    FILE *file = path == NULL ? NULL : fopen(path, "rbe");
    if (file == NULL) {
        if (path != NULL) {
            sluice_fail_key(err, key, "%s is '%s', which cannot be read: %s", key, path,
                            strerror(errno));
        }
        return;
    }
    size_t len = fread(head, 1, sizeof head, file);
    fclose(file);
    if (len == sizeof head && (memcmp(head, jks, sizeof jks) == 0 || head[0] == 0x30)) {
        sluice_fail_key(
            err, key,
            "%s is '%s', a Java key store: must be in PEM format; convert it "
            "with keytool -list -rfc -keystore '%s' > ca.pem",
            key, path, path);
    }
}

static sluice_status check(const void *argument, sluice_error *err)
{
    const http_config *config = argument;
    if (strncasecmp(config->url, "http://", 7) != 0 &&
        strncasecmp(config->url, "https://", 8) != 0) {
        sluice_fail_key(err, "http.url",
                        "http.url is '%s': must begin with http:// or https://",
                        config->url);
    }
    check_authorization(config, err);
    for (size_t i = 0; i < config->headers_additional.count; i++) {
        check_header(&config->headers_additional, i, err);
    }
    if (has_line_break(config->headers_authorization) ||
        has_line_break(config->bearer_token)) {
        sluice_fail_key(err, "http.authorization.type",
                        "the authorization holds a line break: must be one line");
    }
    if (has_line_break(config->content_type)) {
        sluice_fail_key(
            err, "http.headers.content.type",
            "http.headers.content.type holds a line break: must be one line");
    }
    check_truststore("http.ssl.truststore.location", config->truststore_location, err);
    check_truststore("http.ssl.ca.location", config->ca_location, err);
    if ((config->proxy_host != NULL) != (config->proxy_port != 0)) {
        sluice_fail_key(
            err, "http.proxy.host",
            "http.proxy.host and http.proxy.port belong together: set both or "
            "none");
    }
    return sluice_error_count(err) == 0 ? SLUICE_OK : SLUICE_BAD_CONFIG;
}

const sluice_config http_config_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(http_config),
    .keys = keys,
    .check = check,
};
