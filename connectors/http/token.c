/* OAuth2's client credentials grant (RFC 6749, section 4.4). */
#include "token.h"
#include "buffer.h"
#include "codes.h"
#include "connection.h"
#include <sluice/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { answer_max = 64 << 10, early_s = 10, wait_ms = 1000, excerpt_max = 200 };

struct http_token {
    const http_config *config;
    const sluice_task *task;
    CURLM *multi;
    http_codes again;
    http_buffer form, answer;
    char *value; /* Of the header; NULL: none. */
    uint64_t number;
    int64_t expires_ms; /* 0: it did not say. */
    sluice_json_decoder *decoder;
    sluice_arena *scratch;
    char curl_text[CURL_ERROR_SIZE];
};

static sluice_status add_field(http_buffer *form, const char *name, const char *value,
                               sluice_error *err)
{
    if (value == NULL || *value == '\0') {
        return SLUICE_OK;
    }
    sluice_status status = form->len > 0 ? http_buffer_text(form, "&", err) : SLUICE_OK;
    if (status == SLUICE_OK) {
        status = http_buffer_percent(form, name, strlen(name), err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_text(form, "=", err);
    }
    return status == SLUICE_OK ? http_buffer_percent(form, value, strlen(value), err)
                               : status;
}

static sluice_status write_form(http_token *token, sluice_error *err)
{
    const http_config *config = token->config;
    http_buffer *form = &token->form;
    sluice_status status = add_field(form, config->oauth2.grant_type_property,
                                     config->oauth2.grant_type, err);
    if (status == SLUICE_OK) {
        status = add_field(form, "scope", config->oauth2.scope, err);
    }
    if (status == SLUICE_OK && config->oauth2.mode == HTTP_OAUTH2_URL) {
        status = add_field(form, config->oauth2.client_id_property,
                           config->oauth2.client_id, err);
        if (status == SLUICE_OK) {
            status = add_field(form, config->oauth2.client_secret_property,
                               config->oauth2.client_secret, err);
        }
    }
    return status;
}

sluice_status http_token_new(const http_config *config, const sluice_task *task,
                             http_token **ret_token, sluice_error *err)
{
    http_curl_begin();
    http_token *token = calloc(1, sizeof *token);
    if (token == NULL || (token->multi = curl_multi_init()) == NULL) {
        free(token);
        return sluice_fail(err, SLUICE_FATAL, "no memory for OAuth2");
    }
    sluice_json_options options = {.size = sizeof options, .schemas_max = 1};
    token->config = config;
    token->task = task;
    token->decoder = sluice_json_decoder_new(&options);
    token->scratch = sluice_arena_new();
    http_codes_parse(&config->retry_codes, &token->again);
    sluice_status status = write_form(token, err);
    if (status != SLUICE_OK) {
        http_token_free(token);
        return status;
    }
    *ret_token = token;
    return SLUICE_OK;
}

void http_token_free(http_token *token)
{
    if (token != NULL) {
        curl_multi_cleanup(token->multi);
        http_buffer_done(&token->form);
        http_buffer_done(&token->answer);
        sluice_json_decoder_free(token->decoder);
        sluice_arena_free(token->scratch);
        free(token->value);
        free(token);
    }
}

uint64_t http_token_number(const http_token *token)
{
    return token->number;
}

void http_token_drop(http_token *token, uint64_t number)
{
    if (number == token->number) {
        free(token->value);
        token->value = NULL;
    }
}

/* An answer beyond the limit ends the transfer. */
static size_t take_answer(char *base, size_t size, size_t count, void *argument)
{
    http_token *token = argument;
    size_t len = size * count;
    if (token->answer.len + len > answer_max ||
        http_buffer_add(&token->answer, base, len, NULL) != SLUICE_OK) {
        return 0;
    }
    return len;
}

static void set_request(http_token *token, CURL *easy)
{
    const http_config *config = token->config;
    http_curl_settings(easy, config);
    curl_easy_setopt(easy, CURLOPT_URL, config->oauth2.url);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, config->timeout_s * 1000L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, token->curl_text);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)token->form.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, token->form.base);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, token);
    if (config->oauth2.mode == HTTP_OAUTH2_HEADER) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, config->oauth2.client_id);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, config->oauth2.client_secret);
    }
}

/* Runs the transfer. False: the task was stopped before it was over. */
static bool run(http_token *token, CURLcode *ret_code)
{
    struct curl_waitfd stop = {.fd = sluice_task_stop_fd(token->task),
                               .events = CURL_WAIT_POLLIN};
    for (;;) {
        int running, left;
        if (curl_multi_perform(token->multi, &running) != CURLM_OK) {
            *ret_code = CURLE_FAILED_INIT;
            return true;
        }
        CURLMsg *message = curl_multi_info_read(token->multi, &left);
        if (message != NULL && message->msg == CURLMSG_DONE) {
            *ret_code = message->data.result;
            return true;
        }
        curl_multi_poll(token->multi, &stop, 1, wait_ms, NULL);
        if (stop.revents != 0) {
            return false;
        }
    }
}

