/* The rules between the keys of the HTTP sink. */
#include "check.h"
#include "codes.h"
#include "template.h"
#include <curl/curl.h>
#include <errno.h>
#include <sluice/keystore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static void need_client(sluice_error *err, const http_config *config, const char *type)
{
    need(err, "oauth2.access.token.url", config->oauth2.url, type);
    need(err, "oauth2.client.id", config->oauth2.client_id, type);
    need(err, "oauth2.client.secret", config->oauth2.client_secret, type);
}

static void check_authorization(const http_config *config, sluice_error *err)
{
    switch ((http_authorization)config->authorization) {
    case HTTP_AUTHORIZATION_NONE:
        if (config->headers_authorization != NULL &&
            *config->headers_authorization != '\0') {
            sluice_fail_key(err, "http.headers.authorization",
                            "http.headers.authorization is set, and not sent with "
                            "http.authorization.type=none: static sends it");
        }
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
    case HTTP_AUTHORIZATION_OAUTH2:
        need_client(err, config, "oauth2");
        break;
    case HTTP_AUTHORIZATION_APIKEY:
        need_client(err, config, "apikey");
        break;
    }
}

static bool has_line_break(const char *text)
{
    return text != NULL && strpbrk(text, "\r\n") != NULL;
}

/* A name as RFC 9110 has them: what else stands there would be a line of its own, or
 * end the head. */
static bool is_token(const char *begin, const char *end)
{
    for (const char *at = begin; at < end; at++) {
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f ||
            strchr("\"(),/:;<=>?@[\\]{}", *at) != NULL) {
            return false;
        }
    }
    return begin < end;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

static void check_header(const sluice_list *headers, size_t index, sluice_error *err)
{
    const char *header = headers->items[index];
    const char *colon = strchr(header, ':');
    if (colon == NULL || !is_token(header, colon) || has_control(colon + 1)) {
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

static void check_framing(const http_config *config, const char *header,
                          sluice_error *err)
{
    if (config->authorization != HTTP_AUTHORIZATION_NONE &&
        strncasecmp(header, "Authorization:", 14) == 0) {
        sluice_fail_key(err, "http.headers.additional",
                        "http.headers.additional has an 'Authorization', and "
                        "http.authorization.type makes another one: set one of both");
    }
    static const char *const ours[] = {
        "Content-Length:", "Transfer-Encoding:", "Content-Encoding:", "Connection:"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strncasecmp(header, ours[i], strlen(ours[i])) == 0) {
            sluice_fail_key(err, "http.headers.additional",
                            "http.headers.additional has '%s': that header is made by "
                            "the sink, and cannot be set",
                            header);
        }
    }
}

static void check_template(const char *key, const char *text, sluice_error *err)
{
    http_template *parsed = NULL;
    if (http_template_new(key, text, &parsed, err) == SLUICE_OK) {
        http_template_free(parsed);
    }
}

static void check_method(const http_config *config, sluice_error *err)
{
    bool known = strstr(config->method, "${") != NULL;
    for (size_t i = 0; http_methods[i] != NULL; i++) {
        known = known || strcmp(config->method, http_methods[i]) == 0;
    }
    if (!known) {
        sluice_fail_key(err, "request.method",
                        "request.method is '%s': must be POST, PUT, PATCH or DELETE, "
                        "or have ${…} in it",
                        config->method);
        return;
    }
    check_template("request.method", config->method, err);
}

static void check_codes(const char *key, const sluice_list *list, sluice_error *err)
{
    http_codes codes;
    const char *bad = http_codes_parse(list, &codes);
    if (bad != NULL) {
        sluice_fail_key(err, key,
                        "%s has '%s': must be a status such as 503, or a range such as "
                        "500-599 or 500-",
                        key, bad);
    }
}

/* A record may choose the path, never the server. */
static void check_url(const char *key, const char *url, sluice_error *err)
{
    bool http = strncasecmp(url, "http://", 7) == 0;
    if (!http && strncasecmp(url, "https://", 8) != 0) {
        sluice_fail_key(err, key, "%s is '%s': must begin with http:// or https://",
                        key, url);
        return;
    }
    const char *authority = url + (http ? 7 : 8);
    size_t len = strcspn(authority, "/?#");
    const char *reference = strstr(authority, "${");
    if (len == 0 || (reference != NULL && (size_t)(reference - authority) < len)) {
        sluice_fail_key(err, key,
                        "%s is '%s': must name a host, in which ${…} cannot stand", key,
                        url);
        return;
    }
    CURLU *parsed = curl_url();
    char *origin = strndup(url, (size_t)(authority - url) + len);
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, origin, 0);
    if (code != CURLUE_OK) {
        sluice_fail_key(err, key, "%s is '%s': not a usable URL: %s", key, url,
                        curl_url_strerror(code));
    }
    free(origin);
    curl_url_cleanup(parsed);
    for (const char *at = url; code == CURLUE_OK && *at != '\0'; at++) {
        if ((unsigned char)*at <= 0x20 || (unsigned char)*at >= 0x7f) {
            sluice_fail_key(err, key,
                            "%s is '%s': not a usable URL: a space, a control or a "
                            "letter beyond ASCII must be written as %%XX",
                            key, url);
            return;
        }
    }
}

