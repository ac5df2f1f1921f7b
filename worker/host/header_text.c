/* What the text of a header means, as Kafka Connect guesses. */
#include "worker/host/header_text.h"
#include "base/map.h"
#include "base/memory.h"
#include "worker/host/header_scalar.h"
#include "worker/host/simple_header.h"
#include <stdlib.h>
#include <string.h>

enum { nesting_max = 100 };

/* --- Words. --- */

/* A word is one of `:,{}[]"`, or what lies between them; a backslash takes their
 * meaning off and stays. The next word may be known already. */
typedef struct reader {
    const char *text;
    size_t len, at;
    bool known;
    size_t first, end;
    sluice_arena *arena;
    int depth;
} reader;

typedef struct word {
    const char *base;
    size_t len;
} word;

static word trim(const char *base, size_t len)
{
    for (; len > 0 && (unsigned char)*base <= ' '; base++) {
        len--;
    }
    while (len > 0 && (unsigned char)base[len - 1] <= ' ') {
        len--;
    }
    return (word){base, len};
}

static bool has_more(const reader *self)
{
    return self->known || self->at < self->len;
}

static void read_word(reader *self)
{
    bool escaped = false;
    self->first = self->at;
    for (; self->at < self->len; self->at++) {
        char c = self->text[self->at];
        if (c == '\\') {
            escaped = !escaped;
            continue;
        }
        if (!escaped && c != '\0' && strchr(":,{}[]\"", c) != NULL) {
            self->at += self->at == self->first;
            break;
        }
        escaped = false;
    }
    self->end = self->at;
}

static word next(reader *self)
{
    if (!self->known) {
        read_word(self);
    }
    self->known = false;
    return (word){self->text + self->first, self->end - self->first};
}

static size_t mark(const reader *self)
{
    return self->known ? self->first : self->at;
}

static void go_to(reader *self, size_t mark)
{
    self->at = mark;
    self->known = false;
}

/* Takes the next word if it is this one; blank ones before it are passed over either
 * way. */
static bool take(reader *self, const char *expected)
{
    if (!has_more(self)) {
        return false;
    }
    if (!self->known) {
        read_word(self);
        self->known = true;
    }
    while (self->at < self->len &&
           trim(self->text + self->first, self->end - self->first).len == 0) {
        read_word(self);
    }
    word found = trim(self->text + self->first, self->end - self->first);
    bool same =
        found.len == strlen(expected) && memcmp(found.base, expected, found.len) == 0;
    self->known = !same;
    return same;
}

/* --- What the parts of a list or map have in common. --- */

typedef struct common {
    bool any, clash;     /* A part that is not null; two that do not go together. */
    bool nulls, logical; /* There was null; there was a date, a time or a decimal. */
    bool loose;          /* Lists or maps whose schemas are not one. */
    sluice_data_type type;
    const sluice_schema *schema;
} common;

static bool is_number(sluice_data_type type)
{
    return type <= SLUICE_TYPE_FLOAT64;
}

static bool is_logical(const sluice_schema *schema)
{
    return schema != NULL && sluice_schema_name(schema) != NULL;
}

/* Whether there is a date, a time or a decimal in it, which needs the schema. */
static bool has_logical(const sluice_schema *schema)
{
    return is_logical(schema) ||
           (schema != NULL && (has_logical(sluice_schema_key(schema)) ||
                               has_logical(sluice_schema_element(schema))));
}

static void merge(common *self, const header_part *part)
{
    if (part->value == NULL) {
        self->nulls = true;
        return;
    }
    sluice_data_type type = sluice_value_type(part->value);
    self->logical = self->logical || has_logical(part->schema);
    if (!self->any) {
        self->any = true;
        self->type = type;
        self->schema = part->schema;
        self->loose = part->schema == NULL;
    } else if (type == self->type) {
        bool is_one = type < SLUICE_TYPE_BYTES; /* No decimal. */
        self->loose = self->loose ||
                      (!is_one && !sluice_schema_equal(self->schema, part->schema));
        self->schema = part->schema;
    } else if (is_number(type) && is_number(self->type)) {
        self->schema = type > self->type ? part->schema : self->schema;
        self->type = type > self->type ? type : self->type;
    } else {
        self->clash = true;
    }
}

