/* connectors/postgres/server.c - the server's settings, the publication and the slot.
 */
#include "server.h"
#include "catalog.h"

#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGER "connectors.postgres"

/* --- Settings. --- */

sluice_status server_check(connection *query, int64_t *ret_timeout_ms,
                           sluice_error *err)
{
    /* From PostgreSQL 19 on, decoding may be on whatever wal_level says. */
    PGresult *result;
    sluice_status status = connection_query(
        query, err, &result,
        "SELECT setting, (SELECT setting FROM pg_catalog.pg_settings "
        "WHERE name = 'wal_sender_timeout') FROM pg_catalog.pg_settings "
        "WHERE name IN ('effective_wal_level', 'wal_level') ORDER BY name LIMIT 1");
    if (status != SLUICE_OK) {
        return status;
    }
    if (PQntuples(result) == 1) {
        *ret_timeout_ms = result_number(result, 0, 1);
        if (strcmp(PQgetvalue(result, 0, 0), "logical") != 0) {
            status = sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "wal_level of '%s:%d' is '%s', and change capture needs 'logical': run "
                "ALTER SYSTEM SET wal_level = logical, and restart the server",
                query->config->hostname, (int)query->config->port,
                PQgetvalue(result, 0, 0));
        }
    }
    PQclear(result);
    return status;
}

sluice_status server_identify(connection *replication, char **ret_system,
                              sluice_error *err)
{
    PGresult *result;
    sluice_status status =
        connection_query(replication, err, &result, "IDENTIFY_SYSTEM");
    if (status == SLUICE_OK) {
        *ret_system = strdup(PQntuples(result) == 1 ? PQgetvalue(result, 0, 0) : "");
        PQclear(result);
    }
    return status;
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
        const char *schema = PQgetvalue(result, i, 0),
                   *table = PQgetvalue(result, i, 1);
        if (!filter_table(captured, schema, table) ||
            *PQgetvalue(result, i, 3) == 't') {
            continue;
        }
        text_add_table(missing, query, schema, table);
        if (*PQgetvalue(result, i, 2) != 't') {
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
        "SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname = %s", name);
    free(name);
    if (status != SLUICE_OK) {
        return status;
    }
    bool exists = PQntuples(result) == 1;
    bool has_all = exists && *PQgetvalue(result, 0, 0) == 't';
    PQclear(result);
    switch ((publication_mode)config->publication_mode) {
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
                           "publication '%s' does not exist in database '%s', and "
                           "publication.autocreate.mode is disabled: create it, or set "
                           "another mode",
                           config->publication, config->dbname);
    }
    return SLUICE_OK;
}

/* --- The slot. --- */

sluice_status slot_find(connection *query, slot_facts *ret_slot, sluice_error *err)
{
    const postgres_config *config = query->config;
    PGresult *result;
    sluice_status status = connection_query(
        query, err, &result,
        "SELECT plugin, database, %s, confirmed_flush_lsn, database = "
        "current_database() "
        "FROM pg_catalog.pg_replication_slots WHERE slot_name = '%s'",
        PQserverVersion(query->pq) >= 130000 ? "wal_status = 'lost'" : "false",
        config->slot);
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_slot = (slot_facts){.exists = PQntuples(result) == 1};
    if (ret_slot->exists) {
        const char *plugin = PQgetvalue(result, 0, 0);
        ret_slot->lost = *PQgetvalue(result, 0, 2) == 't';
        lsn_parse(PQgetvalue(result, 0, 3), &ret_slot->confirmed);
        if (strcmp(plugin, "pgoutput") != 0 || *PQgetvalue(result, 0, 4) != 't') {
            status = sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "slot '%s' is for plugin '%s' in database '%s', not for pgoutput in "
                "'%s': choose another slot.name, or drop it with SELECT "
                "pg_drop_replication_slot('%s')",
                config->slot, plugin, PQgetvalue(result, 0, 1), config->dbname,
                config->slot);
        }
    }
    PQclear(result);
    return status;
}

/* Names the transaction that a new slot most likely waits for. */
static void name_blocker(connection *query, sluice_error *err)
{
    PGresult *result;
    sluice_error *other = sluice_error_new();
    sluice_status status = connection_query(
        query, other, &result,
        "SELECT pid, COALESCE(usename, ''), application_name, "
        "date_trunc('second', now() - xact_start) FROM pg_catalog.pg_stat_activity "
        "WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() "
        "ORDER BY age(backend_xid) DESC LIMIT 1");
    if (status == SLUICE_OK) {
        if (PQntuples(result) == 1) {
            sluice_prefix(err,
                          "waiting for the transaction of pid %s (role '%s', '%s'), "
                          "which has run for %s",
                          PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
                          PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 3));
        }
        PQclear(result);
    }
    sluice_error_free(other);
}

static const char *slot_options(const connection *replication, bool exports)
{
    bool failover = replication->config->slot_failover &&
                    PQserverVersion(replication->pq) >= 170000;
    if (failover) {
        return exports ? "(SNAPSHOT 'export', FAILOVER)"
                       : "(SNAPSHOT 'nothing', FAILOVER)";
    }
    return exports ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT";
}

sluice_status slot_create(connection *replication, connection *query, const char *name,
                          bool temporary, bool exports, slot_start *ret_start,
                          sluice_error *err)
{
    int64_t limit = replication->config->slot_create_timeout_ms;
    sluice_status status =
        connection_query(replication, err, NULL, "SET lock_timeout = %d", (int)limit);
    if (status != SLUICE_OK) {
        return status;
    }
    char sql[256];
    snprintf(sql, sizeof sql, "CREATE_REPLICATION_SLOT \"%s\"%s LOGICAL pgoutput %s",
             name, temporary ? " TEMPORARY" : "",
             temporary && !exports ? "NOEXPORT_SNAPSHOT"
                                   : slot_options(replication, exports));
    PGresult *result;
    status = connection_run(replication, sql, limit * 4, &result, err);
    if (status != SLUICE_OK) {
        if (status == SLUICE_RETRY) {
            name_blocker(query, err);
        }
        sluice_prefix(err, "cannot create slot '%s'", name);
        return status;
    }
    const char *snapshot = PQgetvalue(result, 0, 2);
    bool good = lsn_parse(PQgetvalue(result, 0, 1), &ret_start->at);
    snprintf(ret_start->snapshot, sizeof ret_start->snapshot, "%s", snapshot);
    PQclear(result);
    if (!good) {
        return sluice_fail(err, SLUICE_FATAL,
                           "slot '%s' was created without a position", name);
    }
    return SLUICE_OK;
}

sluice_status slot_drop(connection *query, const char *name, sluice_error *err)
{
    return connection_query(query, err, NULL,
                            "SELECT pg_catalog.pg_drop_replication_slot('%s')", name);
}
