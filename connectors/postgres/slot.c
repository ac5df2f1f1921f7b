/* connectors/postgres/slot.c - the replication slot. */
#include "slot.h"
#include "catalog.h"

#include <sluice/log.h>
#include <stdio.h>
#include <string.h>

#define LOGGER "connectors.postgres"

/* --- What is there. --- */

/* Newer servers say more of why a slot is lost. */
static const char *reason_column(int version)
{
    if (version >= 170000) {
        return "COALESCE(invalidation_reason, CASE WHEN wal_status = 'lost' THEN "
               "'its log was removed' END)";
    }
    if (version >= 160000) {
        return "CASE WHEN wal_status = 'lost' THEN 'its log was removed' WHEN "
               "conflicting THEN 'it conflicted with recovery' END";
    }
    return version >= 130000
               ? "CASE WHEN wal_status = 'lost' THEN 'its log was removed' END"
               : "NULL";
}

static sluice_status other_slot(const postgres_config *config, const PGresult *result,
                                sluice_error *err)
{
    return sluice_fail(
        err, SLUICE_BAD_CONFIG,
        "slot '%s' is for plugin '%s' in database '%s', not for pgoutput in '%s': "
        "choose "
        "another slot.name, or drop it with SELECT pg_drop_replication_slot('%s')",
        config->slot, result_cell(result, 0, 0), result_cell(result, 0, 1),
        config->dbname, config->slot);
}

sluice_status slot_find(connection *query, slot_facts *ret_slot, sluice_error *err)
{
    const postgres_config *config = query->config;
    PGresult *result;
    sluice_status status = connection_query(
        query, err, &result,
        "SELECT COALESCE(plugin, 'none, it is a physical one'), COALESCE(database, "
        "''), %s, confirmed_flush_lsn, COALESCE(database = current_database(), false), "
        "COALESCE(active_pid, 0) FROM pg_catalog.pg_replication_slots WHERE slot_name "
        "= '%s'",
        reason_column(PQserverVersion(query->pq)), config->slot);
    if (status != SLUICE_OK) {
        return status;
    }
    *ret_slot = (slot_facts){.exists = PQntuples(result) == 1};
    if (ret_slot->exists) {
        ret_slot->lost = !PQgetisnull(result, 0, 2);
        snprintf(ret_slot->reason, sizeof ret_slot->reason, "%s",
                 result_cell(result, 0, 2));
        lsn_parse(result_cell(result, 0, 3), &ret_slot->confirmed);
        ret_slot->active_pid = (int)result_number(result, 0, 5);
        if (strcmp(result_cell(result, 0, 0), "pgoutput") != 0 ||
            *result_cell(result, 0, 4) != 't') {
            status = other_slot(config, result, err);
        }
    }
    PQclear(result);
    return status;
}

void slot_holder(connection *query, char out[SLOT_HOLDER_SIZE])
{
    PGresult *result;
    sluice_error *other = sluice_error_new();
    *out = '\0';
    sluice_status status = connection_query(
        query, other, &result,
        "SELECT s.active_pid, COALESCE(a.application_name, ''), COALESCE(a.usename, "
        "''), COALESCE(host(a.client_addr), 'a Unix socket') FROM "
        "pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON "
        "a.pid = s.active_pid WHERE s.slot_name = '%s' AND s.active",
        query->config->slot);
    if (status == SLUICE_OK) {
        if (PQntuples(result) == 1) {
            snprintf(out, SLOT_HOLDER_SIZE, "process %s ('%s', role '%s', from %s)",
                     result_cell(result, 0, 0), result_cell(result, 0, 1),
                     result_cell(result, 0, 2), result_cell(result, 0, 3));
        }
        PQclear(result);
    }
    sluice_error_free(other);
}

/* --- Creation. --- */

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
                          result_cell(result, 0, 0), result_cell(result, 0, 1),
                          result_cell(result, 0, 2), result_cell(result, 0, 3));
        }
        PQclear(result);
    }
    sluice_error_free(other);
}

static const char *slot_options(const connection *replication, bool exports,
                                bool temporary)
{
    bool failover = replication->config->slot_failover && !temporary &&
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
             slot_options(replication, exports, temporary));
    PGresult *result;
    status = connection_run(replication, sql, limit * 4, &result, err);
    if (status != SLUICE_OK) {
        if (status == SLUICE_RETRY) {
            name_blocker(query, err);
        }
        sluice_prefix(err, "cannot create slot '%s'", name);
        return status;
    }
    const char *snapshot = result_cell(result, 0, 2);
    bool good = lsn_parse(result_cell(result, 0, 1), &ret_start->at);
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
