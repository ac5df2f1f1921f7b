/* Lines taken apart into headers, key and value. */
#include "line_reader.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

enum { shown_max = 200 };

bool line_reader_set(line_reader *self, const char *name, const char *value)
{
    const struct {
        const char *name;
        bool *flag;
        const char **text;
    } known[] = {
        {"parse.key", &self->parse_key, NULL},
        {"parse.headers", &self->parse_headers, NULL},
        {"ignore.error", &self->ignore_error, NULL},
        {"key.separator", NULL, &self->key_separator},
        {"headers.delimiter", NULL, &self->headers_delimiter},
        {"headers.separator", NULL, &self->headers_separator},
        {"headers.key.separator", NULL, &self->headers_key_separator},
        {"null.marker", NULL, &self->null_marker},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) != 0) {
            continue;
        }
        if (known[i].flag != NULL && !text_to_bool(value, known[i].flag)) {
            *known[i].flag = false;
        } else if (known[i].text != NULL) {
            *known[i].text = value;
        }
        return true;
    }
    return false;
}

sluice_status line_reader_check(const line_reader *self, sluice_error *err)
{
    const struct {
        const char *name, *value;
    } all[] = {
        {"headers.delimiter", self->headers_delimiter},
        {"headers.separator", self->headers_separator},
        {"headers.key.separator", self->headers_key_separator},
        {"key.separator", self->key_separator},
        {"null.marker", self->null_marker},
    };
    enum { count = sizeof all / sizeof *all, header_count = 3 };
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            bool must_differ = k < header_count || k == count - 1;
            if (must_differ && all[k].value != NULL &&
                strcmp(all[i].value, all[k].value) == 0) {
                bool marker = k == count - 1;
                return sluice_fail(err, SLUICE_BAD_CONFIG, "%s and %s may not be equal",
                                   all[marker ? k : i].name, all[marker ? i : k].name);
            }
        }
    }
    return SLUICE_OK;
}

static bool is_null(const line_reader *self, line_part part)
{
    return self->null_marker != NULL && strlen(self->null_marker) == part.len &&
           memcmp(self->null_marker, part.base, part.len) == 0;
}

static line_part or_null(const line_reader *self, line_part part)
{
    return part.base == NULL || is_null(self, part) ? (line_part){NULL, 0} : part;
}

static const char *find(line_part in, const char *separator)
{
    return memmem(in.base, in.len, separator, strlen(separator));
}

/* Takes what stands before `separator` off the rest of the line; `ret_part` is none
 * when it is missing and errors are ignored. */
static sluice_status take_part(const line_reader *self, size_t number, line_part line,
                               const char *separator, const char *what, line_part *rest,
                               line_part *ret_part, sluice_error *err)
{
    const char *end = find(*rest, separator);
    *ret_part = (line_part){NULL, 0};
    if (end == NULL) {
        return self->ignore_error
                   ? SLUICE_OK
                   : sluice_fail(err, SLUICE_BAD_RECORD,
                                 "No %s found on line number %zu: '%.*s'", what, number,
                                 (int)(line.len < shown_max ? line.len : shown_max),
                                 line.base);
    }
    *ret_part = (line_part){rest->base, (size_t)(end - rest->base)};
    size_t taken = ret_part->len + strlen(separator);
    *rest = (line_part){rest->base + taken, rest->len - taken};
    return SLUICE_OK;
}

static line_header *add_header(line_record *record)
{
    if (record->header_count == record->header_room) {
        record->header_room = record->header_room * 2 + 8;
        record->headers = memory_resize(record->headers,
                                        record->header_room * sizeof *record->headers);
    }
    return &record->headers[record->header_count++];
}

static sluice_status read_header(const line_reader *self, size_t number, line_part pair,
                                 line_record *record, sluice_error *err)
{
    const char *separator = find(pair, self->headers_key_separator);
    line_header *header = add_header(record);
    if (separator == NULL) {
        *header = (line_header){pair, {NULL, 0}};
        return self->ignore_error
                   ? SLUICE_OK
                   : sluice_fail(
                         err, SLUICE_BAD_RECORD,
                         "No header key separator found in pair '%.*s' on line number "
                         "%zu",
                         (int)(pair.len < shown_max ? pair.len : shown_max), pair.base,
                         number);
    }
    size_t value_at =
        (size_t)(separator - pair.base) + strlen(self->headers_key_separator);
    header->name = (line_part){pair.base, (size_t)(separator - pair.base)};
    header->value =
        or_null(self, (line_part){pair.base + value_at, pair.len - value_at});
    return is_null(self, header->name)
               ? sluice_fail(err, SLUICE_BAD_RECORD,
                             "Header keys should not be equal to the null marker '%s' "
                             "as they can't be null",
                             self->null_marker)
               : SLUICE_OK;
}

/* Empty pairs at the end are dropped, as Java's split() does. */
static sluice_status read_headers(const line_reader *self, size_t number,
                                  line_part text, line_record *record,
                                  sluice_error *err)
{
    size_t separator_len = strlen(self->headers_separator);
    bool first = true;
    sluice_status status = SLUICE_OK;
    while (separator_len > 0 && text.len > separator_len &&
           memcmp(text.base + text.len - separator_len, self->headers_separator,
                  separator_len) == 0) {
        text.len -= separator_len;
    }
    for (const char *end = text.base; status == SLUICE_OK && end != NULL;
         first = false) {
        if (!first) {
            size_t taken = (size_t)(end - text.base) + separator_len;
            text = (line_part){text.base + taken, text.len - taken};
        }
        end = find(text, self->headers_separator);
        line_part pair = {text.base,
                          end == NULL ? text.len : (size_t)(end - text.base)};
        status = read_header(self, number, pair, record, err);
    }
    return status;
}

sluice_status line_reader_parse(const line_reader *self, size_t line_number,
                                const char *line, size_t len, line_record *record,
                                sluice_error *err)
{
    line_part whole = {line, len}, rest = whole, headers = {NULL, 0}, key = {NULL, 0};
    sluice_status status = SLUICE_OK;
    record->header_count = 0;
    if (self->parse_headers) {
        status = take_part(self, line_number, whole, self->headers_delimiter,
                           "headers delimiter", &rest, &headers, err);
    }
    if (status == SLUICE_OK && self->parse_key) {
        status = take_part(self, line_number, whole, self->key_separator,
                           "key separator", &rest, &key, err);
    }
    if (status == SLUICE_OK && headers.base != NULL && !is_null(self, headers)) {
        status = read_headers(self, line_number, headers, record, err);
    }
    record->key = or_null(self, key);
    record->value = or_null(self, rest);
    return status;
}

void line_record_done(line_record *record)
{
    free(record->headers);
    *record = (line_record){0};
}
