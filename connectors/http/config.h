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
} http_authorization;

typedef enum http_null { HTTP_NULL_FAIL, HTTP_NULL_IGNORE } http_null;

typedef struct http_config {
    const char *url;
    int32_t authorization; /* http_authorization */
    const char *headers_authorization;
    const char *basic_user, *basic_password;
    const char *bearer_token;
    const char *content_type;
    sluice_list headers_additional; /* "Name:value" */
    bool trust_all;
    const char *ca_location;
    const char *truststore_location;
    const char *proxy_host;
    int32_t proxy_port; /* 0: none */
    bool batching;
    int32_t batch_max;
    const char *batch_prefix, *batch_suffix, *batch_separator;
    int32_t retries_max;
    int64_t retry_backoff_ms;
    int64_t kafka_retry_backoff_ms; /* -1: none */
    int32_t timeout_s;
    int32_t null_values;    /* http_null */
    int32_t decimal_format; /* 0: BASE64, 1: NUMERIC */
} http_config;

extern const sluice_config http_config_table;

#endif
