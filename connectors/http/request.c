/* One POST after the other, through libcurl's multi interface so that a stop ends it.
 */
#include "request.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { excerpt_max = 200, retry_after_max_ms = 60000, stop_wait_ms = 1000 };

struct http_client {
    const http_config *config;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    char curl_text[CURL_ERROR_SIZE];
    char excerpt[excerpt_max + 1]; /* The beginning of the answer's body. */
    size_t excerpt_len;
};

static void curl_init_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t keep_excerpt(char *base, size_t size, size_t count, void *argument)
{
    http_client *client = argument;
    size_t len = size * count;
    size_t room = excerpt_max - client->excerpt_len;
    size_t kept = len < room ? len : room;
    for (size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)base[i];
        client->excerpt[client->excerpt_len++] = byte < 0x20 ? ' ' : (char)byte;
    }
    client->excerpt[client->excerpt_len] = '\0';
    return len;
}

static void add_header(http_client *client, const char *name, const char *separator,
                       const char *value)
{
    size_t len = strlen(name) + strlen(separator) + strlen(value) + 1;
    char *line = malloc(len);
    if (line != NULL) {
        snprintf(line, len, "%s%s%s", name, separator, value);
        client->headers = curl_slist_append(client->headers, line);
        free(line);
    }
}

/* "Name:value" as it is; libcurl drops "Name:" and sends "Name;" as an empty header. */
static void add_additional(http_client *client, const char *header)
{
    const char *colon = strchr(header, ':');
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)(colon - header), header);
    add_header(client, name, *value == '\0' ? ";" : ": ", value);
}

static void add_headers(http_client *client)
{
    const http_config *config = client->config;
    if (config->content_type != NULL) {
        add_header(client, "Content-Type", ": ", config->content_type);
    } else {
        add_header(client, "Content-Type", ":", "");
    }
    add_header(client, "Expect", ":", "");
    if (config->authorization == HTTP_AUTHORIZATION_STATIC) {
        add_header(client, "Authorization", ": ", config->headers_authorization);
    } else if (config->authorization == HTTP_AUTHORIZATION_BEARER) {
        add_header(client, "Authorization", ": Bearer ", config->bearer_token);
    }
    for (size_t i = 0; i < config->headers_additional.count; i++) {
        add_additional(client, config->headers_additional.items[i]);
    }
}

static void set_connection(http_client *client)
{
    CURL *easy = client->easy;
    const http_config *config = client->config;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->curl_text);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, config->timeout_s * 1000L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, config->timeout_s * 1000L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (config->proxy_host != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy_host);
        curl_easy_setopt(easy, CURLOPT_PROXYPORT, (long)config->proxy_port);
    }
    const char *ca =
        config->ca_location != NULL ? config->ca_location : config->truststore_location;
    if (ca != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    }
    if (config->trust_all) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_request(http_client *client)
{
    CURL *easy = client->easy;
    const http_config *config = client->config;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, client->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_excerpt);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, client);
    if (config->authorization == HTTP_AUTHORIZATION_BASIC) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, config->basic_user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, config->basic_password);
    }
}

sluice_status http_client_new(const http_config *config, http_client **ret_client,
                              sluice_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, curl_init_once);
    http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP client");
    }
    client->config = config;
    client->easy = curl_easy_init();
    client->multi = curl_multi_init();
    if (client->easy == NULL || client->multi == NULL) {
        http_client_free(client);
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP client");
    }
    if (curl_easy_setopt(client->easy, CURLOPT_URL, config->url) != CURLE_OK) {
        http_client_free(client);
        return sluice_fail_key(err, "http.url", "http.url is '%s': not a usable URL",
                               config->url);
    }
    add_headers(client);
    set_connection(client);
    set_request(client);
    *ret_client = client;
    return SLUICE_OK;
}

void http_client_free(http_client *client)
{
    if (client == NULL) {
        return;
    }
    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    curl_slist_free_all(client->headers);
    free(client);
}

int64_t http_retry_after_ms(const char *value, int64_t now_s)
{
    value += strspn(value, " \t");
    int64_t wait_s = 0;
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits + strspn(value + digits, " \t\r\n")] == '\0') {
        for (size_t i = 0; i < digits && wait_s < retry_after_max_ms; i++) {
            wait_s = wait_s * 10 + (value[i] - '0');
        }
    } else {
        time_t at = curl_getdate(value, NULL);
        if (at < 0) {
            return -1;
        }
        wait_s = at > now_s ? at - now_s : 0;
    }
    return wait_s * 1000 < retry_after_max_ms ? wait_s * 1000 : retry_after_max_ms;
}

static bool worth_repeating(long status)
{
    return status < 200 || status == 408 || status == 429 || status >= 500;
}

static void judge_status(http_client *client, http_answer *answer)
{
    struct curl_header *header;
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &answer->status);
    if (answer->status >= 200 && answer->status < 400) {
        answer->result = HTTP_DELIVERED;
        return;
    }
    answer->result = worth_repeating(answer->status) ? HTTP_AGAIN : HTTP_REFUSED;
    if (curl_easy_header(client->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) ==
        CURLHE_OK) {
        answer->retry_after_ms = http_retry_after_ms(header->value, time(NULL));
    }
    snprintf(answer->text, sizeof answer->text, "'%s' answered with status %ld%s%s%s",
             client->config->url, answer->status, client->excerpt_len > 0 ? ": '" : "",
             client->excerpt, client->excerpt_len > 0 ? "'" : "");
}

/* What libcurl cannot mend by trying again. */
static bool is_final(CURLcode code)
{
    return code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_OUT_OF_MEMORY;
}

static void judge(http_client *client, CURLcode code, http_answer *answer)
{
    if (code == CURLE_OK) {
        judge_status(client, answer);
        return;
    }
    answer->result = is_final(code) ? HTTP_REFUSED : HTTP_AGAIN;
    const char *why =
        client->curl_text[0] != '\0' ? client->curl_text : curl_easy_strerror(code);
    snprintf(answer->text, sizeof answer->text, "no answer from '%s': %s",
             client->config->url, why);
}

/* Whether the transfer is over; its outcome goes to `ret_code`. */
static bool finished(http_client *client, CURLcode *ret_code)
{
    int left;
    CURLMsg *message = curl_multi_info_read(client->multi, &left);
    if (message == NULL || message->msg != CURLMSG_DONE) {
        return false;
    }
    *ret_code = message->data.result;
    return true;
}

/* Runs the transfer that was added. False: the task was stopped before it was over. */
static bool run(http_client *client, const sluice_task *task, CURLcode *ret_code)
{
    struct curl_waitfd stop = {.fd = sluice_task_stop_fd(task),
                               .events = CURL_WAIT_POLLIN};
    int running = 1;
    for (;;) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            *ret_code = CURLE_FAILED_INIT;
            return true;
        }
        if (finished(client, ret_code)) {
            return true;
        }
        curl_multi_poll(client->multi, &stop, 1, stop_wait_ms, NULL);
        if (stop.revents != 0) {
            return false;
        }
    }
}

void http_client_post(http_client *client, const sluice_task *task, sluice_bytes body,
                      http_answer *ret_answer)
{
    *ret_answer = (http_answer){.retry_after_ms = -1};
    client->excerpt_len = 0;
    client->excerpt[0] = '\0';
    client->curl_text[0] = '\0';
    curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, body.base);
    curl_multi_add_handle(client->multi, client->easy);
    CURLcode code;
    if (run(client, task, &code)) {
        judge(client, code, ret_answer);
    } else {
        ret_answer->result = HTTP_STOPPED;
    }
    curl_multi_remove_handle(client->multi, client->easy);
}
