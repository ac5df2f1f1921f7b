/* connectors/postgres/snapshot_tables.c - which tables a snapshot reads, and by what
 * query. */
#include "snapshot_tables.h"

#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"
#define KEY    "snapshot.select.statement.overrides"

/* --- Statements of the user's. --- */

static bool is_listed(const postgres_config *config, const char *label)
{
    for (size_t i = 0; i < config->overrides.count; i++) {
        if (strcmp(config->overrides.items[i], label) == 0) {
            return true;
        }
    }
    return false;
}

/* The statement for a table, without what ends it; NULL: there is none. */
static const char *statement_of(const postgres_config *config,
                                const sluice_props *props, const char *label,
                                sluice_arena *arena)
{
    if (!is_listed(config, label)) {
        return NULL;
    }
    const char *text =
        sluice_props_get(props, sluice_arena_print(arena, NULL, KEY ".%s", label));
    if (text == NULL) {
        return NULL;
    }
    size_t len = strlen(text);
    while (len > 0 && strchr("; \t\r\n", text[len - 1]) != NULL) {
        len--;
    }
    return len > 0 ? sluice_arena_copy(arena, text, len) : NULL;
}

sluice_status snapshot_overrides_check(const postgres_config *config,
                                       const sluice_props *props, sluice_error *err)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < config->overrides.count && status == SLUICE_OK; i++) {
        const char *label = config->overrides.items[i];
        if (statement_of(config, props, label, arena) == NULL) {
            status =
                sluice_fail(err, SLUICE_BAD_CONFIG,
                            "'" KEY "' lists '%s', and '" KEY ".%s' is not set: set "
                            "it to the SELECT that reads the table, or take the "
                            "table out of the list",
                            label, label);
        }
    }
    sluice_arena_free(arena);
    return status;
}

/* --- Tables. --- */

/* Children of an inheritance tree are tables of their own; partitions are not. */
static const char *source_of(connection *link, const published_table *table,
                             const char *label, sluice_arena *arena,
                             bool *ret_is_chosen)
{
    const char *statement =
        statement_of(link->config, sluice_task_props(link->task), label, arena);
    *ret_is_chosen = statement != NULL;
    if (statement != NULL) {
        sluice_log(SLUICE_INFO, LOGGER, "table '%s' is read with: %s", label,
                   statement);
        return sluice_arena_print(arena, NULL, "(%s) AS chosen", statement);
    }
    char *schema = connection_name(link, table->schema);
    char *name = connection_name(link, table->name);
    const char *source = sluice_arena_print(
        arena, NULL, "%s%s.%s%s%s", table->partitioned ? "" : "ONLY ", schema, name,
        table->filter != NULL ? " WHERE " : "",
        table->filter != NULL ? table->filter : "");
    free(schema);
    free(name);
    return source;
}

sluice_status snapshot_table_fault(const connection *link, const snapshot_table *table,
                                   sluice_status status, sluice_error *err)
{
    bool altered =
        status == SLUICE_FATAL && !table->is_chosen &&
        (strcmp(link->state, "42P01") == 0 || strcmp(link->state, "42703") == 0);
    sluice_prefix(err, "snapshot of table '%s'%s", table->label,
                  altered ? ", which was altered while the snapshot began" : "");
    return altered ? SLUICE_RETRY : status;
}

/* "Seq Scan on t  (cost=0.00..35.50 rows=2550 width=4)" */
static int64_t rows_of_plan(const char *line)
{
    const char *rows = strstr(line, " rows=");
    if (rows == NULL) {
        return -1;
    }
    int64_t count = 0;
    for (rows += 6; *rows >= '0' && *rows <= '9' && count < INT64_MAX / 100; rows++) {
        count = count * 10 + (*rows - '0');
    }
    return count;
}

/* This also holds the table against DDL until it is read: what rewrites a table, as
 * TRUNCATE and some changes of types do, takes its rows away from older snapshots. It
 * needs no other right than reading does. */
static sluice_status ask_rows(connection *link, snapshot_table *table,
                              sluice_error *err)
{
    PGresult *result;
    sluice_status status =
        connection_query(link, err, &result, "EXPLAIN SELECT 1 FROM %s", table->source);
    if (status != SLUICE_OK) {
        return snapshot_table_fault(link, table, status, err);
    }
    table->rows = PQntuples(result) > 0 ? rows_of_plan(result_cell(result, 0, 0)) : -1;
    PQclear(result);
    return SLUICE_OK;
}

/* As table.include.list has them, then by name. */
static int by_rank(const void *one, const void *other)
{
    const snapshot_table *a = one, *b = other;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    return strcmp(a->label, b->label);
}

static int by_rows(const void *one, const void *other)
{
    const snapshot_table *a = one, *b = other;
    if (a->rows != b->rows) {
        return a->rows < b->rows ? -1 : 1;
    }
    return by_rank(one, other);
}

static int by_rows_most_first(const void *one, const void *other)
{
    const snapshot_table *a = one, *b = other;
    if (a->rows != b->rows) {
        return a->rows > b->rows ? -1 : 1;
    }
    return by_rank(one, other);
}

static void order(const postgres_config *config, snapshot_tables *list)
{
    int (*compare)(const void *, const void *) = by_rank;
    if (config->snapshot_order != ORDER_DISABLED) {
        compare =
            config->snapshot_order == ORDER_ASCENDING ? by_rows : by_rows_most_first;
    }
    qsort(list->tables, list->count, sizeof *list->tables, compare);
}

sluice_status snapshot_tables_find(connection *link, const filter *captured,
                                   sluice_arena *arena, snapshot_tables *ret_tables,
                                   sluice_error *err)
{
    published_list all;
    sluice_status status = catalog_published(link, arena, &all, err);
    if (status != SLUICE_OK) {
        return status;
    }
    snapshot_tables list = {
        0, sluice_arena_take(arena, (all.count + 1) * sizeof(snapshot_table)), 0};
    for (size_t i = 0; i < all.count && status == SLUICE_OK; i++) {
        const published_table *one = &all.tables[i];
        if (!filter_table(captured, one->schema, one->name) ||
            !filter_snapshot(captured, one->schema, one->name)) {
            continue;
        }
        snapshot_table *table = &list.tables[list.count++];
        table->published = one;
        table->rank = filter_table_rank(captured, one->schema, one->name);
        table->label = sluice_arena_print(arena, NULL, "%s.%s", one->schema, one->name);
        table->source = source_of(link, one, table->label, arena, &table->is_chosen);
        status = ask_rows(link, table, err);
        if (table->rows < 0 || list.rows < 0 ||
            __builtin_add_overflow(list.rows, table->rows, &list.rows)) {
            list.rows = -1;
        }
    }
    order(link->config, &list);
    *ret_tables = list;
    return status;
}