static bool has_common(const common *self)
{
    return self->any && !self->clash;
}

/* Whether a plain number among times can be one. */
static bool may_be(const sluice_schema *schema, int64_t number)
{
    return strcmp(sluice_schema_name(schema), SLUICE_TIME) != 0 ||
           (number >= 0 && number <= 86400000);
}

/* A part as the common schema has it; NULL where that cannot be. */
static const sluice_value *fit(const reader *self, const common *to,
                               const header_part *part)
{
    if (part->value == NULL) {
        return NULL;
    }
    if (is_logical(part->schema) &&
        (!is_logical(to->schema) || strcmp(sluice_schema_name(part->schema),
                                           sluice_schema_name(to->schema)) != 0)) {
        return NULL;
    }
    if (!is_number(to->type)) {
        return part->value;
    }
    if (!is_logical(part->schema) && is_logical(to->schema) &&
        !may_be(to->schema, sluice_value_integer(part->value))) {
        return NULL;
    }
    if (sluice_value_type(part->value) == to->type) {
        return part->value;
    }
    bool is_float = sluice_value_type(part->value) >= SLUICE_TYPE_FLOAT32;
    int64_t whole = is_float ? 0 : sluice_value_integer(part->value);
    double number = is_float ? sluice_value_float(part->value) : (double)whole;
    switch (to->type) {
    case SLUICE_TYPE_INT16:
        return sluice_int16(self->arena, (int16_t)whole);
    case SLUICE_TYPE_INT32:
        return sluice_int32(self->arena, (int32_t)whole);
    case SLUICE_TYPE_INT64:
        return sluice_int64(self->arena, whole);
    case SLUICE_TYPE_FLOAT32:
        return sluice_float32(self->arena, (float)number);
    default:
        return sluice_float64(self->arena, number);
    }
}

/* --- Lists and maps. --- */

typedef struct parts {
    header_part *list;
    size_t count, room;
    common common;
} parts;

static void add_part(parts *self, const header_part *part)
{
    if (self->count == self->room) {
        self->room = self->room == 0 ? 8 : 2 * self->room;
        self->list = memory_resize(self->list, self->room * sizeof *self->list);
    }
    self->list[self->count++] = *part;
    merge(&self->common, part);
}

/* Makes all parts of the common schema, if there is one. False where one is not. */
static bool fit_parts(const reader *self, parts *all)
{
    for (size_t i = 0; i < all->count && has_common(&all->common); i++) {
        all->list[i].value = fit(self, &all->common, &all->list[i]);
        if (all->list[i].value == NULL) {
            return false;
        }
    }
    return true;
}

static const sluice_schema *composite(const reader *self, sluice_data_type type,
                                      const common *keys, const common *values)
{
    bool has_schema = has_common(values) && !values->loose &&
                      (keys == NULL || (has_common(keys) && !keys->loose));
    if (!has_schema) {
        return NULL;
    }
    const sluice_schema *schema;
    sluice_schema_builder *builder = sluice_schema_builder_new(self->arena, type);
    if (keys != NULL) {
        sluice_schema_builder_key(builder, keys->schema);
    }
    sluice_schema_builder_element(builder, values->schema);
    return sluice_schema_builder_finish(builder, &schema, NULL) == SLUICE_OK ? schema
                                                                             : NULL;
}

/* Gives a list or map its schema. False where it has none and would lose meaning. */
static bool finish(header_part *self, const sluice_schema *schema, const common *keys,
                   const common *values)
{
    self->schema = schema;
    return schema != NULL || !((keys != NULL && keys->logical) || values->logical);
}

