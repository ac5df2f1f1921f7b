/* connectors/postgres/plugin.c - the manifest: a source for the changes of PostgreSQL.
 */
#include "source.h"

static const char *const source_aliases[] = {
    "io.debezium.connector.postgresql.PostgresConnector", "PostgresConnector", NULL};

static const char source_doc[] =
    "Reads the rows of tables once, and from then on every change of them, in the "
    "order "
    "of commits, through PostgreSQL's logical replication.\n\n"
    "Configuration keys, topics, keys and values are those of the Debezium connector "
    "for "
    "PostgreSQL. The server needs `wal_level = logical`; the role needs `REPLICATION`, "
    "and `SELECT` on the tables.\n\n"
    "Each change is delivered at least once, and exactly once where the worker has "
    "exactly-once support. After a restart the stream goes on behind the last stored "
    "change, also within a transaction. The server is told to forget only what is "
    "stored; a slot whose tables are idle does not grow.";

static const sluice_feature source_feature = {
    .size = sizeof(sluice_feature),
    .kind = SLUICE_SOURCE,
    .name = "postgres-source",
    .summary = "The rows of PostgreSQL tables, and every change of them.",
    .doc = source_doc,
    .aliases = source_aliases,
    .stands_for = "3.3.1.Final",
    .config = &postgres_config_table,
    .ops.source = &postgres_source_ops,
};

static const sluice_feature *const features[] = {&source_feature, NULL};

SLUICE_PLUGIN(.name = "postgres", .version = "0.1.0", .license = "Apache-2.0",
              .features = features);
