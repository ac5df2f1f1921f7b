/* connectors/postgres/server.c - the server's settings and the publication. */
#include "server.h"
#include "catalog.h"

#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"

/* --- Settings. --- */

/* Whether the server, with this `level` and as a standby or not, decodes its log. */
static sluice_status check_level(connection *query, const char *level, bool standby,
                                 bool goes_on, sluice_error *err)
{
    const postgres_config *config = query->config;
    if (strcmp(level, "logical") != 0) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "wal_level of '%s:%d' is '%s', and change capture needs 'logical': run "
            "ALTER SYSTEM SET wal_level = logical, and restart the server",
            config->hostname, (int)config->port, level);
    }
    if (standby && PQserverVersion(query->pq) < 160000) {
        return sluice_fail(err, goes_on ? SLUICE_RETRY : SLUICE_BAD_CONFIG,
                           "'%s:%d' is a standby, and logical decoding on one needs "
                           "PostgreSQL 16: connect to the primary%s",
                           config->hostname, (int)config->port,
                           goes_on ? ", or wait until this server is promoted" : "");
    }
    return SLUICE_OK;
}

sluice_status server_check(connection *query, bool goes_on, int64_t *ret_timeout_ms,
                           sluice_error *err)
{
    /* From PostgreSQL 19 on, decoding may be on whatever wal_level says. */
    PGresult *result;
    sluice_status status = connection_query(
        query, err, &result,
        "SELECT setting, (SELECT setting FROM pg_catalog.pg_settings "
        "WHERE name = 'wal_sender_timeout'), pg_catalog.pg_is_in_recovery() FROM "
        "pg_catalog.pg_settings WHERE name IN ('effective_wal_level', 'wal_level') "
        "ORDER BY name LIMIT 1");
    if (status != SLUICE_OK) {
        return status;
    }
    if (PQntuples(result) == 1) {
        *ret_timeout_ms = result_number(result, 0, 1);
        status = check_level(query, result_cell(result, 0, 0),
                             *result_cell(result, 0, 2) == 't', goes_on, err);
    }
    PQclear(result);
    return status;
}

sluice_status server_identify(connection *replication, server_facts *ret_server,
                              sluice_error *err)
{
    PGresult *result;
    sluice_status status =
        connection_query(replication, err, &result, "IDENTIFY_SYSTEM");
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_server = (server_facts){.timeline = 0};
    if (PQntuples(result) == 1 && PQnfields(result) >= 3) {
        snprintf(ret_server->system, sizeof ret_server->system, "%s",
                 result_cell(result, 0, 0));
        ret_server->timeline = (uint32_t)result_number(result, 0, 1);
        lsn_parse(result_cell(result, 0, 2), &ret_server->end);
    }
    PQclear(result);
    return SLUICE_OK;
}

sluice_status server_diverged(connection *replication, uint32_t timeline, uint32_t now,
                              lsn at, bool *ret_diverged, lsn *ret_left,
                              sluice_error *err)
{
    *ret_left = 0;
    *ret_diverged = timeline > now;
    if (timeline >= now) {
        return SLUICE_OK;
    }
    PGresult *result;
    sluice_status status = connection_query(replication, err, &result,
                                            "TIMELINE_HISTORY %u", (unsigned)now);
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_diverged = true;
    if (PQntuples(result) == 1 && PQnfields(result) >= 2 &&
        timeline_find(result_cell(result, 0, 1), timeline, ret_left)) {
        *ret_diverged = at > *ret_left;
    }
    PQclear(result);
    return SLUICE_OK;
}

/* --- The publication. --- */

/* Tables that may be published, with whether their UPDATE and DELETE will work then,
 * and whether the publication has them. Of partitioned tables it is either the root or
 * the leaves that is published. */
static const char candidates_sql[] =
    "SELECT n.nspname, c.relname, c.relreplident IN ('f', 'i') OR (c.relreplident = "
    "'d' "
    "AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND "
    "i.indisprimary)), "
    "EXISTS (SELECT FROM pg_catalog.pg_publication_rel r JOIN "
    "pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE p.pubname = %s AND "
    "r.prrelid = c.oid) OR EXISTS (SELECT FROM pg_catalog.pg_publication_tables t "
    "WHERE "
    "t.pubname = %s AND t.schemaname = n.nspname AND t.tablename = c.relname) "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relpersistence = 'p' AND %s "
    "AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema' "
    "ORDER BY n.nspname, c.relname";

typedef struct text {
    char *base;
    size_t len, size;
} text;

static void text_add(text *self, const char *more)
{
    size_t len = strlen(more);
    if (self->len + len + 1 > self->size) {
        self->size = (self->len + len + 1) * 2;
        self->base = realloc(self->base, self->size);
        if (self->base == NULL) {
            abort();
        }
    }
    memcpy(self->base + self->len, more, len + 1);
    self->len += len;
}

static void text_add_table(text *self, connection *query, const char *schema,
                           const char *table)
{
    char *quoted_schema = connection_name(query, schema);
    char *quoted_table = connection_name(query, table);
    text_add(self, self->len > 0 ? ", " : "");
    text_add(self, quoted_schema);
    text_add(self, ".");
    text_add(self, quoted_table);
    free(quoted_schema);
    free(quoted_table);
}

/* The captured tables that the publication lacks, and those that cannot be updated once
 * they are in it, as lists for SQL. */
