/* Connections that libcurl makes and we use. */
#include "connection.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sluice/keystore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { fds_max = 80 };

struct http_network {
    const http_config *config;
    const char *url;
    CURLM *multi;
    size_t connecting;
    bool tls;
    CURL *transfer; /* NULL: none. */
    bool transferred;
    CURLcode transfer_code;
};

static void begin_once(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_curl_begin(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_once);
}

/* Java's stores are opened here. They were looked at when the configuration was; what
 * is another by now is left to libcurl to refuse. */
static void set_trusted(CURL *easy, const char *path, const char *password)
{
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "http.ssl.truststore",
                                           .location = path,
                                           .password = password};
    sluice_keystore *store;
    if (!sluice_keystore_is_java(path) ||
        sluice_keystore_read(&source, &store, NULL) != SLUICE_OK) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, path);
        return;
    }
    const char *pem = sluice_keystore_certificates(store);
    struct curl_blob blob = {(void *)pem, strlen(pem), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    sluice_keystore_free(store);
}

static void set_tls(CURL *easy, const http_config *config)
{
    if (config->ca_location != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_location);
    } else if (config->truststore_location != NULL) {
        set_trusted(easy, config->truststore_location, config->truststore_password);
    }
    if (config->certificate_location != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, config->certificate_location);
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         config->key_location != NULL ? config->key_location
                                                      : config->certificate_location);
        curl_easy_setopt(easy, CURLOPT_KEYPASSWD, config->key_password);
    }
    if (config->trust_all) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

void http_curl_settings(CURL *easy, const http_config *config)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (config->proxy_host != NULL) {
        curl_easy_setopt(easy, CURLOPT_PROXY, config->proxy_host);
        curl_easy_setopt(easy, CURLOPT_PROXYPORT, (long)config->proxy_port);
    }
    set_tls(easy, config);
}

sluice_status http_network_new(const http_config *config, const char *url,
                               http_network **ret_network, sluice_error *err)
{
    http_curl_begin();
    CURLU *parsed = curl_url();
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
    curl_url_cleanup(parsed);
    if (code != CURLUE_OK) {
        return sluice_fail_key(err, "http.url",
                               "http.url is '%s': not a usable URL: %s", config->url,
                               curl_url_strerror(code));
    }
    http_network *network = calloc(1, sizeof *network);
    if (network == NULL || (network->multi = curl_multi_init()) == NULL) {
        free(network);
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP client");
    }
    network->config = config;
    network->url = url;
    network->tls = strncasecmp(url, "https:", 6) == 0;
    *ret_network = network;
    return SLUICE_OK;
}

void http_network_free(http_network *network)
{
    if (network != NULL) {
        curl_multi_cleanup(network->multi);
        free(network);
    }
}

static void refuse(http_link *link, CURLcode code)
{
    link->state = HTTP_LINK_REFUSED;
    link->final = code == CURLE_URL_MALFORMAT || code == CURLE_SSL_CACERT_BADFILE ||
                  code == CURLE_SSL_CERTPROBLEM || code == CURLE_OUT_OF_MEMORY;
    if (link->text[0] == '\0') {
        snprintf(link->text, sizeof link->text, "%s", curl_easy_strerror(code));
    }
}

/* What libcurl has of it. */
static void drop_easy(http_link *link)
{
    if (link->easy != NULL) {
        curl_multi_remove_handle(link->network->multi, link->easy);
        curl_easy_cleanup(link->easy);
        link->easy = NULL;
    }
    curl_share_cleanup(link->alone);
    link->alone = NULL;
}

static void connected(http_link *link)
{
    CURLcode code = curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &link->fd);
    if (code != CURLE_OK || link->fd == CURL_SOCKET_BAD) {
        refuse(link, CURLE_COULDNT_CONNECT);
        return;
    }
    if (!link->network->tls) {
        link->fd = dup(link->fd); /* Which ThreadSanitizer follows, unlike F_DUPFD. */
        if (link->fd < 0 || fcntl(link->fd, F_SETFD, FD_CLOEXEC) != 0) {
            snprintf(link->text, sizeof link->text,
                     "no descriptor for a connection: %s", strerror(errno));
            refuse(link, CURLE_COULDNT_CONNECT);
            return;
        }
        drop_easy(link);
    }
    link->state = HTTP_LINK_OPEN;
}

/* Goes on with all connections that are being made. */
static void perform(http_network *network)
{
    int running, left;
    CURLMsg *message;
    curl_multi_perform(network->multi, &running);
    while ((message = curl_multi_info_read(network->multi, &left)) != NULL) {
        http_link *link = NULL;
        if (message->easy_handle == network->transfer) {
            network->transferred = message->msg == CURLMSG_DONE;
            network->transfer_code = message->data.result;
            continue;
        }
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&link);
        if (message->msg != CURLMSG_DONE || link == NULL ||
            link->state != HTTP_LINK_CONNECTING) {
            continue;
        }
        network->connecting--;
        if (message->data.result == CURLE_OK) {
            connected(link);
        } else {
            refuse(link, message->data.result);
        }
    }
}

sluice_status http_network_run(http_network *network, CURL *easy, sluice_error *err)
{
    assert(network->transfer == NULL);
    if (curl_multi_add_handle(network->multi, easy) != CURLM_OK) {
        return sluice_fail(err, SLUICE_FATAL, "no memory for an HTTP request");
    }
    network->transfer = easy;
    network->transferred = false;
    return SLUICE_OK;
}