static bool parse(reader *self, bool embedded, header_part *ret);

static bool parse_list(reader *self, parts *elements)
{
    while (has_more(self)) {
        if (take(self, "]")) {
            return true;
        }
        header_part element;
        if (take(self, ",") || !parse(self, true, &element)) {
            return false;
        }
        add_part(elements, &element);
        size_t behind = mark(self);
        if (take(self, "]")) {
            go_to(self, behind);
        } else if (!take(self, ",")) {
            return false;
        }
    }
    return false;
}

static bool list(reader *self, header_part *ret)
{
    parts elements = {0};
    bool good = parse_list(self, &elements) && fit_parts(self, &elements);
    if (good) {
        sluice_value *made = sluice_array_new(self->arena, elements.count);
        for (size_t i = 0; i < elements.count; i++) {
            sluice_array_add(self->arena, made, elements.list[i].value);
        }
        ret->value = made;
        good = finish(ret, composite(self, SLUICE_TYPE_ARRAY, NULL, &elements.common),
                      NULL, &elements.common);
    }
    free(elements.list);
    return good;
}

/* What equal keys share: their type and text. */
static sluice_bytes identity(const reader *self, const header_part *key)
{
    sluice_bytes text = {"", 0};
    simple_header_encode(key->schema, key->value, self->arena, &text, NULL);
    char *whole = sluice_arena_take(self->arena, text.len + 1);
    whole[0] = (char)sluice_value_type(key->value);
    memcpy(whole + 1, text.base, text.len);
    return (sluice_bytes){whole, text.len + 1};
}

/* A key that is there already keeps its place and gets the new value. */
static void add_entry(const reader *self, parts *keys, parts *values, map *known,
                      const header_part *key, const header_part *value)
{
    sluice_bytes id = identity(self, key);
    uintptr_t place = (uintptr_t)map_get(known, id.base, id.len);
    if (place > 0) {
        values->list[place - 1] = *value;
        merge(&values->common, value);
        return;
    }
    add_part(keys, key);
    add_part(values, value);
    map_put(known, id.base, id.len, (void *)(uintptr_t)keys->count);
}

static bool parse_map(reader *self, parts *keys, parts *values, map *known)
{
    while (has_more(self)) {
        if (take(self, "}")) {
            return true;
        }
        header_part key, value;
        if (take(self, ",") || !parse(self, true, &key) || key.value == NULL ||
            !take(self, ":") || !parse(self, true, &value)) {
            return false;
        }
        add_entry(self, keys, values, known, &key, &value);
        take(self, ",");
    }
    return false;
}

/* Without a common schema of keys nothing is made to fit; values only when both have
 * one. */
static bool fit_entries(const reader *self, parts *keys, parts *values)
{
    bool both = has_common(&keys->common) && has_common(&values->common);
    return fit_parts(self, keys) && (!both || fit_parts(self, values));
}

static bool mapping(reader *self, header_part *ret)
{
    parts keys = {0}, values = {0};
    map known = MAP_INIT;
    bool good =
        parse_map(self, &keys, &values, &known) && fit_entries(self, &keys, &values);
    if (good) {
        sluice_value *made = sluice_map_new(self->arena, keys.count);
        for (size_t i = 0; i < keys.count; i++) {
            sluice_map_add(self->arena, made, keys.list[i].value, values.list[i].value);
        }
        ret->value = made;
        good =
            finish(ret, composite(self, SLUICE_TYPE_MAP, &keys.common, &values.common),
                   &keys.common, &values.common);
    }
    map_done(&known);
    free(keys.list);
    free(values.list);
    return good;
}

/* --- Everything else. --- */

static void take_string(const reader *self, const char *base, size_t len,
                        header_part *ret)
{
    *ret = (header_part){sluice_schema_of(SLUICE_TYPE_STRING, false),
                         sluice_string(self->arena, base, len)};
}