static sluice_status list_missing(connection *query, const filter *captured,
                                  text *missing, text *fixed, sluice_error *err)
{
    const char *kinds = query->config->via_partition_root
                            ? "c.relkind IN ('r', 'p') AND NOT c.relispartition"
                            : "c.relkind = 'r'";
    char *name = connection_text(query, query->config->publication);
    PGresult *result;
    sluice_status status =
        connection_query(query, err, &result, candidates_sql, name, name, kinds);
    free(name);
    if (status != SLUICE_OK) {
        return status;
    }
    for (int i = 0; i < PQntuples(result); i++) {
        const char *schema = result_cell(result, i, 0),
                   *table = result_cell(result, i, 1);
        if (!filter_table(captured, schema, table) ||
            *result_cell(result, i, 3) == 't') {
            continue;
        }
        text_add_table(missing, query, schema, table);
        if (*result_cell(result, i, 2) != 't') {
            text_add_table(fixed, query, schema, table);
        }
    }
    PQclear(result);
    return SLUICE_OK;
}

static void warn_fixed(const text *fixed)
{
    if (fixed->len > 0) {
        sluice_log(
            SLUICE_WARN, LOGGER,
            "these tables have no replica identity, so that UPDATE and DELETE of "
            "them now fail: %s; give them a primary key, or run ALTER TABLE … "
            "REPLICA IDENTITY FULL",
            fixed->base);
    }
}

static sluice_status create_publication(connection *query, const char *tables,
                                        sluice_error *err)
{
    const postgres_config *config = query->config;
    char *name = connection_name(query, config->publication);
    sluice_status status = connection_query(
        query, err, NULL, "CREATE PUBLICATION %s%s%s", name, tables,
        config->via_partition_root ? " WITH (publish_via_partition_root = true)" : "");
    free(name);
    if (status == SLUICE_OK) {
        sluice_log(SLUICE_INFO, LOGGER, "publication '%s' created%s",
                   config->publication, tables);
    } else {
        sluice_prefix(err,
                      "cannot create publication '%s' (create it by hand and set "
                      "publication.autocreate.mode=disabled, or grant the right)",
                      config->publication);
    }
    return status;
}

static sluice_status create_filtered(connection *query, const filter *captured,
                                     sluice_error *err)
{
    text missing = {NULL, 0, 0}, fixed = {NULL, 0, 0}, list = {NULL, 0, 0};
    sluice_status status = list_missing(query, captured, &missing, &fixed, err);
    if (status == SLUICE_OK) {
        if (missing.len == 0) {
            sluice_log(
                SLUICE_WARN, LOGGER,
                "no table matches the include and exclude lists; the publication "
                "is created empty, and completed at the next start");
        }
        text_add(&list, missing.len > 0 ? " FOR TABLE " : "");
        text_add(&list, missing.len > 0 ? missing.base : "");
        status = create_publication(query, list.base, err);
        warn_fixed(&fixed);
    }
    free(missing.base);
    free(fixed.base);
    free(list.base);
    return status;
}

/* Adds tables that are captured now and were not when the publication was made. Takes
 * none out: others may use it, and what is not captured is passed over here. */
static sluice_status complete_filtered(connection *query, const filter *captured,
                                       sluice_error *err)
{
    text missing = {NULL, 0, 0}, fixed = {NULL, 0, 0};
    sluice_status status = list_missing(query, captured, &missing, &fixed, err);
    if (status == SLUICE_OK && missing.len > 0) {
        char *name = connection_name(query, query->config->publication);
        status = connection_query(query, err, NULL, "ALTER PUBLICATION %s ADD TABLE %s",
                                  name, missing.base);
        free(name);
        if (status == SLUICE_OK) {
            sluice_log(SLUICE_INFO, LOGGER, "publication '%s' completed with %s",
                       query->config->publication, missing.base);
            warn_fixed(&fixed);
        } else {
            sluice_prefix(err, "cannot add %s to publication '%s'", missing.base,
                          query->config->publication);
        }
    }
    free(missing.base);
    free(fixed.base);
    return status;
}

sluice_status publication_prepare(connection *query, const filter *captured,
                                  sluice_error *err)
{
    const postgres_config *config = query->config;
    char *name = connection_text(query, config->publication);
    PGresult *result;
    sluice_status status = connection_query(
        query, err, &result,
        "SELECT p.puballtables, pg_catalog.pg_is_in_recovery() FROM (SELECT) one LEFT "
        "JOIN pg_catalog.pg_publication p ON p.pubname = %s",
        name);
    free(name);
    if (status != SLUICE_OK) {
        return status;
    }
    bool exists = !PQgetisnull(result, 0, 0);
    bool has_all = *result_cell(result, 0, 0) == 't';
    bool standby = *result_cell(result, 0, 1) == 't';
    PQclear(result);
    switch (standby ? PUBLICATION_DISABLED
                    : (publication_mode)config->publication_mode) {
    case PUBLICATION_ALL_TABLES:
        return exists ? SLUICE_OK : create_publication(query, " FOR ALL TABLES", err);
    case PUBLICATION_NO_TABLES:
        return exists ? SLUICE_OK : create_publication(query, "", err);
    case PUBLICATION_FILTERED:
        if (has_all) {
            return SLUICE_OK;
        }
        return exists ? complete_filtered(query, captured, err)
                      : create_filtered(query, captured, err);
    case PUBLICATION_DISABLED:
        break;
    }
    if (!exists) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "publication '%s' does not exist in database '%s', and %s",
                           config->publication, config->dbname,
                           standby ? "the server is a standby: create it on the primary"
                                   : "publication.autocreate.mode is disabled: create "
                                     "it, or set another mode");
    }
    return SLUICE_OK;
}
