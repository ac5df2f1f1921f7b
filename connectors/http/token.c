/* Tokens: when to ask for one, and what the answer says. */
#include "token.h"
#include "buffer.h"
#include "codes.h"
#include "token_form.h"
#include <sluice/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    answer_max = 64 << 10,
    head_max = 256 << 10,
    early_s = 10, /* So much before its end it holds no longer: requests take time. */
    ahead_s = 50, /* So much before that the next one is asked for. */
    again_ms = 1000, /* At least between two requests ahead of time. */
    names_max = 8,
};

struct http_token {
    const http_config *config;
    http_network *network;
    http_codes again;
    http_buffer form, answer;
    char *value; /* Of the header; NULL: none. */
    uint64_t number;
    int64_t expires_ms;  /* It holds up to then; INT64_MAX: for ever. */
    int64_t next_ms;     /* When to ask for the next one. */
    int64_t dropped_ms;  /* When the last one was not taken; INT64_MIN: it was. */
    CURL *easy;          /* The request that is under way; NULL: none. */
    int64_t deadline_ms; /* Its. */
    size_t head;         /* Bytes of its answer's head. */
    bool broken;         /* It could not be made. */
    sluice_json_decoder *decoder;
    sluice_arena *scratch;
    char curl_text[CURL_ERROR_SIZE];
};

/* --- Its life. --- */

sluice_status http_token_new(const http_config *config, http_network *network,
                             http_token **ret_token, sluice_error *err)
{
    http_token *token = calloc(1, sizeof *token);
    if (token == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for OAuth2");
    }
    sluice_json_options options = {.size = sizeof options, .schemas_max = 1};
    token->config = config;
    token->network = network;
    token->dropped_ms = INT64_MIN;
    token->decoder = sluice_json_decoder_new(&options);
    token->scratch = sluice_arena_new();
    http_codes_parse(&config->retry_codes, &token->again);
    sluice_status status = http_token_form(config, &token->form, err);
    if (status != SLUICE_OK) {
        http_token_free(token);
        return status;
    }
    *ret_token = token;
    return SLUICE_OK;
}

static void end_request(http_token *token)
{
    if (token->easy != NULL) {
        http_network_drop(token->network);
        curl_easy_cleanup(token->easy);
        token->easy = NULL;
    }
    token->broken = false;
}

void http_token_free(http_token *token)
{
    if (token != NULL) {
        end_request(token);
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

static void forget(http_token *token)
{
    free(token->value);
    token->value = NULL;
}

void http_token_accept(http_token *token, uint64_t number)
{
    if (number == token->number) {
        token->dropped_ms = INT64_MIN;
    }
}

bool http_token_drop(http_token *token, uint64_t number, int64_t now_ms)
{
    if (number != token->number || token->value == NULL) {
        return true;
    }
    if (token->dropped_ms != INT64_MIN &&
        now_ms - token->dropped_ms < token->config->retry_backoff_ms) {
        return false;
    }
    token->dropped_ms = now_ms;
    forget(token);
    return true;
}

/* --- The request. --- */

/* An answer beyond the limit ends the transfer. */
static size_t take_answer(char *base, size_t size, size_t count, void *argument)
{
    http_token *token = argument;
    size_t len = size * count;
    if (token->answer.len + len > answer_max ||
        http_buffer_add(&token->answer, base, len, NULL) != SLUICE_OK) {
        snprintf(token->curl_text, sizeof token->curl_text,
                 "the answer is longer than %d KiB", answer_max >> 10);
        return 0;
    }
    return len;
}

static size_t take_head(char *base, size_t size, size_t count, void *argument)
{
    http_token *token = argument;
    (void)base;
    token->head += size * count;
    return token->head > head_max ? 0 : size * count;
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
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, token);
    if (config->authorization == HTTP_AUTHORIZATION_OAUTH2 &&
        config->oauth2.mode == HTTP_OAUTH2_HEADER) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, config->oauth2.client_id);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, config->oauth2.client_secret);
    }
}

/* Asks for a token, unless that has been done. */
static void ask(http_token *token, int64_t now_ms)
{
    if (token->easy != NULL || token->broken) {
        return;
    }
    token->easy = curl_easy_init();
    token->answer.len = token->head = 0;
    token->curl_text[0] = '\0';
    token->deadline_ms = now_ms + token->config->timeout_s * INT64_C(1000);
    if (token->easy != NULL) {
        set_request(token, token->easy);
    }
    if (token->easy == NULL ||
        http_network_run(token->network, token->easy, NULL) != SLUICE_OK) {
        end_request(token);
        token->broken = true;
    }
}

void http_token_resume(http_token *token, int64_t now_ms)
{
    if (token->easy != NULL && now_ms >= token->deadline_ms) {
        end_request(token);
    }
}

const char *http_token_get(http_token *token, int64_t now_ms)
{
    if (token->value != NULL && now_ms >= token->expires_ms) {
        forget(token);
    }
    if (token->value == NULL || now_ms >= token->next_ms) {
        ask(token, now_ms);
    }
    return token->value;
}

/* --- The answer. --- */

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

