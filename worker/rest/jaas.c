/* Java's login configuration: words, quotes, braces and semicolons. */
#include "worker/rest/jaas.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

enum { word_bytes_max = 4096, options_max = 64 };

typedef enum token { token_end, token_word, token_mark, token_wrong } token;

typedef struct reader {
    const char *at;
    size_t line;
    const char *origin;
    token kind;
    char mark;   /* Of token_mark: { } ; or = */
    buffer word; /* Of token_word. */
    sluice_error *err;
} reader;

static sluice_status fault(reader *r, const char *wanted)
{
    char mark[] = {'\'', r->mark, '\'', '\0'};
    const char *got = r->kind == token_end    ? "the end"
                      : r->kind == token_mark ? mark
                                              : "another word";
    if (r->kind == token_wrong) {
        return sluice_fail(r->err, SLUICE_BAD_CONFIG,
                           "%s:%zu: a quoted text or a comment has no end, or a word "
                           "more than %d bytes",
                           r->origin, r->line, word_bytes_max);
    }
    return sluice_fail(r->err, SLUICE_BAD_CONFIG, "%s:%zu: expected %s, found %s",
                       r->origin, r->line, wanted, got);
}

/* --- Words and marks. --- */

static void skip_line(reader *r)
{
    r->at += strcspn(r->at, "\n");
}

/* Returns whether it has an end. */
static bool skip_comment(reader *r)
{
    const char *end = strstr(r->at + 2, "*/");
    for (const char *p = r->at; end != NULL && p < end; p++) {
        r->line += *p == '\n';
    }
    r->at = end == NULL ? r->at + strlen(r->at) : end + 2;
    return end != NULL;
}

/* Returns false where a comment has no end. */
static bool skip_space(reader *r)
{
    for (;;) {
        if (*r->at != '\0' && (unsigned char)*r->at <= ' ') {
            r->line += *r->at == '\n';
            r->at++;
        } else if (r->at[0] == '/' && r->at[1] == '*') {
            if (!skip_comment(r)) {
                return false;
            }
        } else if (r->at[0] == '#' || (r->at[0] == '/' && r->at[1] == '/')) {
            skip_line(r);
        } else {
            return true;
        }
    }
}

static bool read_quoted(reader *r)
{
    for (r->at++; *r->at != '\0' && *r->at != '"' && *r->at != '\n'; r->at++) {
        r->at += *r->at == '\\' && r->at[1] != '\0' && r->at[1] != '\n';
        buffer_append_byte(&r->word, *r->at);
    }
    bool ended = *r->at == '"';
    r->at += ended;
    return ended && !r->word.overflowed;
}

static bool read_bare(reader *r)
{
    size_t len = 0;
    while ((unsigned char)r->at[len] > ' ' && strchr("{};=\"", r->at[len]) == NULL) {
        len++;
    }
    buffer_append(&r->word, r->at, len);
    r->at += len;
    return !r->word.overflowed;
}

static void next(reader *r)
{
    buffer_clear(&r->word);
    if (!skip_space(r)) {
        r->kind = token_wrong;
    } else if (*r->at == '\0') {
        r->kind = token_end;
    } else if (strchr("{};=", *r->at) != NULL) {
        r->kind = token_mark;
        r->mark = *r->at++;
    } else {
        bool whole = *r->at == '"' ? read_quoted(r) : read_bare(r);
        r->kind = whole ? token_word : token_wrong;
    }
}

static bool is_mark(const reader *r, char mark)
{
    return r->kind == token_mark && r->mark == mark;
}

static sluice_status take_mark(reader *r, char mark)
{
    char wanted[] = {'\'', mark, '\'', '\0'};
    if (!is_mark(r, mark)) {
        return fault(r, wanted);
    }
    next(r);
    return SLUICE_OK;
}

static sluice_status take_word(reader *r, const char *wanted, char **ret)
{
    if (r->kind != token_word) {
        return fault(r, wanted);
    }
    *ret = memory_text(buffer_text(&r->word));
    next(r);
    return SLUICE_OK;
}

/* --- Modules. --- */

static bool is_flag(const char *word)
{
    return text_equal_nocase(word, "required") ||
           text_equal_nocase(word, "requisite") ||
           text_equal_nocase(word, "sufficient") || text_equal_nocase(word, "optional");
}

static sluice_status read_option(reader *r, sluice_props *options)
{
    char *name = NULL, *value = NULL;
    sluice_status status = take_word(r, "an option or ';'", &name);
    if (status == SLUICE_OK) {
        status = take_mark(r, '=');
    }
    if (status == SLUICE_OK) {
        status = take_word(r, "the value of an option", &value);
    }
    if (status == SLUICE_OK) {
        sluice_props_set(options, name, value);
    }
    if (status == SLUICE_OK && sluice_props_count(options) > options_max) {
        status = sluice_fail(r->err, SLUICE_BAD_CONFIG, "%s:%zu: more than %d options",
                             r->origin, r->line, options_max);
    }
    free(name);
    free(value);
    return status;
}

static sluice_status read_module(reader *r, jaas_entry *entry)
{
    entry->options = sluice_props_new();
    sluice_status status = take_word(r, "the class of a login module", &entry->module);
    if (status == SLUICE_OK) {
        status =
            take_word(r, "required, requisite, sufficient or optional", &entry->flag);
    }
    if (status == SLUICE_OK && !is_flag(entry->flag)) {
        status = sluice_fail(r->err, SLUICE_BAD_CONFIG,
                             "%s:%zu: '%s' is not required, requisite, sufficient or "
                             "optional",
                             r->origin, r->line, entry->flag);
    }
    while (status == SLUICE_OK && !is_mark(r, ';')) {
        status = read_option(r, entry->options);
    }
    return status == SLUICE_OK ? take_mark(r, ';') : status;
}

/* "Name { modules };": the first module goes to `ret_entry` where the name is wanted.
 */
static sluice_status read_application(reader *r, const char *wanted,
                                      jaas_entry *ret_entry)
{
    char *name = NULL;
    sluice_status status = take_word(r, "the name of an application", &name);
    bool mine = status == SLUICE_OK && strcmp(name, wanted) == 0;
    free(name);
    if (status == SLUICE_OK) {
        status = take_mark(r, '{');
    }
    while (status == SLUICE_OK && !is_mark(r, '}')) {
        jaas_entry entry = {0};
        status = read_module(r, &entry);
        if (status == SLUICE_OK && mine && ret_entry->modules++ == 0) {
            entry.modules = ret_entry->modules;
            *ret_entry = entry;
        } else {
            jaas_entry_done(&entry);
        }
    }
    if (status == SLUICE_OK) {
        status = take_mark(r, '}');
    }
    return status == SLUICE_OK ? take_mark(r, ';') : status;
}

sluice_status jaas_parse(const char *text, const char *origin, const char *application,
                         jaas_entry *ret_entry, sluice_error *err)
{
    reader r = {.at = text, .line = 1, .origin = origin, .err = err};
    jaas_entry entry = {0};
    sluice_status status = SLUICE_OK;
    buffer_init(&r.word, word_bytes_max);
    for (next(&r); r.kind != token_end && status == SLUICE_OK;) {
        status = read_application(&r, application, &entry);
    }
    buffer_done(&r.word);
    if (status != SLUICE_OK) {
        jaas_entry_done(&entry);
        return status;
    }
    *ret_entry = entry;
    return SLUICE_OK;
}

void jaas_entry_done(jaas_entry *self)
{
    free(self->module);
    free(self->flag);
    sluice_props_free(self->options);
    *self = (jaas_entry){0};
}
