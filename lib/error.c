/* Errors: a list of messages, each with the key it is about. */
#include "base/memory.h"
#include "base/text.h"
#include <sluice/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct message {
    char *key;
    char *text;
} message;

struct sluice_error {
    message *messages;
    size_t count;
    char *joined; /* Made on demand, dropped by every change. */
};

const char *sluice_status_name(sluice_status status)
{
    switch (status) {
    case SLUICE_OK:
        return "OK";
    case SLUICE_RETRY:
        return "RETRY";
    case SLUICE_BAD_RECORD:
        return "BAD_RECORD";
    case SLUICE_BAD_CONFIG:
        return "BAD_CONFIG";
    case SLUICE_FATAL:
        return "FATAL";
    }
    return "unknown status";
}

sluice_error *sluice_error_new(void)
{
    return memory_zero(sizeof(sluice_error));
}

void sluice_error_clear(sluice_error *err)
{
    if (err == NULL) {
        return;
    }
    for (size_t i = 0; i < err->count; i++) {
        free(err->messages[i].key);
        free(err->messages[i].text);
    }
    free(err->messages);
    free(err->joined);
    *err = (sluice_error){0};
}

void sluice_error_free(sluice_error *err)
{
    sluice_error_clear(err);
    free(err);
}

/* A text from outside may be anything, or have been cut within a character; JSON and
 * whoever reads it take none but UTF-8. */
static void add(sluice_error *err, char *key, char *text)
{
    text_make_utf8(text);
    free(err->joined);
    err->joined = NULL;
    err->messages =
        memory_resize(err->messages, (err->count + 1) * sizeof *err->messages);
    err->messages[err->count++] = (message){key, text};
}

sluice_status sluice_vfail(sluice_error *err, sluice_status status, const char *format,
                           va_list arguments)
{
    if (err != NULL) {
        char *text = memory_vprint(format, arguments);
        sluice_error_clear(err);
        add(err, NULL, text);
    }
    return status;
}

sluice_status sluice_fail(sluice_error *err, sluice_status status, const char *format,
                          ...)
{
    va_list arguments;
    va_start(arguments, format);
    sluice_vfail(err, status, format, arguments);
    va_end(arguments);
    return status;
}

sluice_status sluice_fail_key(sluice_error *err, const char *key, const char *format,
                              ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        add(err, memory_text(key), memory_vprint(format, arguments));
        va_end(arguments);
    }
    return SLUICE_BAD_CONFIG;
}

void sluice_prefix(sluice_error *err, const char *format, ...)
{
    if (err == NULL || err->count == 0) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    char *prefix = memory_vprint(format, arguments);
    va_end(arguments);
    char *text = memory_print("%s: %s", prefix, err->messages[0].text);
    text_make_utf8(text);
    free(prefix);
    free(err->messages[0].text);
    err->messages[0].text = text;
    free(err->joined);
    err->joined = NULL;
}

size_t sluice_error_count(const sluice_error *err)
{
    return err == NULL ? 0 : err->count;
}

static char *join(const sluice_error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < err->count; i++) {
        len += strlen(err->messages[i].text) + 2;
    }
    char *joined = memory_take(len + 1);
    char *end = joined;
    for (size_t i = 0; i < err->count; i++) {
        if (i > 0) {
            end = stpcpy(end, "; ");
        }
        end = stpcpy(end, err->messages[i].text);
    }
    return joined;
}

const char *sluice_error_text(const sluice_error *err)
{
    if (err == NULL || err->count == 0) {
        return "";
    }
    if (err->count == 1) {
        return err->messages[0].text;
    }
    if (err->joined == NULL) {
        ((sluice_error *)err)->joined = join(err);
    }
    return err->joined;
}

const char *sluice_error_message(const sluice_error *err, size_t index)
{
    return index < sluice_error_count(err) ? err->messages[index].text : "";
}

const char *sluice_error_key(const sluice_error *err, size_t index)
{
    return index < sluice_error_count(err) ? err->messages[index].key : NULL;
}
