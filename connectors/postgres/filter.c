/* connectors/postgres/filter.c - which tables and columns are captured. */
#include "filter.h"
#include "pattern.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of message.key.columns: columns of whatever tables, by their whole names. */
typedef struct key_rule {
    regex_t columns;
} key_rule;

struct filter {
    pattern_list schema_include, schema_exclude, table_include, table_exclude;
    pattern_list column_include, column_exclude, snapshot;
    pattern_list prefix_include, prefix_exclude;
    pattern_list column_propagate, type_propagate;
    masks *masks;
    size_t rule_count;
    key_rule *rules;
};

/* The column's expression behind the table's, which belong together. */
static void compile_column(filter *self, const char *table, const char *column,
                           size_t len, sluice_error *err)
{
    size_t size = strlen(table) + len + 2;
    char *java = pattern_take(size);
    snprintf(java, size, "%s.%.*s", table, (int)len, column);
    key_rule *made = &self->rules[self->rule_count];
    if (pattern_compile("message.key.columns", java, &made->columns, err)) {
        self->rule_count++;
    }
    free(java);
}

/* One "schema.table:a,b" of message.key.columns. */
static void compile_rule(filter *self, const char *text, size_t len, sluice_error *err)
{
    char *rule = pattern_take(len + 1);
    memcpy(rule, text, len);
    char *colon = strrchr(rule, ':');
    if (colon == NULL || colon == rule || colon[1] == '\0') {
        sluice_fail_key(err, "message.key.columns",
                        "Invalid value %s for configuration message.key.columns: "
                        "'schema.table:column,column' is expected",
                        rule);
        free(rule);
        return;
    }
    *colon = '\0';
    for (const char *at = colon + 1; *at != '\0';) {
        at += strspn(at, " \t\n");
        size_t column = strcspn(at, ","), size = column;
        while (size > 0 && strchr(" \t\n", at[size - 1]) != NULL) {
            size--;
        }
        if (size > 0) {
            compile_column(self, rule, at, size, err);
        }
        at += column + (at[column] == ',');
    }
    free(rule);
}

static void compile_rules(filter *self, const char *text, sluice_error *err)
{
    size_t count = 1;
    for (const char *at = text; *at != '\0'; at++) {
        count += *at == ';' || *at == ',';
    }
    self->rules = pattern_take(count * sizeof *self->rules);
    while (*text != '\0') {
        size_t len = strcspn(text, ";");
        size_t skip = strspn(text, " \t\n");
        if (len > skip) {
            compile_rule(self, text + skip, len - skip, err);
        }
        text += len + (text[len] == ';');
    }
}

sluice_status filter_new(const postgres_config *config, filter **ret_filter,
                         sluice_error *err)
{
    filter *self = pattern_take(sizeof *self);
    size_t before = sluice_error_count(err);
    pattern_list_init(&self->schema_include, "schema.include.list",
                      &config->schema_include, err);
    pattern_list_init(&self->schema_exclude, "schema.exclude.list",
                      &config->schema_exclude, err);
    pattern_list_init(&self->table_include, "table.include.list",
                      &config->table_include, err);
    pattern_list_init(&self->table_exclude, "table.exclude.list",
                      &config->table_exclude, err);
    pattern_list_init(&self->column_include, "column.include.list",
                      &config->column_include, err);
    pattern_list_init(&self->column_exclude, "column.exclude.list",
                      &config->column_exclude, err);
    pattern_list_init(&self->snapshot, "snapshot.include.collection.list",
                      &config->snapshot_tables, err);
    pattern_list_init(&self->prefix_include, "message.prefix.include.list",
                      &config->prefix_include, err);
    pattern_list_init(&self->prefix_exclude, "message.prefix.exclude.list",
                      &config->prefix_exclude, err);
    pattern_list_init(&self->column_propagate, "column.propagate.source.type",
                      &config->column_propagate, err);
    pattern_list_init(&self->type_propagate, "datatype.propagate.source.type",
                      &config->type_propagate, err);
    self->masks = masks_new(config, err);
    if (config->key_columns != NULL) {
        compile_rules(self, config->key_columns, err);
    }
    if (sluice_error_count(err) > before) {
        filter_free(self);
        return SLUICE_BAD_CONFIG;
    }
    *ret_filter = self;
    return SLUICE_OK;
}

void filter_free(filter *self)
{
    if (self == NULL) {
        return;
    }
    pattern_list_done(&self->schema_include);
    pattern_list_done(&self->schema_exclude);
    pattern_list_done(&self->table_include);
    pattern_list_done(&self->table_exclude);
    pattern_list_done(&self->column_include);
    pattern_list_done(&self->column_exclude);
    pattern_list_done(&self->snapshot);
    pattern_list_done(&self->prefix_include);
    pattern_list_done(&self->prefix_exclude);
    pattern_list_done(&self->column_propagate);
    pattern_list_done(&self->type_propagate);
    masks_free(self->masks);
    for (size_t i = 0; i < self->rule_count; i++) {
        regfree(&self->rules[i].columns);
    }
    free(self->rules);
    free(self);
}

static bool passes(const pattern_list *include, const pattern_list *exclude,
                   const char *name)
{
    return (include->count == 0 || pattern_list_has(include, name)) &&
           !pattern_list_has(exclude, name);
}

bool filter_table(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    bool of_system =
        strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0 ||
        strcmp(table, "spatial_ref_sys") == 0; /* Of PostGIS, 8,500 rows. */
    return !of_system && passes(&self->schema_include, &self->schema_exclude, schema) &&
           passes(&self->table_include, &self->table_exclude, name);
}

size_t filter_table_rank(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    size_t rank = 0;
    while (rank < self->table_include.count &&
           !pattern_matches(&self->table_include.items[rank], name)) {
        rank++;
    }
    return rank;
}

bool filter_column(const filter *self, const char *schema, const char *table,
                   const char *column)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
    return passes(&self->column_include, &self->column_exclude, name);
}

const mask *filter_mask(const filter *self, const char *schema, const char *table,
                        const char *column)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
    return masks_find(self->masks, name);
}

bool filter_tells_type(const filter *self, const char *schema, const char *table,
                       const char *column, const char *type)
{
    char name[NAME_MAX_SIZE], of_type[2 * NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
    snprintf(of_type, sizeof of_type, "%s.%s.%s", schema, table, type);
    return pattern_list_has(&self->column_propagate, name) ||
           pattern_list_has(&self->type_propagate, of_type);
}

bool filter_prefix(const filter *self, const char *prefix)
{
    return passes(&self->prefix_include, &self->prefix_exclude, prefix);
}

bool filter_snapshot(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    return self->snapshot.count == 0 || pattern_list_has(&self->snapshot, name);
}

int filter_key(const filter *self, const char *schema, const char *table,
               const char *column)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
    for (size_t i = 0; i < self->rule_count; i++) {
        if (pattern_matches(&self->rules[i].columns, name)) {
            return (int)i;
        }
    }
    return -1;
}