void http_network_drop(http_network *network)
{
    if (network->transfer != NULL) {
        curl_multi_remove_handle(network->multi, network->transfer);
        network->transfer = NULL;
    }
}

bool http_network_has_run(const http_network *network, CURLcode *ret_code)
{
    if (network->transfer == NULL || !network->transferred) {
        return false;
    }
    *ret_code = network->transfer_code;
    return true;
}

/* A cache for this connection only. */
static bool set_alone(http_link *link)
{
    link->alone = curl_share_init();
    return link->alone != NULL &&
           curl_share_setopt(link->alone, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) ==
               CURLSHE_OK &&
           curl_easy_setopt(link->easy, CURLOPT_SHARE, link->alone) == CURLE_OK;
}

void http_link_connect(http_link *link, http_network *network, int64_t timeout_ms)
{
    http_link_close(link);
    link->network = network;
    link->buffers = network->tls;
    link->final = false;
    link->text[0] = '\0';
    link->easy = curl_easy_init();
    if (link->easy == NULL || (network->tls && !set_alone(link))) {
        refuse(link, CURLE_OUT_OF_MEMORY);
        return;
    }
    http_curl_settings(link->easy, network->config);
    curl_easy_setopt(link->easy, CURLOPT_URL, network->url);
    curl_easy_setopt(link->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(link->easy, CURLOPT_PRIVATE, link);
    curl_easy_setopt(link->easy, CURLOPT_ERRORBUFFER, link->text);
    curl_easy_setopt(link->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    CURLMcode code = curl_multi_add_handle(network->multi, link->easy);
    if (code != CURLM_OK) {
        refuse(link, CURLE_OUT_OF_MEMORY);
        return;
    }
    link->state = HTTP_LINK_CONNECTING;
    network->connecting++;
    perform(network);
}

void http_link_close(http_link *link)
{
    if (link->state == HTTP_LINK_CONNECTING) {
        link->network->connecting--;
    } else if (link->state == HTTP_LINK_OPEN && link->easy == NULL) {
        close(link->fd);
    }
    drop_easy(link);
    link->state = HTTP_LINK_CLOSED;
    link->used = false;
}

static http_io failed(http_link *link, const char *why)
{
    snprintf(link->text, sizeof link->text, "%s", why);
    return HTTP_IO_FAILED;
}

static http_io judge_errno(http_link *link)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR
               ? HTTP_IO_WAIT
               : failed(link, strerror(errno));
}

static http_io judge_code(http_link *link, CURLcode code)
{
    return code == CURLE_AGAIN ? HTTP_IO_WAIT : failed(link, curl_easy_strerror(code));
}

static http_io send_plain(http_link *link, struct iovec *pieces, size_t count,
                          size_t *sent)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t len = sendmsg(link->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (len < 0) {
        return judge_errno(link);
    }
    *sent += (size_t)len;
    return HTTP_IO_SOME;
}

http_io http_link_send(http_link *link, const sluice_bytes pieces[2], size_t *sent)
{
    struct iovec left[2];
    size_t count = 0, skip = *sent;
    for (int i = 0; i < 2; i++) {
        if (skip < pieces[i].len) {
            left[count++] =
                (struct iovec){(char *)pieces[i].base + skip, pieces[i].len - skip};
        }
        skip -= skip < pieces[i].len ? skip : pieces[i].len;
    }
    if (count == 0) {
        return HTTP_IO_WAIT;
    }
    if (!link->network->tls) {
        return send_plain(link, left, count, sent);
    }
    size_t len = 0;
    CURLcode code = curl_easy_send(link->easy, left[0].iov_base, left[0].iov_len, &len);
    *sent += len;
    return code == CURLE_OK ? HTTP_IO_SOME : judge_code(link, code);
}

http_io http_link_receive(http_link *link, void *into, size_t room, size_t *ret_len)
{
    *ret_len = 0;
    if (!link->network->tls) {
        ssize_t len = recv(link->fd, into, room, MSG_DONTWAIT);
        if (len < 0) {
            return judge_errno(link);
        }
        *ret_len = (size_t)len;
        return len == 0 ? HTTP_IO_ENDED : HTTP_IO_SOME;
    }
    CURLcode code = curl_easy_recv(link->easy, into, room, ret_len);
    if (code != CURLE_OK) {
        return judge_code(link, code);
    }
    return *ret_len == 0 ? HTTP_IO_ENDED : HTTP_IO_SOME;
}

void http_link_acknowledge(http_link *link)
{
    int yes = 1;
    setsockopt(link->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
}

bool http_link_is_quiet(http_link *link)
{
    char byte;
    size_t len;
    return http_link_receive(link, &byte, 1, &len) == HTTP_IO_WAIT;
}

void http_network_wait(http_network *network, struct pollfd *fds, size_t count,
                       int timeout_ms)
{
    if (network->connecting == 0 && network->transfer == NULL) {
        poll(fds, count, timeout_ms);
        return;
    }
    struct curl_waitfd also[fds_max];
    size_t known = count < fds_max ? count : fds_max;
    for (size_t i = 0; i < known; i++) {
        int in = fds[i].events & POLLIN ? CURL_WAIT_POLLIN : 0;
        int out = fds[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0;
        also[i] = (struct curl_waitfd){.fd = fds[i].fd, .events = (short)(in | out)};
    }
    curl_multi_poll(network->multi, also, (unsigned)known, timeout_ms, NULL);
    for (size_t i = 0; i < known; i++) {
        fds[i].revents = also[i].revents == 0 ? 0 : fds[i].events;
    }
    perform(network);
}