static bool is_one_line(sluice_bytes bytes)
{
    const unsigned char *base = bytes.base;
    for (size_t i = 0; i < bytes.len; i++) {
        if (base[i] <= 0x20 || base[i] >= 0x7f) {
            return false;
        }
    }
    return bytes.len > 0;
}

static bool text_of(const sluice_value *map, const char *name, sluice_bytes *ret_bytes)
{
    const sluice_value *value = sluice_map_find(map, name, NULL);
    if (value == NULL || sluice_value_type(value) != SLUICE_TYPE_STRING) {
        return false;
    }
    *ret_bytes = sluice_value_bytes(value);
    return is_one_line(*ret_bytes);
}

static void take_expiry(http_token *token, const sluice_value *map, int64_t now_ms)
{
    const sluice_value *value = sluice_map_find(map, "expires_in", NULL);
    token->expires_ms = 0;
    if (value != NULL && sluice_value_type(value) == SLUICE_TYPE_INT64) {
        int64_t seconds = sluice_value_integer(value);
        if (seconds > 0 && seconds < INT32_MAX) {
            seconds = seconds > 2 * early_s ? seconds - early_s : (seconds + 1) / 2;
            token->expires_ms = now_ms + seconds * 1000;
        }
    }
}

static sluice_status take_token(http_token *token, int64_t now_ms, sluice_error *err)
{
    const http_config *config = token->config;
    const sluice_schema *schema;
    const sluice_value *map;
    sluice_bytes text, type = {"Bearer", 6};
    sluice_arena_reset(token->scratch);
    sluice_status status = sluice_json_decode(
        token->decoder, (sluice_bytes){token->answer.base, token->answer.len},
        token->scratch, &schema, &map, err);
    if (status != SLUICE_OK || map == NULL ||
        sluice_value_type(map) != SLUICE_TYPE_MAP ||
        !text_of(map, config->oauth2.token_property, &text)) {
        return sluice_fail(err, SLUICE_FATAL,
                           "'%s' answered without a token: JSON with a text '%s' was "
                           "expected",
                           config->oauth2.url, config->oauth2.token_property);
    }
    /* The scheme is compared without case, but some servers do compare it. */
    if (text_of(map, "token_type", &type) && type.len == 6 &&
        strncasecmp(type.base, "bearer", 6) == 0) {
        type.base = "Bearer";
    }
    if (asprintf(&token->value, "%.*s %.*s", (int)type.len, (const char *)type.base,
                 (int)text.len, (const char *)text.base) < 0) {
        token->value = NULL;
        return sluice_fail(err, SLUICE_FATAL, "no memory for a token");
    }
    token->number++;
    take_expiry(token, map, now_ms);
    return SLUICE_OK;
}

static sluice_status judge(http_token *token, CURL *easy, CURLcode code, int64_t now_ms,
                           sluice_error *err)
{
    const char *url = token->config->oauth2.url;
    long status = 0;
    if (code != CURLE_OK) {
        return sluice_fail(err, SLUICE_RETRY, "no token from '%s': %s", url,
                           token->curl_text[0] != '\0' ? token->curl_text
                                                       : curl_easy_strerror(code));
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        return take_token(token, now_ms, err);
    }
    bool again = http_codes_have(&token->again, (int)status);
    size_t len = token->answer.len < excerpt_max ? token->answer.len : excerpt_max;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)token->answer.base[i];
        token->answer.base[i] = byte < 0x20 || byte == 0x7f ? ' ' : (char)byte;
    }
    return sluice_fail(err, again ? SLUICE_RETRY : SLUICE_FATAL,
                       "no token from '%s': it answered with status %ld: '%.*s'", url,
                       status, (int)len, len > 0 ? token->answer.base : "");
}

static sluice_status fetch(http_token *token, int64_t now_ms, sluice_error *err)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for OAuth2");
    }
    token->answer.len = 0;
    token->curl_text[0] = '\0';
    set_request(token, easy);
    curl_multi_add_handle(token->multi, easy);
    CURLcode code;
    sluice_status status =
        run(token, &code)
            ? judge(token, easy, code, now_ms, err)
            : sluice_fail(err, SLUICE_RETRY, "stopped while a token was being got");
    curl_multi_remove_handle(token->multi, easy);
    curl_easy_cleanup(easy);
    return status;
}

sluice_status http_token_get(http_token *token, int64_t now_ms, const char **ret_value,
                             sluice_error *err)
{
    if (token->value != NULL && token->expires_ms != 0 && now_ms >= token->expires_ms) {
        http_token_drop(token, token->number);
    }
    if (token->value == NULL) {
        sluice_status status = fetch(token, now_ms, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    *ret_value = token->value;
    return SLUICE_OK;
}
