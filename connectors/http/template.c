/* Texts with parts of the record in them. */
#include "template.h"
#include <sluice/text.h>
#include <stdlib.h>
#include <string.h>

typedef enum part_kind {
    PART_TEXT,
    PART_KEY,
    PART_VALUE,
    PART_HEADER,
    PART_TOPIC,
    PART_PARTITION,
    PART_OFFSET,
    PART_TIMESTAMP,
} part_kind;

/* A text, or what stands there instead: `path` is "a.b" of ${value.a.b}, or "". */
typedef struct part {
    part_kind kind;
    const char *path;
    size_t len;   /* Of a text. */
    bool in_path; /* Of a URL: no "?" stands before it. */
} part;

struct http_template {
    const char *key; /* Of the configuration, for messages; a constant. */
    char *text;
    part *parts;
    size_t count;
};

static const struct {
    const char *name;
    part_kind kind;
    bool has_path;
} names[] = {
    {"key", PART_KEY, true},
    {"value", PART_VALUE, true},
    {"header", PART_HEADER, true},
    {"topic", PART_TOPIC, false},
    {"partition", PART_PARTITION, false},
    {"offset", PART_OFFSET, false},
    {"timestamp", PART_TIMESTAMP, false},
};

/* What `name`, "value.a.b", stands for. */
static bool find_part(const char *name, part *ret_part)
{
    size_t len = strcspn(name, ".");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i].name) != len || strncmp(names[i].name, name, len) != 0) {
            continue;
        }
        const char *path = name[len] == '.' ? name + len + 1 : "";
        *ret_part = (part){.kind = names[i].kind, .path = path};
        bool bare = name[len] == '\0';
        return bare ? names[i].kind != PART_HEADER : names[i].has_path && *path != '\0';
    }
    return false;
}

static sluice_status parse(http_template *self, const char *text, sluice_error *err)
{
    char *at = self->text;
    bool in_path = true;
    while (*at != '\0') {
        char *begin = strstr(at, "${");
        size_t len = begin == NULL ? strlen(at) : (size_t)(begin - at);
        if (len > 0) {
            self->parts[self->count++] = (part){.path = at, .len = len};
            in_path = in_path && memchr(at, '?', len) == NULL;
        }
        if (begin == NULL) {
            return SLUICE_OK;
        }
        char *end = strchr(begin, '}');
        if (end != NULL) {
            *end = '\0';
        }
        if (end == NULL || !find_part(begin + 2, &self->parts[self->count++])) {
            return sluice_fail_key(
                err, self->key,
                "%s is '%s': ${key}, ${key.FIELD}, ${value}, ${value.FIELD}, "
                "${header.NAME}, ${topic}, ${partition}, ${offset} and ${timestamp} "
                "may stand there",
                self->key, text);
        }
        self->parts[self->count - 1].in_path = in_path;
        at = end + 1;
    }
    return SLUICE_OK;
}

sluice_status http_template_new(const char *key, const char *text,
                                http_template **ret_template, sluice_error *err)
{
    http_template *self = calloc(1, sizeof *self);
    size_t len = strlen(text);
    if (self != NULL) {
        self->key = key;
        self->text = malloc(len + 1);
        self->parts = calloc(len + 1, sizeof *self->parts);
    }
    if (self == NULL || self->text == NULL || self->parts == NULL) {
        http_template_free(self);
        return sluice_fail(err, SLUICE_FATAL, "no memory for %s", key);
    }
    memcpy(self->text, text, len + 1);
    sluice_status status = parse(self, text, err);
    if (status != SLUICE_OK) {
        http_template_free(self);
        return status;
    }
    *ret_template = self;
    return SLUICE_OK;
}

void http_template_free(http_template *self)
{
    if (self != NULL) {
        free(self->text);
        free(self->parts);
        free(self);
    }
}

const char *http_template_fixed(const http_template *self)
{
    if (self->count == 0) {
        return "";
    }
    return self->count == 1 && self->parts[0].kind == PART_TEXT ? self->text : NULL;
}

/* One step of a path; NULL where there is no such field. */
static const sluice_value *step(const sluice_value *value, const char *name,
                                const sluice_schema **schema)
{
    if (value == NULL) {
        return NULL;
    }
    sluice_data_type type = sluice_value_type(value);
    if (type == SLUICE_TYPE_MAP) {
        *schema = *schema == NULL ? NULL : sluice_schema_element(*schema);
        return sluice_map_find(value, name, NULL);
    }
    if (type != SLUICE_TYPE_STRUCT) {
        return NULL;
    }
    const sluice_schema *own = sluice_struct_schema(value);
    int index = sluice_schema_field_find(own, name);
    *schema = index < 0 ? NULL : sluice_schema_field_schema(own, (size_t)index);
    return index < 0 ? NULL : sluice_value_at(value, (size_t)index);
}

static const sluice_value *walk(const sluice_value *value, const char *path,
                                const sluice_schema **schema, sluice_arena *scratch)
{
    while (*path != '\0' && value != NULL) {
        size_t len = strcspn(path, ".");
        value = step(value, sluice_arena_copy(scratch, path, len), schema);
        path += len + (path[len] == '.');
    }
    return value;
}