static void check_pem(const char *key, const char *path, sluice_error *err)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rbe");
    if (path != NULL && file == NULL) {
        sluice_fail_key(err, key, "%s is '%s', which cannot be read: %s", key, path,
                        strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
        if (sluice_keystore_is_java(path)) {
            sluice_fail_key(err, key,
                            "%s is '%s', a Java key store: must be in PEM format; a "
                            "store of trusted certificates may be in "
                            "http.ssl.truststore.location",
                            key, path);
        }
    }
}

static void check_truststore(const http_config *config, sluice_error *err)
{
    static const char key[] = "http.ssl.truststore.location";
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "http.ssl.truststore",
                                           .location = config->truststore_location,
                                           .password = config->truststore_password};
    sluice_keystore *store;
    sluice_error *fault = sluice_error_new();
    if (source.location == NULL) {
        sluice_error_free(fault);
        return;
    }
    if (sluice_keystore_read(&source, &store, fault) == SLUICE_OK) {
        sluice_keystore_free(store);
    } else {
        sluice_fail_key(err, key, "%s", sluice_error_text(fault));
    }
    sluice_error_free(fault);
}

sluice_status http_config_check(const void *argument, sluice_error *err)
{
    const http_config *config = argument;
    check_url("http.url", config->url, err);
    check_template("http.url", config->url, err);
    if (config->authorization >= HTTP_AUTHORIZATION_OAUTH2 &&
        config->oauth2.url != NULL) {
        check_url("oauth2.access.token.url", config->oauth2.url, err);
    }
    if (config->null_values == HTTP_NULL_DELETE && strstr(config->url, "${") == NULL) {
        sluice_fail_key(err, "behavior.on.null.values",
                        "behavior.on.null.values=delete would delete '%s' itself: "
                        "http.url must have ${key} or a field of it",
                        config->url);
    }
    check_method(config, err);
    check_codes("retry.on.status.codes", &config->retry_codes, err);
    check_codes("success.on.status.codes", &config->success_codes, err);
    check_codes("oauth2.token.renew.on.status.codes", &config->oauth2.renew_codes, err);
    check_authorization(config, err);
    for (size_t i = 0; i < config->headers_additional.count; i++) {
        const char *header = config->headers_additional.items[i];
        check_header(&config->headers_additional, i, err);
        check_framing(config, header, err);
        check_template("http.headers.additional", header, err);
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
    check_truststore(config, err);
    check_pem("http.ssl.ca.location", config->ca_location, err);
    check_pem("http.ssl.certificate.location", config->certificate_location, err);
    check_pem("http.ssl.key.location", config->key_location, err);
    if ((config->proxy_host != NULL) != (config->proxy_port != 0)) {
        sluice_fail_key(
            err, "http.proxy.host",
            "http.proxy.host and http.proxy.port belong together: set both or "
            "none");
    }
    return sluice_error_count(err) == 0 ? SLUICE_OK : SLUICE_BAD_CONFIG;
}
