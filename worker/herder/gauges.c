/* What plugins count themselves, under names of their own where these are good. */
#include "gauges.h"
#include "base/memory.h"
#include "base/text.h"
#include "exposition.h"
#include <stdlib.h>
#include <string.h>

enum { labels_max = 16 };

/* 'family{a="x",b="y"}' in its parts: texts within the name, escaped as they are. */
typedef struct gauge_name {
    size_t family_len;
    size_t count;
    struct {
        const char *key, *value;
        size_t key_len, value_len;
    } labels[labels_max];
} gauge_name;

/* The length of a label's value with its quotes, of which all is as the format wants
 * it; 0: it is not. */
static size_t value_length(const char *text)
{
    if (text[0] != '"') {
        return 0;
    }
    for (size_t i = 1; text[i] != '\0' && text[i] != '\n'; i++) {
        if (text[i] == '"') {
            return i + 1;
        }
        if (text[i] == '\\') {
            i++;
            if (text[i] != '\\' && text[i] != '"' && text[i] != 'n') {
                return 0;
            }
        }
    }
    return 0;
}

static bool is_text(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool is_taken(const gauge_name *self, const char *key, size_t len)
{
    bool taken = is_text(key, len, "connector") || is_text(key, len, "task");
    for (size_t i = 0; i < self->count; i++) {
        taken = taken || (self->labels[i].key_len == len &&
                          memcmp(self->labels[i].key, key, len) == 0);
    }
    return taken;
}

/* Reads one label at `*at` and moves behind it. */
static bool read_label(gauge_name *self, const char **at)
{
    size_t len = strcspn(*at, "=");
    const char *value = *at + len + ((*at)[len] == '=');
    size_t value_len = value_length(value);
    if (!expose_is_name(*at, len) || value_len == 0 || self->count == labels_max ||
        is_taken(self, *at, len)) {
        return false;
    }
    self->labels[self->count].key = *at;
    self->labels[self->count].key_len = len;
    self->labels[self->count].value = value;
    self->labels[self->count++].value_len = value_len;
    *at = value + value_len;
    return true;
}

static int compare_labels(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

/* Labels come in the order of their names, so that the same are the same text. They
 * begin with their key, which is what is compared: two never share it. */
static void sort_labels(gauge_name *self)
{
    qsort(self->labels, self->count, sizeof self->labels[0], compare_labels);
}

static bool parse(const char *name, gauge_name *ret_name)
{
    *ret_name = (gauge_name){.family_len = strcspn(name, "{")};
    const char *at = name + ret_name->family_len;
    bool good = expose_is_name(name, ret_name->family_len) && *at == '{' &&
                !text_starts(name, "kafka_con") && !text_starts(name, "sluice_") &&
                !text_starts(name, "kafka_partition_") &&
                !text_starts(name, "process_");
    while (good) {
        at++;
        good = read_label(ret_name, &at) && (*at == ',' || *at == '}');
        if (good && *at == '}') {
            sort_labels(ret_name);
            return at[1] == '\0';
        }
    }
    return false;
}

/* --- Families. --- */

static void begin(buffer *out, const char *name, const connector *c, size_t number)
{
    char text[24];
    expose_row(out, name);
    expose_label(out, "connector", c->name);
    snprintf(text, sizeof text, "%zu", number);
    expose_label(out, "task", text);
}

/* The row of a gauge that has a family, into `families`: name -> {labels: row}. */
static void collect(json_t *families, const char *name, const gauge_name *parts,
                    const connector *c, size_t number, const json_t *value)
{
    buffer row = BUFFER_INIT;
    char *family = memory_copy(name, parts->family_len);
    begin(&row, family, c, number);
    for (size_t i = 0; i < parts->count; i++) {
        buffer_append_byte(&row, ',');
        buffer_append(&row, parts->labels[i].key, parts->labels[i].key_len);
        buffer_append_byte(&row, '=');
        buffer_append(&row, parts->labels[i].value, parts->labels[i].value_len);
    }
    json_t *rows = json_object_get(families, family);
    if (rows == NULL) {
        rows = json_object();
        json_object_set_new(families, family, rows);
    }
    json_object_set_new(rows, buffer_text(&row), json_real(json_number_value(value)));
    buffer_done(&row);
    free(family);
}

static void put_families(const json_t *families, buffer *out)
{
    const char *family, *labels;
    json_t *rows, *value;
    json_object_foreach((json_t *)families, family, rows)
    {
        expose_family(out, family, "A number of a plugin's.");
        json_object_foreach(rows, labels, value)
        {
            expose_row(out, labels);
            expose_value(out, json_real_value(value));
        }
    }
}

static void put_task(const connector *c, size_t number, json_t *families, buffer *out)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(c->tasks[number].gauges, "gauges"), name, value)
    {
        gauge_name parts;
        if (parse(name, &parts)) {
            collect(families, name, &parts, c, number, value);
            continue;
        }
        begin(out, "sluice_task_gauge", c, number);
        expose_label(out, "name", name);
        expose_value(out, json_number_value(value));
    }
}

void gauges_put(const herder *self, buffer *out)
{
    const map_entry *entry;
    json_t *families = json_object();
    expose_family(out, "sluice_task_gauge", "A number of the plugin's own.");
    for (size_t at = 0; (entry = map_next(&self->connectors, &at)) != NULL;) {
        const connector *c = entry->value;
        for (size_t t = 0; t < c->task_count && !c->leaving; t++) {
            put_task(c, t, families, out);
        }
    }
    put_families(families, out);
    json_decref(families);
}
