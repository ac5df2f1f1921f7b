/* connectors/postgres/catalog.c - what the server's catalog says about tables and
 * types. */
#include "catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t result_number(const PGresult *result, int row, int column)
{
    const char *text = result_cell(result, row, column);
    bool negative = *text == '-';
    int64_t number = 0;
    for (text += negative; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(number, INT64_C(10), &number) ||
            __builtin_add_overflow(number, *text - '0', &number)) {
            return 0;
        }
    }
    return negative ? -number : number;
}

static const char *result_text(const PGresult *result, int row, int column,
                               sluice_arena *arena)
{
    if (PQgetisnull(result, row, column)) {
        return NULL;
    }
    return sluice_arena_copy(arena, result_cell(result, row, column),
                             (size_t)PQgetlength(result, row, column));
}

static bool result_true(const PGresult *result, int row, int column)
{
    return *result_cell(result, row, column) == 't';
}

/* The key is that of the replica identity's index where one was chosen, because only
 * its columns come with every update and delete; else the primary key's; else that of
 * the unique index whose columns cannot be null, by name the first, as in JDBC's list.
 */
static const char table_sql[] =
    "WITH key AS (SELECT i.indkey::int2[] AS columns, i.indnkeyatts AS count "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid "
    "JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
    "WHERE i.indrelid = %u AND i.indisunique AND i.indisvalid AND i.indpred IS NULL "
    "AND i.indexprs IS NULL AND (i.indisprimary OR NOT EXISTS (SELECT FROM "
    "pg_catalog.pg_attribute n WHERE n.attrelid = i.indrelid AND NOT n.attnotnull AND "
    "n.attnum = ANY (i.indkey))) "
    "ORDER BY c.relreplident = 'i' AND i.indisreplident DESC, i.indisprimary DESC, "
    "i.indisclustered DESC, x.relname LIMIT 1) "
    "SELECT c.relreplident, a.attname, a.atttypid, a.atttypmod, "
    "a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), "
    "a.attgenerated <> '', CASE WHEN a.attgenerated = '' THEN "
    "pg_catalog.pg_get_expr(d.adbin, d.adrelid) END, "
    "COALESCE((SELECT p.at - 1 FROM key, unnest(key.columns) WITH ORDINALITY "
    "AS p(attnum, at) WHERE p.attnum = a.attnum AND p.at <= key.count), -1), "
    "a.attndims "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
    "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = "
    "a.attnum "
    "WHERE c.oid = %u AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

sluice_status catalog_table(connection *from, uint32_t oid, sluice_arena *arena,
                            table_facts *ret_table, sluice_error *err)
{
    PGresult *result;
    sluice_status status = connection_query(from, err, &result, table_sql, oid, oid);
    if (status != SLUICE_OK) {
        return status;
    }
    int count = PQntuples(result);
    column_facts *columns = sluice_arena_take(arena, (size_t)count * sizeof *columns);
    for (int i = 0; i < count; i++) {
        columns[i] = (column_facts){
            .name = result_text(result, i, 1, arena),
            .type = (uint32_t)result_number(result, i, 2),
            .typmod = (int32_t)result_number(result, i, 3),
            .not_null = result_true(result, i, 4),
            .generated = result_true(result, i, 5),
            .initial = result_text(result, i, 6, arena),
            .key_position = (int)result_number(result, i, 7),
            .dimensions = (int)result_number(result, i, 8),
        };
    }
    *ret_table = (table_facts){
        .identity = count > 0 ? *result_cell(result, 0, 0) : '\0',
        .count = count,
        .columns = columns,
    };
    PQclear(result);
    return SLUICE_OK;
}

/* Domains are followed to their base and arrays to their elements. */
static const char types_sql[] =
    "WITH RECURSIVE t AS (SELECT oid, typname, typtype, typbasetype, typtypmod, "
    "CASE WHEN typcategory = 'A' THEN typelem ELSE 0 END AS element "
    "FROM pg_catalog.pg_type WHERE oid IN (%s) UNION "
    "SELECT p.oid, p.typname, p.typtype, p.typbasetype, p.typtypmod, "
    "CASE WHEN p.typcategory = 'A' THEN p.typelem ELSE 0 END "
    "FROM pg_catalog.pg_type p JOIN t ON p.oid IN (t.typbasetype, t.element)) "
    "SELECT oid, typname, typtype, typbasetype, typtypmod, element, "
    "(SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_catalog.pg_enum "
    "WHERE enumtypid = t.oid), "
    "(SELECT typdelim FROM pg_catalog.pg_type WHERE oid = t.oid) FROM t";

