/* connectors/postgres/filter.c - which tables and columns are captured. */
#include "filter.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct regex_list {
    size_t count;
    regex_t *items;
} regex_list;

typedef struct key_rule {
    regex_t table;
    char *columns;
} key_rule;

struct filter {
    regex_list schema_include, schema_exclude, table_include, table_exclude;
    regex_list column_include, column_exclude, snapshot;
    regex_list prefix_include, prefix_exclude;
    size_t rule_count;
    key_rule *rules;
};

enum { NAME_MAX_SIZE = 3 * 64 * 4 + 3 }; /* Three names of 63 characters, in UTF-8. */

static void *take(size_t size)
{
    void *taken = calloc(1, size > 0 ? size : 1);
    if (taken == NULL) {
        abort();
    }
    return taken;
}

/* Writes `java` as a POSIX extended expression that matches whole texts, into `out`,
 * five times as long. False for what POSIX cannot say: lookahead and its kin. */
static bool translate(const char *java, char *out)
{
    memcpy(out, "^(", 2);
    out += 2;
    for (; *java != '\0'; java++) {
        if (strncmp(java, "(?:", 3) == 0) {
            *out++ = '(';
            java += 2;
        } else if (strncmp(java, "(?", 2) == 0) {
            return false;
        } else if (strncmp(java, "\\d", 2) == 0) {
            memcpy(out, "[0-9]", 5);
            out += 5;
            java++;
        } else if (*java == '\\' && java[1] != '\0') {
            *out++ = *java++;
            *out++ = *java;
        } else {
            *out++ = *java;
        }
    }
    memcpy(out, ")$", 3);
    return true;
}

static bool compile(const char *key, const char *java, regex_t *ret_regex,
                    sluice_error *err)
{
    char *posix = take(strlen(java) * 5 + 8);
    bool possible = translate(java, posix);
    int code =
        possible ? regcomp(ret_regex, posix, REG_EXTENDED | REG_ICASE | REG_NOSUB) : 0;
    if (!possible) {
        sluice_fail_key(err, key,
                        "Invalid value %s for configuration %s: groups that begin with "
                        "'(?' other than '(?:' are not supported; write the expression "
                        "without them",
                        java, key);
    } else if (code != 0) {
        char reason[128];
        regerror(code, ret_regex, reason, sizeof reason);
        sluice_fail_key(err, key,
                        "Invalid value %s for configuration %s: no regular expression: "
                        "%s",
                        java, key, reason);
    }
    free(posix);
    return possible && code == 0;
}

static void compile_list(const char *key, const sluice_list *list, regex_list *ret_list,
                         sluice_error *err)
{
    ret_list->items = take(list->count * sizeof(regex_t));
    for (size_t i = 0; i < list->count; i++) {
        if (compile(key, list->items[i], &ret_list->items[ret_list->count], err)) {
            ret_list->count++;
        }
    }
}

/* One "schema.table:a,b" of message.key.columns. */
static void compile_rule(filter *self, const char *text, size_t len, sluice_error *err)
{
    char *rule = take(len + 1);
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
    key_rule *made = &self->rules[self->rule_count];
    if (compile("message.key.columns", rule, &made->table, err)) {
        made->columns = take(strlen(colon + 1) + 1);
        memcpy(made->columns, colon + 1, strlen(colon + 1));
        self->rule_count++;
    }
    free(rule);
}

static void compile_rules(filter *self, const char *text, sluice_error *err)
{
    size_t count = 1;
    for (const char *at = text; *at != '\0'; at++) {
        count += *at == ';';
    }
    self->rules = take(count * sizeof *self->rules);
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
    filter *self = take(sizeof *self);
    size_t before = sluice_error_count(err);
    compile_list("schema.include.list", &config->schema_include, &self->schema_include,
                 err);
    compile_list("schema.exclude.list", &config->schema_exclude, &self->schema_exclude,
                 err);
    compile_list("table.include.list", &config->table_include, &self->table_include,
                 err);
    compile_list("table.exclude.list", &config->table_exclude, &self->table_exclude,
                 err);
    compile_list("column.include.list", &config->column_include, &self->column_include,
                 err);
    compile_list("column.exclude.list", &config->column_exclude, &self->column_exclude,
                 err);
    compile_list("snapshot.include.collection.list", &config->snapshot_tables,
                 &self->snapshot, err);
    compile_list("message.prefix.include.list", &config->prefix_include,
                 &self->prefix_include, err);
    compile_list("message.prefix.exclude.list", &config->prefix_exclude,
                 &self->prefix_exclude, err);
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

static void list_free(regex_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        regfree(&list->items[i]);
    }
    free(list->items);
}

void filter_free(filter *self)
{
    if (self == NULL) {
        return;
    }
    list_free(&self->schema_include);
    list_free(&self->schema_exclude);
    list_free(&self->table_include);
    list_free(&self->table_exclude);
    list_free(&self->column_include);
    list_free(&self->column_exclude);
    list_free(&self->snapshot);
    list_free(&self->prefix_include);
    list_free(&self->prefix_exclude);
    for (size_t i = 0; i < self->rule_count; i++) {
        regfree(&self->rules[i].table);
        free(self->rules[i].columns);
    }
    free(self->rules);
    free(self);
}

static bool any_matches(const regex_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (regexec(&list->items[i], name, 0, NULL, 0) == 0) {
            return true;
        }
    }
    return false;
}

static bool passes(const regex_list *include, const regex_list *exclude,
                   const char *name)
{
    return (include->count == 0 || any_matches(include, name)) &&
           !any_matches(exclude, name);
}

bool filter_table(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    bool of_system =
        strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0;
    return !of_system && passes(&self->schema_include, &self->schema_exclude, schema) &&
           passes(&self->table_include, &self->table_exclude, name);
}

bool filter_column(const filter *self, const char *schema, const char *table,
                   const char *column)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s.%s", schema, table, column);
    return passes(&self->column_include, &self->column_exclude, name);
}

bool filter_prefix(const filter *self, const char *prefix)
{
    return passes(&self->prefix_include, &self->prefix_exclude, prefix);
}

bool filter_snapshot(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    return self->snapshot.count == 0 || any_matches(&self->snapshot, name);
}

const char *filter_key(const filter *self, const char *schema, const char *table)
{
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%s.%s", schema, table);
    for (size_t i = 0; i < self->rule_count; i++) {
        if (regexec(&self->rules[i].table, name, 0, NULL, 0) == 0) {
            return self->rules[i].columns;
        }
    }
    return NULL;
}
