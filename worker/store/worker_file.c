/* A standalone worker's memory: offsets and configurations in SQLite. */
#include "worker/store/worker_file.h"
#include "base/memory.h"
#include "worker/store/java_map.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { busy_ms = 5000 }; /* A predecessor that is being killed lets go by then. */

struct worker_file {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *put_offset, *put_config, *delete_config;
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS offsets(connector TEXT NOT NULL, partition TEXT NOT "
    "NULL,"
    " offset TEXT NOT NULL, PRIMARY KEY(connector, partition)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS connectors(name TEXT PRIMARY KEY, config TEXT NOT NULL,"
    " target TEXT NOT NULL) WITHOUT ROWID;";

/* A null offset stays as one, as a tombstone does in a topic. */
static const char put_offset_text[] =
    "INSERT INTO offsets VALUES(?1, ?2, ?3)"
    " ON CONFLICT DO UPDATE SET offset = excluded.offset";
static const char put_config_text[] =
    "INSERT INTO connectors VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET"
    " config = excluded.config, target = excluded.target";
static const char delete_config_text[] = "DELETE FROM connectors WHERE name = ?1";

static sluice_status fail(worker_file *self, sluice_error *err)
{
    return sluice_fail(err, SLUICE_FATAL, "'%s': %s", self->path,
                       sqlite3_errmsg(self->db));
}

static sluice_status run(worker_file *self, const char *text, sluice_error *err)
{
    return sqlite3_exec(self->db, text, NULL, NULL, NULL) == SQLITE_OK
               ? SLUICE_OK
               : fail(self, err);
}

static sluice_status prepare(worker_file *self, const char *text, sqlite3_stmt **ret,
                             sluice_error *err)
{
    return sqlite3_prepare_v2(self->db, text, -1, ret, NULL) == SQLITE_OK
               ? SLUICE_OK
               : fail(self, err);
}

static sluice_status set_up(worker_file *self, sluice_error *err)
{
    sluice_status status;
    sqlite3_busy_timeout(self->db, busy_ms);
    if ((status = run(self, "PRAGMA locking_mode = EXCLUSIVE", err)) != SLUICE_OK ||
        (status = run(self, "PRAGMA journal_mode = WAL", err)) != SLUICE_OK ||
        (status = run(self, "PRAGMA synchronous = FULL", err)) != SLUICE_OK ||
        (status = run(self, schema, err)) != SLUICE_OK ||
        (status = prepare(self, put_offset_text, &self->put_offset, err)) !=
            SLUICE_OK ||
        (status = prepare(self, put_config_text, &self->put_config, err)) !=
            SLUICE_OK) {
        return status;
    }
    return prepare(self, delete_config_text, &self->delete_config, err);
}

/* Where it is not there yet: configurations may hold passwords. SQLite's other files
 * get the permissions of this one; what cannot be made it says itself. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static sluice_status open_plain(const char *path, worker_file **ret_file,
                                sluice_error *err)
{
    worker_file *self = memory_zero(sizeof *self);
    self->path = memory_text(path);
    make_private(path);
    if (sqlite3_open(path, &self->db) != SQLITE_OK) {
        sluice_status status = fail(self, err);
        worker_file_close(self);
        return status;
    }
    sluice_status status = set_up(self, err);
    if (status != SLUICE_OK) {
        bool busy = (sqlite3_errcode(self->db) & 0xff) == SQLITE_BUSY;
        worker_file_close(self);
        return busy ? sluice_fail(err, SLUICE_FATAL, "'%s' is in use by another worker",
                                  path)
                    : status;
    }
    *ret_file = self;
    return SLUICE_OK;
}

void worker_file_close(worker_file *self)
{
    if (self == NULL) {
        return;
    }
    sqlite3_finalize(self->put_offset);
    sqlite3_finalize(self->put_config);
    sqlite3_finalize(self->delete_config);
    sqlite3_close(self->db);
    free(self->path);
    free(self);
}

sluice_status worker_file_begin(worker_file *self, sluice_error *err)
{
    return run(self, "BEGIN IMMEDIATE", err);
}

sluice_status worker_file_commit(worker_file *self, sluice_error *err)
{
    return run(self, "COMMIT", err);
}

void worker_file_rollback(worker_file *self)
{
    if (!sqlite3_get_autocommit(self->db)) {
        sqlite3_exec(self->db, "ROLLBACK", NULL, NULL, NULL);
    }
}

/* Takes `text`, which may be NULL. */
static void bind_taken(sqlite3_stmt *statement, int index, char *text)
{
    sqlite3_bind_text(statement, index, text == NULL ? "null" : text, -1,
                      SQLITE_TRANSIENT);
    free(text);
}

static sluice_status finish(worker_file *self, sqlite3_stmt *statement,
                            sluice_error *err)
{
    int outcome = sqlite3_step(statement);
    sluice_status status = outcome == SQLITE_DONE ? SLUICE_OK : fail(self, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

sluice_status worker_file_put_offsets(worker_file *self, const char *connector,
                                      const json_t *pairs, sluice_error *err)
{
    size_t index;
    json_t *pair;
    int flags = JSON_COMPACT | JSON_ENCODE_ANY;
    json_array_foreach(pairs, index, pair)
    {
        sqlite3_stmt *put = self->put_offset;
        sqlite3_bind_text(put, 1, connector, -1, SQLITE_TRANSIENT);
        bind_taken(put, 2, json_dumps(json_array_get(pair, 0), flags | JSON_SORT_KEYS));
        bind_taken(put, 3, json_dumps(json_array_get(pair, 1), flags));
        sluice_status status = finish(self, put, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

sluice_status worker_file_put_config(worker_file *self, const char *connector,
                                     const json_t *config, sluice_error *err)
{
    sqlite3_stmt *put = config == NULL ? self->delete_config : self->put_config;
    sqlite3_bind_text(put, 1, connector, -1, SQLITE_TRANSIENT);
    if (config != NULL) {
        const char *target = json_string_value(json_object_get(config, "target"));
        bind_taken(put, 2, json_dumps(json_object_get(config, "config"), JSON_COMPACT));
        sqlite3_bind_text(put, 3, target, -1, SQLITE_TRANSIENT);
    }
    return finish(self, put, err);
}

static json_t *column_json(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    json_t *value = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    return value == NULL ? json_null() : value;
}

static sluice_status end_of(worker_file *self, sqlite3_stmt *statement, int outcome,
                            sluice_error *err)
{
    sluice_status status = outcome == SQLITE_DONE ? SLUICE_OK : fail(self, err);
    sqlite3_finalize(statement);
    return status;
}

sluice_status worker_file_offsets(worker_file *self, json_t **ret_list,
                                  sluice_error *err)
{
    sqlite3_stmt *all;
    int outcome;
    sluice_status status =
        prepare(self, "SELECT connector, partition, offset FROM offsets", &all, err);
    if (status != SLUICE_OK) {
        return status;
    }
    json_t *list = json_array();
    while ((outcome = sqlite3_step(all)) == SQLITE_ROW) {
        json_array_append_new(
            list, json_pack("{s:s, s:[[o, o]]}", "name", sqlite3_column_text(all, 0),
                            "offsets", column_json(all, 1), column_json(all, 2)));
    }
    *ret_list = list;
    status = end_of(self, all, outcome, err);
    if (status != SLUICE_OK) {
        json_decref(list);
    }
    return status;
}

sluice_status worker_file_configs(worker_file *self, json_t **ret_list,
                                  sluice_error *err)
{
    sqlite3_stmt *all;
    int outcome;
    sluice_status status =
        prepare(self, "SELECT name, config, target FROM connectors", &all, err);
    if (status != SLUICE_OK) {
        return status;
    }
    json_t *list = json_array();
    while ((outcome = sqlite3_step(all)) == SQLITE_ROW) {
        json_array_append_new(list, json_pack("{s:s, s:o, s:s}", "name",
                                              sqlite3_column_text(all, 0), "config",
                                              column_json(all, 1), "target",
                                              sqlite3_column_text(all, 2)));
    }
    *ret_list = list;
    status = end_of(self, all, outcome, err);
    if (status != SLUICE_OK) {
        json_decref(list);
    }
    return status;
}

/* --- Taking over a file of Kafka Connect's. --- */

typedef struct import {
    worker_file *file;
    int count;
} import;

/* A key is `["connector",{partition}]`, a value `{offset}` or nothing. */
static sluice_status import_entry(void *context, const char *key, size_t key_len,
                                  const char *value, size_t value_len,
                                  sluice_error *err)
{
    import *into = context;
    json_t *name = json_loadb(key, key_len, 0, NULL);
    json_t *offset =
        value == NULL ? json_null() : json_loadb(value, value_len, 0, NULL);
    const char *connector = json_string_value(json_array_get(name, 0));
    sluice_status status = SLUICE_OK;
    if (connector == NULL || offset == NULL) {
        status = sluice_fail(err, SLUICE_FATAL,
                             "an entry is not a connector, a partition and an offset");
    } else {
        json_t *pairs = json_pack("[[O, O]]", json_array_get(name, 1), offset);
        status = worker_file_put_offsets(into->file, connector, pairs, err);
        json_decref(pairs);
        into->count++;
    }
    json_decref(name);
    json_decref(offset);
    return status;
}

static sluice_status import_all(const char *path, import *into, sluice_error *err)
{
    sluice_status status = worker_file_begin(into->file, err);
    if (status == SLUICE_OK) {
        status = java_map_read(path, import_entry, into, err);
    }
    if (status == SLUICE_OK) {
        status = worker_file_commit(into->file, err);
    }
    return status;
}

/* The new file is complete under another name before the old one makes room. */
static sluice_status take_over(const char *path, int *ret_imported, sluice_error *err)
{
    char *made = memory_print("%s.new", path);
    char *kept = memory_print("%s.kafka-connect", path);
import into = {0 };
    remove(made);
    sluice_status status = open_plain(made, &into.file, err);
    if (status == SLUICE_OK) {
        status = import_all(path, &into, err);
        worker_file_close(into.file);
    }
    if (status == SLUICE_OK && (rename(path, kept) != 0 || rename(made, path) != 0)) {
        status =
            sluice_fail(err, SLUICE_FATAL, "cannot be renamed: %s", strerror(errno));
    }
    if (status == SLUICE_OK) {
        *ret_imported = into.count;
    } else {
        sluice_prefix(err, "'%s' is an offsets file of Kafka Connect, but", path);
        remove(made);
    }
    free(made);
    free(kept);
    return status;
}

sluice_status worker_file_open(const char *path, worker_file **ret_file,
                               int *ret_imported, sluice_error *err)
{
    *ret_imported = -1;
    if (java_map_is(path)) {
        sluice_status status = take_over(path, ret_imported, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return open_plain(path, ret_file, err);
}
