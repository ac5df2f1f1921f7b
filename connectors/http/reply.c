/* Reads an HTTP/1.1 answer (RFC 9112), line by line and then by the body's framing. */
#include "reply.h"
#include <string.h>
#include <strings.h>

enum { length_digits_max = 18, chunk_digits_max = 15 };

void http_reply_begin(http_reply *reply)
{
    memset(reply, 0, offsetof(http_reply, line));
}

bool http_reply_has_head(const http_reply *reply)
{
    return reply->status != 0;
}

static void broken(http_reply *reply, const char *fault)
{
    reply->part = HTTP_REPLY_BROKEN;
    reply->fault = fault;
    reply->keep = false;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* "HTTP/1.1 200 OK" */
static void take_status(http_reply *reply, const char *line, size_t len)
{
    if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) ||
        line[8] != ' ' || line[9] < '1' || line[9] > '9' || !is_digit(line[10]) ||
        !is_digit(line[11]) || (len > 12 && line[12] != ' ')) {
        broken(reply, "the answer is not HTTP/1.1");
        return;
    }
    reply->coming = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    reply->keep = line[7] != '0';
    reply->chunked = reply->has_length = false;
    reply->left = 0;
    reply->retry_after[0] = reply->date[0] = reply->location[0] = '\0';
    reply->part = HTTP_REPLY_HEADERS;
}

static void keep_text(char *to, size_t room, const char *value, size_t len)
{
    size_t kept = len < room - 1 ? len : room - 1;
    for (size_t i = 0; i < kept; i++) {
        to[i] = (unsigned char)value[i] < 0x20 ? ' ' : value[i];
    }
    to[kept] = '\0';
}

static bool has_word(const char *value, size_t len, const char *word)
{
    size_t word_len = strlen(word);
    for (size_t i = 0; i + word_len <= len; i++) {
        bool begins = i == 0 || value[i - 1] == ' ' || value[i - 1] == ',';
        char after = i + word_len == len ? ',' : value[i + word_len];
        if (begins && strncasecmp(value + i, word, word_len) == 0 &&
            (after == ',' || after == ' ' || after == ';')) {
            return true;
        }
    }
    return false;
}

/* Two lengths that differ, or one that is no number: where the body ends is not known.
 */