sluice_status catalog_types(connection *from, const uint32_t *oids, size_t count,
                            sluice_arena *arena, type_list *ret_types,
                            sluice_error *err)
{
    char *list = sluice_arena_take(arena, count * 11 + 2);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(list + len, 12, "%s%u", i > 0 ? "," : "", oids[i]);
    }
    *ret_types = (type_list){0, NULL};
    if (count == 0) {
        return SLUICE_OK;
    }
    PGresult *result;
    sluice_status status = connection_query(from, err, &result, types_sql, list);
    if (status != SLUICE_OK) {
        return status;
    }
    int rows = PQntuples(result);
    type_facts *facts = sluice_arena_take(arena, (size_t)rows * sizeof *facts);
    for (int i = 0; i < rows; i++) {
        const char *labels = result_text(result, i, 6, arena);
        facts[i] = (type_facts){
            .oid = (uint32_t)result_number(result, i, 0),
            .name = result_text(result, i, 1, arena),
            .kind = *result_cell(result, i, 2),
            .base = (uint32_t)result_number(result, i, 3),
            .base_typmod = (int32_t)result_number(result, i, 4),
            .element = (uint32_t)result_number(result, i, 5),
            .delimiter = *result_cell(result, i, 7),
            .labels = labels == NULL ? "" : labels,
        };
    }
    *ret_types = (type_list){(size_t)rows, facts};
    PQclear(result);
    return SLUICE_OK;
}

const type_facts *type_list_find(void *types, uint32_t oid)
{
    const type_list *list = types;
    for (size_t i = 0; i < list->count; i++) {
        if (list->facts[i].oid == oid) {
            return &list->facts[i];
        }
    }
    return NULL;
}

/* --- The publication. --- */

/* Row filters and column lists came with PostgreSQL 15. */
static const char published_sql[] =
    "SELECT c.oid, p.schemaname, p.tablename, c.relkind = 'p'%s "
    "FROM pg_catalog.pg_publication_tables p "
    "JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname "
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename "
    "WHERE p.pubname = %s ORDER BY p.schemaname, p.tablename";
static const char published_columns[] =
    ", p.rowfilter, array_to_string(ARRAY(SELECT replace(replace(x, '%', '%25'), '/', "
    "'%2f') FROM unnest(p.attnames) x), '/')";

/* Splits "a/b%2fc" into names. */
static void read_columns(const char *joined, sluice_arena *arena,
                         published_table *table)
{
    size_t count = 1;
    for (const char *at = joined; *at != '\0'; at++) {
        count += *at == '/';
    }
    table->columns = sluice_arena_take(arena, count * sizeof(char *));
    while (*joined != '\0') {
        size_t len = strcspn(joined, "/");
        char *name = sluice_arena_copy(arena, joined, len), *out = name;
        for (char *at = name; *at != '\0'; at++) {
            if (*at == '%') {
                *out++ = at[1] == '2' && at[2] == '5' ? '%' : '/';
                at += 2;
            } else {
                *out++ = *at;
            }
        }
        *out = '\0';
        table->columns[table->column_count++] = name;
        joined += len + (joined[len] == '/');
    }
}

sluice_status catalog_published(connection *from, sluice_arena *arena,
                                published_list *ret_list, sluice_error *err)
{
    bool has_lists = PQserverVersion(from->pq) >= 150000;
    char *name = connection_text(from, from->config->publication);
    PGresult *result;
    sluice_status status = connection_query(from, err, &result, published_sql,
                                            has_lists ? published_columns : "", name);
    free(name);
    if (status != SLUICE_OK) {
        return status;
    }
    size_t count = (size_t)PQntuples(result);
    published_table *tables = sluice_arena_take(arena, count * sizeof *tables);
    for (int i = 0; i < (int)count; i++) {
        tables[i] = (published_table){
            .oid = (uint32_t)result_number(result, i, 0),
            .schema = result_text(result, i, 1, arena),
            .name = result_text(result, i, 2, arena),
            .partitioned = result_true(result, i, 3),
            .has_generated = PQserverVersion(from->pq) >= 180000,
        };
        if (has_lists) {
            tables[i].filter = result_text(result, i, 4, arena);
            read_columns(result_cell(result, i, 5), arena, &tables[i]);
        }
    }
    *ret_list = (published_list){count, tables};
    PQclear(result);
    return SLUICE_OK;
}