/* The seconds of "expires_in", which some servers write as a text; 0: none. */
static int64_t lifetime_s(const sluice_value *map)
{
    const sluice_value *value = sluice_map_find(map, "expires_in", NULL);
    sluice_data_type type =
        value == NULL ? SLUICE_TYPE_STRUCT : sluice_value_type(value);
    int64_t seconds = 0;
    if (type == SLUICE_TYPE_INT64) {
        seconds = sluice_value_integer(value);
    } else if (type == SLUICE_TYPE_FLOAT64) {
        double number = sluice_value_float(value);
        seconds = number > 0 && number < INT32_MAX ? (int64_t)number : 0;
    } else if (type == SLUICE_TYPE_STRING) {
        sluice_bytes text = sluice_value_bytes(value);
        for (size_t i = 0; i < text.len && seconds < INT32_MAX; i++) {
            char byte = ((const char *)text.base)[i];
            if (byte < '0' || byte > '9') {
                return 0;
            }
            seconds = seconds * 10 + (byte - '0');
        }
    }
    return seconds > 0 && seconds < INT32_MAX ? seconds : 0;
}

static void take_expiry(http_token *token, const sluice_value *map, int64_t now_ms)
{
    int64_t holds_ms = lifetime_s(map) * 1000;
    token->expires_ms = token->next_ms = INT64_MAX;
    if (holds_ms > 0) {
        int64_t early_ms = early_s * INT64_C(1000), ahead_ms = ahead_s * INT64_C(1000);
        holds_ms -= holds_ms / 2 < early_ms ? holds_ms / 2 : early_ms;
        token->expires_ms = now_ms + holds_ms;
        token->next_ms =
            token->expires_ms - (holds_ms / 2 < ahead_ms ? holds_ms / 2 : ahead_ms);
    }
}

/* What an answer without a token has instead: names, never values. */
static sluice_status lacks_token(http_token *token, const sluice_value *map,
                                 sluice_error *err)
{
    const http_config *config = token->config;
    char names[200] = "";
    size_t len = 0, count = map == NULL ? 0 : sluice_value_count(map);
    for (size_t i = 0; i < count && i < names_max && len < sizeof names; i++) {
        const sluice_value *name = sluice_map_key(map, i);
        sluice_bytes bytes = sluice_value_bytes(name);
        len += (size_t)snprintf(
            names + len, sizeof names - len, "%s'%.*s'", i == 0 ? "" : ", ",
            bytes.len < 40 ? (int)bytes.len : 40, (const char *)bytes.base);
    }
    return sluice_fail(err, SLUICE_FATAL,
                       "'%s' answered without a token: JSON with a text '%s' was "
                       "expected%s%s",
                       config->oauth2.url, config->oauth2.token_property,
                       count > 0 ? ", it has " : "", names);
}

static sluice_status take_token(http_token *token, int64_t now_ms, sluice_error *err)
{
    const http_config *config = token->config;
    const sluice_schema *schema;
    const sluice_value *map = NULL;
    sluice_bytes text, type = {"Bearer", 6};
    sluice_arena_reset(token->scratch);
    sluice_status status = sluice_json_decode(
        token->decoder, (sluice_bytes){token->answer.base, token->answer.len},
        token->scratch, &schema, &map, NULL);
    if (status != SLUICE_OK || map == NULL ||
        sluice_value_type(map) != SLUICE_TYPE_MAP) {
        return lacks_token(token, NULL, err);
    }
    if (!text_of(map, config->oauth2.token_property, &text)) {
        return lacks_token(token, map, err);
    }
    /* The scheme is compared without case, but some servers do compare it. */
    if (text_of(map, "token_type", &type) && type.len == 6 &&
        strncasecmp(type.base, "bearer", 6) == 0) {
        type.base = "Bearer";
    }
    free(token->value);
    if (asprintf(&token->value, "%.*s %.*s", (int)type.len, (const char *)type.base,
                 (int)text.len, (const char *)text.base) < 0) {
        token->value = NULL;
        return sluice_fail(err, SLUICE_FATAL, "no memory for a token");
    }
    token->number++;
    take_expiry(token, map, now_ms);
    return SLUICE_OK;
}

static sluice_status judge(http_token *token, CURLcode code, int64_t now_ms,
                           int64_t *ret_retry_after_s, sluice_error *err)
{
    const char *url = token->config->oauth2.url;
    enum { excerpt_max = 200 };
    long status = 0;
    if (code != CURLE_OK) {
        return sluice_fail(err, SLUICE_RETRY, "no token from '%s': %s", url,
                           token->curl_text[0] != '\0' ? token->curl_text
                                                       : curl_easy_strerror(code));
    }
    curl_easy_getinfo(token->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) {
        return take_token(token, now_ms, err);
    }
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(token->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    *ret_retry_after_s = retry_after_s;
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

bool http_token_take(http_token *token, int64_t now_ms, http_token_news *ret_news,
                     sluice_error *err)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (!token->broken && !http_network_has_run(token->network, &code)) {
        return false;
    }
    *ret_news = (http_token_news){0};
    ret_news->status = judge(token, code, now_ms, &ret_news->retry_after_s, err);
    end_request(token);
    if (ret_news->status != SLUICE_OK && token->value != NULL) {
        int64_t wait_ms = token->config->retry_backoff_ms;
        token->next_ms = now_ms + (wait_ms > again_ms ? wait_ms : again_ms);
        ret_news->holds_ms = token->expires_ms - now_ms;
    }
    return true;
}