static const sluice_value *find_header(const sluice_record *record, const char *name,
                                       const sluice_schema **schema)
{
    const sluice_headers *headers = sluice_record_headers_or_null(record);
    int index = headers == NULL ? -1 : sluice_headers_find(headers, name);
    if (index < 0) {
        return NULL;
    }
    *schema = sluice_headers_schema(headers, (size_t)index);
    return sluice_headers_value(headers, (size_t)index);
}

static const sluice_value *value_of(const part *one, const sluice_record *record,
                                    const sluice_schema **schema, sluice_arena *scratch)
{
    *schema = NULL;
    if (one->kind == PART_HEADER) {
        return find_header(record, one->path, schema);
    }
    if (one->kind == PART_KEY) {
        *schema = sluice_record_key_schema(record);
        return walk(sluice_record_key(record), one->path, schema, scratch);
    }
    if (one->kind == PART_VALUE) {
        *schema = sluice_record_value_schema(record);
        return walk(sluice_record_value(record), one->path, schema, scratch);
    }
    if (one->kind == PART_TOPIC) {
        return sluice_text(scratch, sluice_record_topic(record));
    }
    int64_t number = one->kind == PART_OFFSET      ? sluice_record_offset(record)
                     : one->kind == PART_TIMESTAMP ? sluice_record_timestamp(record)
                                                   : sluice_record_partition(record);
    return sluice_int64(scratch, number);
}

static sluice_status text_of(const http_template *self, const part *one,
                             const sluice_record *record, sluice_arena *scratch,
                             sluice_bytes *ret_bytes, sluice_error *err)
{
    static const char *const kinds[] = {"text",  "key",       "value",  "header",
                                        "topic", "partition", "offset", "timestamp"};
    const sluice_schema *schema;
    const sluice_value *value = value_of(one, record, &schema, scratch);
    const char *dot = *one->path == '\0' ? "" : ".";
    if (value == NULL) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "%s needs ${%s%s%s}, which the record does not have",
                           self->key, kinds[one->kind], dot, one->path);
    }
    sluice_data_type type = sluice_value_type(value);
    if (type >= SLUICE_TYPE_ARRAY) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "%s needs ${%s%s%s} as a text, and it is %s: name a field "
                           "of it",
                           self->key, kinds[one->kind], dot, one->path,
                           sluice_data_type_name(type));
    }
    if (type == SLUICE_TYPE_STRING ||
        (type == SLUICE_TYPE_BYTES &&
         (schema == NULL || sluice_schema_name(schema) == NULL))) {
        *ret_bytes = sluice_value_bytes(value);
        return SLUICE_OK;
    }
    size_t len;
    char *text = sluice_text_of(scratch, schema, value, &len);
    *ret_bytes = (sluice_bytes){text, len};
    return SLUICE_OK;
}

static bool has_control(sluice_bytes bytes)
{
    const unsigned char *base = bytes.base;
    for (size_t i = 0; i < bytes.len; i++) {
        if (base[i] < 0x20 || base[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* "", "." and ".." as a part of a path name another resource than was meant. */
static bool is_step(sluice_bytes bytes)
{
    return bytes.len == 0 ||
           (bytes.len <= 2 && memcmp(bytes.base, "..", bytes.len) == 0);
}

static sluice_status render_part(const http_template *self, const part *one,
                                 const sluice_record *record, http_escape escape,
                                 sluice_arena *scratch, http_buffer *into,
                                 sluice_error *err)
{
    sluice_bytes bytes = {0};
    if (one->kind == PART_TEXT) {
        return http_buffer_add(into, one->path, one->len, err);
    }
    sluice_status status = text_of(self, one, record, scratch, &bytes, err);
    if (status != SLUICE_OK) {
        return status;
    }
    if (escape == HTTP_ESCAPE_URL) {
        if (one->in_path && is_step(bytes)) {
            return sluice_fail(err, SLUICE_BAD_RECORD,
                               "%s would lead elsewhere: a part of it is '%.*s' in the "
                               "record",
                               self->key, (int)bytes.len, (const char *)bytes.base);
        }
        return http_buffer_percent(into, bytes.base, bytes.len, err);
    }
    if (has_control(bytes)) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "%s would get a control character from the record: must be "
                           "one line",
                           self->key);
    }
    return http_buffer_add(into, bytes.base, bytes.len, err);
}

sluice_status http_template_render(const http_template *self,
                                   const sluice_record *record, http_escape escape,
                                   sluice_arena *scratch, http_buffer *into,
                                   sluice_error *err)
{
    size_t len_before = into->len;
    sluice_status status = SLUICE_OK;
    sluice_arena_reset(scratch);
    for (size_t i = 0; i < self->count && status == SLUICE_OK; i++) {
        status = render_part(self, &self->parts[i], record, escape, scratch, into, err);
    }
    if (status != SLUICE_OK) {
        into->len = len_before;
    }
    return status;
}
