/* connectors/http/config.h - what a configuration of the HTTP sink says, parsed.
 *
 * The keys are those of Aiven's HTTP sink; ours beside them are named in keys.c. */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H

#include <sluice/plugin.h>

typedef enum http_authorization {
    HTTP_AUTHORIZATION_NONE,
    HTTP_AUTHORIZATION_STATIC, /* `headers_authorization`, word for word. */
    HTTP_AUTHORIZATION_BASIC,
    HTTP_AUTHORIZATION_BEARER,
    HTTP_AUTHORIZATION_OAUTH2,
    HTTP_AUTHORIZATION_APIKEY, /* As OAUTH2, but for what the token request says. */
} http_authorization;

typedef enum http_null { HTTP_NULL_FAIL, HTTP_NULL_IGNORE, HTTP_NULL_DELETE } http_null;

typedef enum http_compression {
    HTTP_COMPRESSION_NONE,
    HTTP_COMPRESSION_GZIP
} http_compression;

/* What keeps its order while several requests are in flight. */
typedef enum http_order {
    HTTP_ORDER_KEY, /* Records of a key; those without, of a partition. */
    HTTP_ORDER_PARTITION,
    HTTP_ORDER_NONE,
} http_order;

typedef enum http_oauth2_mode {
    HTTP_OAUTH2_HEADER, /* The client's name and secret as Basic authorization. */
    HTTP_OAUTH2_URL,    /* In the form. */
} http_oauth2_mode;

enum { HTTP_LANES_MAX = 64 };

typedef struct http_config {
    const char *url;
    const char *method;    /* A template. */
    int32_t authorization; /* http_authorization */
    const char *headers_authorization;
    const char *basic_user, *basic_password;
    const char *bearer_token;
    const char *content_type;
    sluice_list headers_additional; /* "Name:value", a template */
    int32_t compression;            /* http_compression */
    bool trust_all;
    const char *ca_location;
    const char *truststore_location;
    const char *truststore_password;
    const char *certificate_location, *key_location, *key_password;
    const char *proxy_host;
    int32_t proxy_port; /* 0: none */
    bool batching;
    int32_t batch_max;
    const char *batch_prefix, *batch_suffix, *batch_separator;
    int32_t lanes_max;
    int32_t order; /* http_order */
    sluice_list success_codes, retry_codes;
    int32_t retries_max;
    int64_t retry_backoff_ms;
    int64_t retry_backoff_max_ms;   /* -1: always retry_backoff_ms */
    int64_t kafka_retry_backoff_ms; /* -1: none */
    int32_t timeout_s;
    int32_t null_values;    /* http_null */
    int32_t decimal_format; /* 0: BASE64, 1: NUMERIC */
    struct {
        const char *url;
        const char *grant_type_property, *grant_type;
        const char *client_id_property, *client_id;
        const char *client_secret_property, *client_secret;
        int32_t mode; /* http_oauth2_mode */
        const char *scope;
        const char *token_property;
        sluice_list renew_codes;
    } oauth2;
} http_config;

extern const sluice_config http_config_table;

/* What request.method may come to, NULL-ended. */
extern const char *const http_methods[];

#endif