/* Joins the words up to the closing quote at `out`, unless that is NULL: how long they
 * are. Blank ones are lost, as in Kafka Connect. */
static size_t join_quoted(reader *self, char *out)
{
    size_t len = 0;
    while (has_more(self) && !take(self, "\"")) {
        word one = next(self);
        if (out != NULL) {
            memcpy(out + len, one.base, one.len);
        }
        len += one.len;
    }
    return len;
}

static void quoted(reader *self, header_part *ret)
{
    size_t start = mark(self), len = join_quoted(self, NULL);
    char *content = sluice_arena_take(self->arena, len + 1);
    go_to(self, start);
    join_quoted(self, content);
    if (!header_time(content, len, self->arena, ret)) {
        take_string(self, content, len, ret);
    }
}

/* A time has colons, which makes it five words. */
static bool time_of(reader *self, word token, header_part *ret)
{
    size_t start = mark(self), words = 0;
    while (words < 4 && has_more(self)) {
        next(self);
        words++;
    }
    char text[64];
    size_t more = self->at - start;
    if (words == 4 && token.len + more <= sizeof text) {
        memcpy(text, token.base, token.len);
        memcpy(text + token.len, self->text + start, more);
        if (header_time(text, token.len + more, self->arena, ret)) {
            return true;
        }
    }
    go_to(self, start);
    return header_time(token.base, token.len, self->arena, ret);
}

/* Whether the next word is this one; a whole text must be nothing else. */
static bool is_literal(reader *self, const char *literal, bool embedded)
{
    size_t start = mark(self);
    if (take(self, literal) && (embedded || !has_more(self))) {
        return true;
    }
    go_to(self, start);
    return false;
}

static bool parse_composite(reader *self, header_part *ret)
{
    size_t start = mark(self);
    bool is_list = take(self, "[");
    if (!is_list && !take(self, "{")) {
        return false; /* Blank words have been passed over. */
    }
    bool good = false;
    if (self->depth < nesting_max) {
        self->depth++;
        good = is_list ? list(self, ret) : mapping(self, ret);
        self->depth--;
    }
    if (!good) {
        go_to(self, start);
    }
    return good;
}

/* False: what is embedded is nothing that may be. */
static bool parse(reader *self, bool embedded, header_part *ret)
{
    *ret = (header_part){NULL, NULL};
    if (!has_more(self)) {
        return true;
    }
    if (embedded && take(self, "\"")) {
        quoted(self, ret);
        return true;
    }
    if (is_literal(self, "null", embedded)) {
        return true;
    }
    bool is_true = is_literal(self, "true", embedded);
    if (is_true || is_literal(self, "false", embedded)) {
        *ret = (header_part){sluice_schema_of(SLUICE_TYPE_BOOLEAN, false),
                             sluice_boolean(is_true)};
        return true;
    }
    if (parse_composite(self, ret)) {
        return true;
    }
    word token = next(self), trimmed = trim(token.base, token.len);
    if (trimmed.len == 0) {
        take_string(self, token.base, token.len, ret);
        return true;
    }
    char first = trimmed.base[0];
    bool is_digit = first >= '0' && first <= '9';
    if ((is_digit && time_of(self, trimmed, ret)) ||
        ((is_digit || first == '+' || first == '-') &&
         header_number(trimmed.base, trimmed.len, self->arena, ret))) {
        return true;
    }
    if (!embedded) {
        take_string(self, self->text, self->len, ret);
    }
    return !embedded;
}

void header_text_parse(sluice_bytes text, sluice_arena *arena,
                       const sluice_schema **ret_schema, const sluice_value **ret_value)
{
    reader self = {.text = text.base, .len = text.len, .arena = arena};
    header_part whole;
    if (text.len == 0) {
        take_string(&self, text.base, 0, &whole);
    } else {
        parse(&self, false, &whole);
    }
    *ret_schema = whole.schema;
    *ret_value = whole.value;
}