static void take_length(http_reply *reply, const char *value, size_t len)
{
    uint64_t length = 0;
    bool good = len > 0 && len <= length_digits_max;
    for (size_t i = 0; i < len && good; i++) {
        good = is_digit(value[i]);
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    if (!good || (reply->has_length && reply->left != length)) {
        reply->keep = false;
        length = 0;
    }
    reply->has_length = true;
    reply->left = length;
}

static void take_header(http_reply *reply, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    if (colon == NULL) {
        broken(reply, "a header of the answer has no colon");
        return;
    }
    size_t name_len = (size_t)(colon - line);
    const char *value = colon + 1, *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t value_len = (size_t)(end - value);
#define IS(name)                                                                       \
    (name_len == sizeof name - 1 && strncasecmp(line, name, sizeof name - 1) == 0)
    if (IS("Content-Length")) {
        take_length(reply, value, value_len);
    } else if (IS("Transfer-Encoding")) {
        reply->chunked = has_word(value, value_len, "chunked");
        reply->keep = reply->keep && reply->chunked;
    } else if (IS("Connection")) {
        if (has_word(value, value_len, "close")) {
            reply->keep = false;
        }
    } else if (IS("Retry-After")) {
        keep_text(reply->retry_after, sizeof reply->retry_after, value, value_len);
    } else if (IS("Date")) {
        keep_text(reply->date, sizeof reply->date, value, value_len);
    } else if (IS("Location")) {
        keep_text(reply->location, sizeof reply->location, value, value_len);
    }
#undef IS
}

/* The empty line: either that was an interim answer, or the status counts now. */
static void take_head(http_reply *reply)
{
    int status = reply->coming;
    if (status == 101) {
        broken(reply, "the answer switches to another protocol");
        return;
    }
    if (status < 200) {
        reply->part = HTTP_REPLY_STATUS;
        return;
    }
    reply->status = status;
    if (status == 204 || status == 304) {
        reply->part = HTTP_REPLY_DONE;
    } else if (reply->chunked) {
        reply->keep = reply->keep && !reply->has_length;
        reply->part = HTTP_REPLY_CHUNK;
    } else if (reply->has_length) {
        reply->part = reply->left == 0 ? HTTP_REPLY_DONE : HTTP_REPLY_BODY;
    } else {
        reply->keep = false;
        reply->to_end = true;
        reply->part = HTTP_REPLY_BODY;
    }
}

static void take_chunk_size(http_reply *reply, const char *line, size_t len)
{
    uint64_t size = 0;
    size_t digits = 0;
    for (; digits < len; digits++) {
        char byte = (char)(line[digits] | 0x20);
        if (is_digit(line[digits])) {
            size = size * 16 + (uint64_t)(line[digits] - '0');
        } else if (byte >= 'a' && byte <= 'f') {
            size = size * 16 + (uint64_t)(byte - 'a' + 10);
        } else {
            break;
        }
        if (digits >= chunk_digits_max) {
            digits = 0;
            break;
        }
    }
    bool good =
        digits > 0 && (digits == len || line[digits] == ';' || line[digits] == ' ');
    if (!good) {
        broken(reply, "the answer's body has a chunk without a size");
        return;
    }
    reply->left = size;
    reply->part = size == 0 ? HTTP_REPLY_TRAILERS : HTTP_REPLY_BODY;
}

static void take_line(http_reply *reply, const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    if (reply->part == HTTP_REPLY_STATUS) {
        take_status(reply, line, len);
    } else if (reply->part == HTTP_REPLY_HEADERS) {
        if (len == 0) {
            take_head(reply);
        } else if (line[0] != ' ' && line[0] != '\t') {
            take_header(reply, line, len);
        }
    } else if (reply->part == HTTP_REPLY_CHUNK) {
        take_chunk_size(reply, line, len);
    } else if (reply->part == HTTP_REPLY_CHUNK_END) {
        reply->part = HTTP_REPLY_CHUNK;
        if (len > 0) {
            broken(reply, "the answer's body has a chunk longer than its size");
        }
    } else if (len == 0) {
        reply->part = HTTP_REPLY_DONE;
    }
}

/* Whether an answer can begin so: what does not is not waited for to end. */
static bool is_http(const http_reply *reply, const char *base, size_t len)
{
    static const char begin[] = "HTTP/1.";
    size_t known = reply->line_len;
    if (known >= sizeof begin - 1) {
        return true;
    }
    size_t left = sizeof begin - 1 - known;
    return memcmp(base, begin + known, len < left ? len : left) == 0;
}

/* Up to the end of a line; what of it is behind HTTP_LINE_MAX is dropped. */
static size_t feed_line(http_reply *reply, const char *base, size_t len)
{
    if (reply->part == HTTP_REPLY_STATUS && reply->line_len == 0 &&
        (*base == '\r' || *base == '\n')) { /* What the last answer has left behind. */
        reply->head++;
        if (reply->head > HTTP_HEAD_MAX) {
            broken(reply, "the answer's head is longer than 64 KiB");
        }
        return 1;
    }
    if (reply->part == HTTP_REPLY_STATUS && !is_http(reply, base, len)) {
        reply->head += len;
        broken(reply, "the answer is not HTTP/1.1");
        return len;
    }
    const char *end = memchr(base, '\n', len);
    size_t used = end == NULL ? len : (size_t)(end - base) + 1;
    size_t text = end == NULL ? len : used - 1;
    reply->head += used;
    if (reply->head > HTTP_HEAD_MAX) {
        broken(reply, "the answer's head is longer than 64 KiB");
        return used;
    }
    if (end != NULL && reply->line_len == 0) {
        take_line(reply, base, text);
        return used;
    }
    size_t room = sizeof reply->line - reply->line_len;
    size_t kept = text < room ? text : room;
    memcpy(reply->line + reply->line_len, base, kept);
    reply->line_len += kept;
    if (end != NULL) {
        size_t line_len = reply->line_len;
        reply->line_len = 0;
        take_line(reply, reply->line, line_len);
    }
    return used;
}

static void keep_excerpt(http_reply *reply, const char *base, size_t len)
{
    size_t room = HTTP_EXCERPT_MAX - reply->excerpt_len;
    size_t kept = len < room ? len : room;
    for (size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)base[i];
        reply->excerpt[reply->excerpt_len++] =
            byte < 0x20 || byte == 0x7f ? ' ' : base[i];
    }
    reply->excerpt[reply->excerpt_len] = '\0';
}

static size_t feed_body(http_reply *reply, const char *base, size_t len)
{
    size_t used = reply->to_end || len < reply->left ? len : (size_t)reply->left;
    keep_excerpt(reply, base, used);
    reply->body += used;
    if (reply->body > HTTP_BODY_KEPT_MAX) {
        broken(reply, "the answer's body is longer than 256 KiB");
        return used;
    }
    if (!reply->to_end) {
        reply->left -= used;
        if (reply->left == 0) {
            reply->part = reply->chunked ? HTTP_REPLY_CHUNK_END : HTTP_REPLY_DONE;
        }
    }
    return used;
}

size_t http_reply_feed(http_reply *reply, const char *base, size_t len)
{
    size_t used = 0;
    while (used < len && reply->part < HTTP_REPLY_DONE) {
        used += reply->part == HTTP_REPLY_BODY
                    ? feed_body(reply, base + used, len - used)
                    : feed_line(reply, base + used, len - used);
    }
    return used;
}

bool http_reply_end(http_reply *reply)
{
    bool whole = reply->part == HTTP_REPLY_DONE ||
                 (reply->part == HTTP_REPLY_BODY && reply->to_end);
    reply->keep = false;
    if (whole) {
        reply->part = HTTP_REPLY_DONE;
    } else if (reply->part < HTTP_REPLY_DONE) {
        broken(reply, "the connection was closed within the answer");
    }
    return whole;
}
