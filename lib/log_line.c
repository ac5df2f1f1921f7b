/* A line of the log: Kafka Connect's pattern, or JSON. */
#include "log_line.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static log_format chosen = LOG_TEXT;
static _Thread_local int thread_task = LOG_NO_TASK;

void log_line_set_format(log_format format)
{
    chosen = format;
}

void log_line_set_task(int number)
{
    thread_task = number;
}

int log_line_task(void)
{
    return thread_task;
}

/* A line that grows up to where its end must begin. */
typedef struct log_line {
    char *base;
    size_t len, max;
} log_line;

static bool put(log_line *self, const char *text, size_t len)
{
    if (self->len + len > self->max) {
        return false;
    }
    memcpy(self->base + self->len, text, len);
    self->len += len;
    return true;
}

static bool put_text(log_line *self, const char *text)
{
    return put(self, text, strlen(text));
}

/* The length of the character at `text` in UTF-8; 0: it is none. */
static size_t character(const char *text)
{
    size_t len = 1;
    while (len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80) {
        len++;
    }
    for (; len > 0; len--) {
        if (text_is_utf8(text, len)) {
            return (unsigned char)text[0] < 0x80 ? 1 : len;
        }
    }
    return 0;
}

/* --- Text. --- */

/* Of a message nothing begins a new line. */
static void put_message(log_line *self, const char *text)
{
    bool room = true;
    for (; *text != '\0' && room; text++) {
        room = *text == '\n'   ? put_text(self, "\\n")
               : *text == '\r' ? put_text(self, "\\r")
                               : put(self, text, 1);
    }
}

static void make_text(log_line *self, const struct timespec *now, sluice_level level,
                      const char *logger, const char *connector, int task,
                      const char *message)
{
    char head[64], place[16] = "worker";
    struct tm utc;
    gmtime_r(&now->tv_sec, &utc);
    strftime(head, sizeof head, "[%Y-%m-%d %H:%M:%S", &utc);
    self->len = (size_t)snprintf(self->base, self->max, "%s,%03ld] %s ", head,
                                 now->tv_nsec / 1000000, sluice_level_name(level));
    if (connector != NULL) {
        if (task >= 0) {
            snprintf(place, sizeof place, "task-%d", task);
        }
        put_text(self, "[");
        put_message(self, connector);
        put_text(self, "|");
        put_text(self, place);
        put_text(self, "] ");
    }
    put_message(self, message);
}

/* --- JSON. --- */

/* One character; what is none becomes U+FFFD. Returns its length, 0: no room. */
static size_t put_character(log_line *self, const char *text)
{
    static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    char escape[8];
    const char *known = strchr(plain, *text);
    size_t len = character(text);
    if (known != NULL) {
        snprintf(escape, sizeof escape, "\\%c", letters[known - plain]);
    } else if (len == 0) {
        snprintf(escape, sizeof escape, "\\ufffd");
    } else if ((unsigned char)*text < 0x20 || *text == 0x7f) {
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text);
    } else {
        return put(self, text, len) ? len : 0;
    }
    return put_text(self, escape) ? 1 : 0;
}

static void put_string(log_line *self, const char *key, const char *text)
{
    put_text(self, ",\"");
    put_text(self, key);
    put_text(self, "\":\"");
    for (size_t len = 1; *text != '\0' && len > 0; text += len) {
        len = put_character(self, text);
    }
    self->max += 1; /* There is always room for the end. */
    put_text(self, "\"");
}

static void make_json(log_line *self, const struct timespec *now, sluice_level level,
                      const char *logger, const char *connector, int task,
                      const char *message)
{
    char head[64];
    struct tm utc;
    gmtime_r(&now->tv_sec, &utc);
    strftime(head, sizeof head, "%Y-%m-%dT%H:%M:%S", &utc);
    self->len = (size_t)snprintf(self->base, self->max,
                                 "{\"timestamp\":\"%s.%03ldZ\",\"level\":\"%s\"", head,
                                 now->tv_nsec / 1000000, sluice_level_name(level));
    put_string(self, "logger", logger);
    if (connector != NULL) {
        put_string(self, "connector", connector);
    }
    if (connector != NULL && task >= 0) {
        char number[32];
        snprintf(number, sizeof number, ",\"task\":%d", task);
        put_text(self, number);
    }
    put_string(self, "message", message);
}

/* --- Both. --- */

enum { name_bytes_max = 256 };

/* Names are cut before they leave no room for a message. */
static const char *cut(const char *name, char *room)
{
    snprintf(room, name_bytes_max, "%s", name);
    return room;
}

size_t log_line_make(char *ret_line, sluice_level level, const char *logger,
                     const char *connector, int task, const char *message)
{
    struct timespec now;
    char logger_room[name_bytes_max], connector_room[name_bytes_max];
    logger = cut(logger, logger_room);
    connector = connector == NULL ? NULL : cut(connector, connector_room);
    clock_gettime(CLOCK_REALTIME, &now);
    log_line self = {ret_line, 0, LOG_LINE_BYTES_MAX - 8};
    if (chosen == LOG_JSON) {
        make_json(&self, &now, level, logger, connector, task, message);
        self.max = LOG_LINE_BYTES_MAX;
        put_text(&self, "}\n");
        return self.len;
    }
    self.max -= strlen(logger);
    make_text(&self, &now, level, logger, connector, task, message);
    self.max = LOG_LINE_BYTES_MAX;
    put_text(&self, " (");
    put_text(&self, logger);
    put_text(&self, ")\n");
    return self.len;
}

/* Whether `text` begins as `shape`, in which 0 stands for a digit. */
static bool has_shape(const char *text, const char *shape)
{
    for (; *shape != '\0'; shape++, text++) {
        bool digit = *text >= '0' && *text <= '9';
        if (*shape == '0' ? !digit : *text != *shape) {
            return false;
        }
    }
    return true;
}

bool log_line_is_one(const char *line)
{
    return has_shape(line,
                     chosen == LOG_JSON
                         ? "{\"timestamp\":\"0000-00-00T00:00:00.000Z\",\"level\":\""
                         : "[0000-00-00 00:00:00,000] ");
}
