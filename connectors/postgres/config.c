/* connectors/postgres/config.c - the table of keys, and the rules between them. */
#include "config.h"
#include "filter.h"

#include <string.h>

#define AT(type, field) SLUICE_AT(type, postgres_config, field)
#define NO_USE(key, why)                                                               \
    {                                                                                  \
        .name = key, .fallback = SLUICE_NULL, .doc = why, .unused = why,               \
        .type = SLUICE_STRING, .importance = SLUICE_LOW                                \
    }

static const char *const sslmodes[] = {"disable",   "allow",       "prefer", "require",
                                       "verify-ca", "verify-full", NULL};
static const char *const plugins[] = {"decoderbufs", "pgoutput", NULL};
static const char *const publication_modes[] = {"all_tables", "filtered", "disabled",
                                                "no_tables", NULL};
static const char *const flush_modes[] = {"connector", "manual", "connector_and_driver",
                                          NULL};
static const char *const mismatches[] = {
    "no_validation", "trust_offset", "trust_slot", "trust_greater_lsn", "fail", NULL};
static const char *const decimal_modes[] = {"precise", "double", "string", NULL};
static const char *const time_modes[] = {"adaptive",
                                         "adaptive_time_microseconds",
                                         "connect",
                                         "isostring",
                                         "microseconds",
                                         "nanoseconds",
                                         NULL};
static const char *const interval_modes[] = {"numeric", "string", NULL};
static const char *const binary_modes[] = {"bytes", "base64", "base64-url-safe", "hex",
                                           NULL};
static const char *const hstore_modes[] = {"json", "map", NULL};
static const char *const adjustment_modes[] = {"none", "avro", "avro_unicode", NULL};
static const char *const failure_modes[] = {"fail", "warn", "skip", NULL};
static const char *const snapshot_modes[] = {
    "always", "initial",     "initial_only",        "no_data",
    "never",  "when_needed", "configuration_based", NULL};

static const char *const snapshot_orders[] = {"disabled", "ascending", "descending",
                                              NULL};

static const char connection_group[] = "Connection";
static const char stream_group[] = "Replication";
static const char capture_group[] = "Tables and columns";
static const char value_group[] = "Values";
static const char snapshot_group[] = "Snapshot";

/* The order is the manual's. */
static const sluice_key keys[] = {
    {.name = "database.hostname",
     .doc = "The host of the PostgreSQL server, or the folder of its Unix socket, over "
            "which changes come nearly twice as fast.",
     .group = connection_group,
     .min = 1,
     .type = SLUICE_STRING,
     .offset = AT(const char *, hostname)},
    {.name = "database.port",
     .fallback = "5432",
     .doc = "The port of the server; for a Unix socket, the number in its name.",
     .group = connection_group,
     .min = 1,
     .max = 65535,
     .type = SLUICE_INT,
     .offset = AT(int32_t, port)},
    {.name = "database.user",
     .doc = "The role to connect as. It needs the attribute REPLICATION, and SELECT on "
            "the tables of the snapshot.",
     .group = connection_group,
     .min = 1,
     .type = SLUICE_STRING,
     .offset = AT(const char *, user)},
    {.name = "database.password",
     .fallback = SLUICE_NULL,
     .doc = "The role's password; none for trust, peer and certificate authentication.",
     .group = connection_group,
     .type = SLUICE_PASSWORD,
     .offset = AT(const char *, password)},
    {.name = "database.dbname",
     .doc = "The database whose changes are captured.",
     .group = connection_group,
     .min = 1,
     .type = SLUICE_STRING,
     .offset = AT(const char *, dbname)},
    {.name = "database.sslmode",
     .fallback = "prefer",
     .doc = "Whether the connection is encrypted and the server is authenticated, in "
            "libpq's words.",
     .group = connection_group,
     .choices = sslmodes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, sslmode)},
    {.name = "database.sslcert",
     .fallback = SLUICE_NULL,
     .doc = "The file of the client's certificate.",
     .group = connection_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, sslcert)},
    {.name = "database.sslkey",
     .fallback = SLUICE_NULL,
     .doc = "The file of the client's private key.",
     .group = connection_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, sslkey)},
    {.name = "database.sslpassword",
     .fallback = SLUICE_NULL,
     .doc = "The password of the client's private key.",
     .group = connection_group,
     .type = SLUICE_PASSWORD,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, sslpassword)},
    {.name = "database.sslrootcert",
     .fallback = SLUICE_NULL,
     .doc = "The file of the certificates that may have signed the server's.",
     .group = connection_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, sslrootcert)},
    {.name = "database.tcpKeepAlive",
     .fallback = "true",
     .doc = "Whether the kernel probes an idle TCP connection.",
     .group = connection_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = AT(bool, tcp_keepalive)},
    {.name = "database.initial.statements",
     .fallback = SLUICE_NULL,
     .doc = "SQL that runs first on every connection for queries, statements between "
            "semicolons; not on the connection of the stream.",
     .group = connection_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, initial_statements)},
    {.name = "database.query.timeout.ms",
     .fallback = "600000",
     .doc = "How long a query of the catalog may take; 0 is no limit. The snapshot's "
            "COPY has none.",
     .group = connection_group,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, query_timeout_ms)},
    {.name = "connection.validation.timeout.ms",
     .fallback = "60000",
     .doc = "How long connecting may take.",
     .group = connection_group,
     .min = 100,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, connect_timeout_ms)},

    {.name = "topic.prefix",
     .doc =
         "The name of this server: the first part of all topic and schema names, and "
         "the name its position is stored under. Never change it.",
     .group = stream_group,
     .min = 1,
     .type = SLUICE_STRING,
     .offset = AT(const char *, topic_prefix)},
    {.name = "plugin.name",
     .fallback = "pgoutput",
     .doc = "The output plugin in the server. Only pgoutput, which every PostgreSQL "
            "has, is supported.",
     .group = stream_group,
     .choices = plugins,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, plugin)},
    {.name = "slot.name",
     .fallback = "debezium",
     .doc = "The replication slot: lower-case letters, digits and underscores. It is "
            "created when it is not there. One connector per slot.",
     .group = stream_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, slot)},
    {.name = "slot.drop.on.stop",
     .fallback = "false",
     .doc =
         "Whether an orderly stop drops the slot, and with it all changes that follow "
         "until the next start. For tests.",
     .group = stream_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = AT(bool, slot_drop_on_stop)},
    {.name = "slot.failover",
     .fallback = "false",
     .doc =
         "Whether the slot is created as a failover slot, on PostgreSQL 17 and later.",
     .group = stream_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = AT(bool, slot_failover)},
    {.name = "slot.max.retries",
     .fallback = "6",
     .doc = "How often a slot that somebody else streams from is tried again, before "
            "the task fails.",
     .group = stream_group,
     .max = INT32_MAX,
     .type = SLUICE_INT,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, slot_retries)},
    {.name = "slot.retry.delay.ms",
     .fallback = "10000",
     .doc = "How long to wait before that. The server notices that a client is lost "
            "after wal_sender_timeout (60 s) at the latest.",
     .group = stream_group,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, slot_retry_ms)},
    {.name = "slot.stream.params",
     .fallback = SLUICE_NULL,
     .doc = "More options for the output plugin, as name=value;name=value.",
     .group = stream_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, stream_params)},
    {.name = "create.slot.command.timeout",
     .fallback = "90000",
     .doc = "How long the creation of the slot waits, in milliseconds, for the "
            "transactions that run at that time; then it is tried again.",
     .group = stream_group,
     .min = 1000,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, slot_create_timeout_ms)},
    {.name = "publication.name",
     .fallback = "dbz_publication",
     .doc = "The publication that says which tables are streamed.",
     .group = stream_group,
     .min = 1,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, publication)},
    {.name = "publication.autocreate.mode",
     .fallback = "filtered",
     .doc = "What to do when the publication is not there: filtered, create it for the "
            "tables of the include and exclude lists, and keep it up to date at every "
            "start; all_tables, for all tables, present and future (needs a superuser, "
            "and makes UPDATE and DELETE fail for tables without a replica identity); "
            "no_tables, create it empty; disabled, fail.",
     .group = stream_group,
     .choices = publication_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, publication_mode)},
    {.name = "publish.via.partition.root",
     .fallback = "true",
     .doc = "Whether a publication that the connector creates publishes changes of "
            "partitions as changes of the partitioned table. TRUNCATE of a single "
            "partition, ATTACH and DETACH are then not published.",
     .group = stream_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, via_partition_root)},
    {.name = "status.update.interval.ms",
     .fallback = "10000",
     .doc = "How often the server is told the position that is stored, at least; the "
            "server gives a silent client up after wal_sender_timeout (60 s).",
     .group = stream_group,
     .min = 100,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, status_interval_ms)},
    {.name = "lsn.flush.mode",
     .fallback = "connector_and_driver",
     .doc =
         "What the server may forget: connector: only what was stored in Kafka; "
         "connector_and_driver: also what concerns no captured table, so that an idle "
         "slot does not fill the server's disk; manual: nothing.",
     .group = stream_group,
     .choices = flush_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, flush_mode)},
    {.name = "offset.mismatch.strategy",
     .fallback = "fail",
     .doc =
         "What to do when the slot does not stand where the stored position is. fail: "
         "refuse when the slot stands behind a position that was stored here, because "
         "it was created anew or moved, and changes in between are lost. trust_offset: "
         "refuse whenever it stands behind. trust_slot: go on from the slot, also "
         "back. "
         "trust_greater_lsn: from the later one. no_validation: as the server does, "
         "which is from the later one, without a word.",
     .group = stream_group,
     .choices = mismatches,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, mismatch)},
    {.name = "max.batch.size",
     .fallback = "2048",
     .doc = "The most records handed over at once.",
     .group = stream_group,
     .min = 1,
     .max = 1000000,
     .type = SLUICE_INT,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, batch_max)},
    {.name = "heartbeat.interval.ms",
     .fallback = "0",
     .doc = "How often a heartbeat record with the current position is written; 0 is "
            "never. Not needed to keep an idle slot from growing.",
     .group = stream_group,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, heartbeat_interval_ms)},
    {.name = "topic.heartbeat.prefix",
     .fallback = "__debezium-heartbeat",
     .doc = "The first part of the heartbeat topic's name; the second is topic.prefix.",
     .group = stream_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, heartbeat_prefix)},
    {.name = "topic.heartbeat.name",
     .fallback = SLUICE_NULL,
     .doc = "The whole name of the heartbeat topic, instead.",
     .group = stream_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, heartbeat_topic)},
    {.name = "heartbeat.action.query",
     .fallback = SLUICE_NULL,
     .doc = "SQL that runs with each heartbeat.",
     .group = stream_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, heartbeat_query)},
    {.name = "extended.headers.enabled",
     .fallback = "true",
     .doc = "Whether data records carry the headers __debezium.context.*.",
     .group = stream_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, context_headers)},

    {.name = "schema.include.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the whole names of schemas that are captured.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, schema_include)},
    {.name = "schema.exclude.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for schemas that are not captured.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, schema_exclude)},
    {.name = "table.include.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the whole 'schema.table' of tables that are "
            "captured; without it all are.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_HIGH,
     .offset = AT(sluice_list, table_include)},
    {.name = "table.exclude.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for tables that are not captured.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, table_exclude)},
    {.name = "column.include.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the whole 'schema.table.column' of columns in "
            "values; the key keeps its columns.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, column_include)},
    {.name = "column.exclude.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for columns that are left out of values.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, column_exclude)},
    {.name = "column.truncate.to.(d+).chars",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the whole 'schema.table.column' of columns whose "
            "values are cut to so many characters (of UTF-16, as in Java), where they "
            "are texts or bytes. Keys of records are not.",
     .group = capture_group,
     .type = SLUICE_FAMILY,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_family, cuts)},
    {.name = "column.mask.with.(d+).chars",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for columns whose values are so many asterisks "
            "instead, null too, where they are of the types text, varchar, char, name "
            "or an enum. Keys of records are not masked.",
     .group = capture_group,
     .type = SLUICE_FAMILY,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_family, stars)},
    {.name = "column.mask.hash.([^.]+).with.salt.(.+)",
     .fallback = SLUICE_NULL,
     .doc = "The same with a hash of the salt and of the value as Java serializes it, "
            "in hexadecimal digits, cut to the column's length. Algorithms have Java's "
            "names, SHA-256 for example.",
     .group = capture_group,
     .type = SLUICE_FAMILY,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_family, hashes)},
    {.name = "column.mask.hash.v2.([^.]+).with.salt.(.+)",
     .fallback = SLUICE_NULL,
     .doc = "The same with a hash of the salt and of the value's text.",
     .group = capture_group,
     .type = SLUICE_FAMILY,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_family, hashes_v2)},
    {.name = "column.propagate.source.type",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for columns whose schemas tell their type in the "
            "database, as the parameters __debezium.source.column.type, .length, "
            ".scale and .name.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, column_propagate)},
    {.name = "datatype.propagate.source.type",
     .fallback = SLUICE_NULL,
     .doc = "The same by type: expressions for the whole 'schema.table.type'.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, type_propagate)},
    {.name = "message.key.columns",
     .fallback = SLUICE_NULL,
     .doc =
         "The columns of the key where it is not to be the primary key: "
         "'schema.table:column,column', more tables after semicolons; all are regular "
         "expressions, and all that name columns of a table count.",
     .group = capture_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_MEDIUM,
     .offset = AT(const char *, key_columns)},
    {.name = "skipped.operations",
     .fallback = "t",
     .doc =
         "Operations that give no record: c (insert), u (update), d (delete), "
         "t (truncate), m (logical message), or none. A changed key is a deletion and "
         "an insertion.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, skipped_operations)},
    {.name = "tombstones.on.delete",
     .fallback = "true",
     .doc =
         "Whether a delete is followed by a record with the key and a null value, so "
         "that a compacted topic forgets the row.",
     .group = capture_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_MEDIUM,
     .offset = AT(bool, tombstones)},
    {.name = "skip.messages.without.change",
     .fallback = "false",
     .doc = "Whether an update that changes none of the captured columns gives no "
            "record. That is known only of tables with REPLICA IDENTITY FULL.",
     .group = capture_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, skips_unchanged)},
    {.name = "message.prefix.include.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the whole prefixes of logical messages "
            "(pg_logical_emit_message) that give records, in the topic "
            "<topic.prefix>.message; without it all do.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, prefix_include)},
    {.name = "message.prefix.exclude.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for prefixes of logical messages that give none.",
     .group = capture_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_LOW,
     .offset = AT(sluice_list, prefix_exclude)},
    {.name = "provide.transaction.metadata",
     .fallback = "false",
     .doc = "Whether the begin and the end of each transaction give a record in the "
            "topic <topic.prefix>.transaction, and the records of rows say which of "
            "their transaction they are.",
     .group = capture_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, transaction_metadata)},
    {.name = "topic.transaction",
     .fallback = "transaction",
     .doc = "The last part of the name of the topic for transactions.",
     .group = capture_group,
     .min = 1,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, topic_transaction)},

    {.name = "decimal.handling.mode",
     .fallback = "precise",
     .doc = "numeric and money as: precise, exact decimals; double, which may lose "
            "digits; string.",
     .group = value_group,
     .choices = decimal_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, decimal_mode)},
    {.name = "time.precision.mode",
     .fallback = "adaptive",
     .doc = "Dates and times as: adaptive, the column's precision; "
            "adaptive_time_microseconds, the same but times of day always in "
            "microseconds; connect, Kafka Connect's own types with milliseconds; "
            "isostring; microseconds; nanoseconds.",
     .group = value_group,
     .choices = time_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, time_mode)},
    {.name = "interval.handling.mode",
     .fallback = "numeric",
     .doc = "interval as: numeric, microseconds with a month of 30.4375 days; string, "
            "exactly, as ISO 8601.",
     .group = value_group,
     .choices = interval_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, interval_mode)},
    {.name = "binary.handling.mode",
     .fallback = "bytes",
     .doc = "bytea as bytes, or as text: base64, base64-url-safe, hex.",
     .group = value_group,
     .choices = binary_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, binary_mode)},
    {.name = "hstore.handling.mode",
     .fallback = "json",
     .doc = "hstore as: json, the text of an object; map.",
     .group = value_group,
     .choices = hstore_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, hstore_mode)},
    {.name = "money.fraction.digits",
     .fallback = "2",
     .doc = "The digits behind the point of money.",
     .group = value_group,
     .max = 18,
     .type = SLUICE_INT,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, money_digits)},
    {.name = "include.unknown.datatypes",
     .fallback = "false",
     .doc =
         "Whether columns of types without a mapping are given as the bytes of their "
         "text; otherwise they are left out.",
     .group = value_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, unknown_types)},
    {.name = "unavailable.value.placeholder",
     .fallback = "__debezium_unavailable_value",
     .doc = "What stands for a large value that an update did not touch, and that the "
            "server therefore does not send; 'hex:' and digits for any bytes.",
     .group = value_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, placeholder)},
    {.name = "event.converting.failure.handling.mode",
     .fallback = "fail",
     .doc =
         "What happens to a value that its type here cannot express, such as NaN as a "
         "precise decimal: fail; warn: null, and a line in the log; skip: null.",
     .group = value_group,
     .choices = failure_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, failure_mode)},
    {.name = "schema.name.adjustment.mode",
     .fallback = "none",
     .doc = "Names of schemas: none, as they are; avro, other characters than letters, "
            "digits and underscores become underscores; avro_unicode, they become "
            "_u and their code, and so do underscores.",
     .group = value_group,
     .choices = adjustment_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, schema_adjustment)},
    {.name = "field.name.adjustment.mode",
     .fallback = "none",
     .doc = "The same for names of columns in keys and values.",
     .group = value_group,
     .choices = adjustment_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, field_adjustment)},
    {.name = "topic.delimiter",
     .fallback = ".",
     .doc = "What stands between the parts of a topic's name.",
     .group = value_group,
     .type = SLUICE_STRING,
     .importance = SLUICE_LOW,
     .offset = AT(const char *, topic_delimiter)},

    {.name = "snapshot.mode",
     .fallback = "initial",
     .doc = "When the tables are read whole: initial, before the first stream; always, "
            "at every start; initial_only, and then nothing more; no_data, never; "
            "when_needed, as initial, and again when the slot was lost; "
            "configuration_based, as snapshot.mode.configuration.based.* say; never is "
            "the old name of no_data.",
     .group = snapshot_group,
     .choices = snapshot_modes,
     .type = SLUICE_ENUM,
     .importance = SLUICE_MEDIUM,
     .offset = AT(int32_t, snapshot_mode)},
    {.name = "snapshot.mode.configuration.based.snapshot.data",
     .fallback = "false",
     .doc = "For snapshot.mode=configuration_based: whether rows are read first.",
     .group = snapshot_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, based_data)},
    {.name = "snapshot.mode.configuration.based.start.stream",
     .fallback = "false",
     .doc = "For snapshot.mode=configuration_based: whether changes are streamed.",
     .group = snapshot_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, based_stream)},
    {.name = "snapshot.mode.configuration.based.snapshot.on.data.error",
     .fallback = "false",
     .doc = "For snapshot.mode=configuration_based: whether the tables are read again "
            "when changes are lost, because the slot or what it needs is gone.",
     .group = snapshot_group,
     .type = SLUICE_BOOL,
     .importance = SLUICE_LOW,
     .offset = AT(bool, based_data_error)},
    {.name = "snapshot.include.collection.list",
     .fallback = SLUICE_NULL,
     .doc = "Regular expressions for the captured tables that the snapshot reads; "
            "without it all.",
     .group = snapshot_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, snapshot_tables)},
    {.name = "snapshot.select.statement.overrides",
     .fallback = SLUICE_NULL,
     .doc =
         "Tables, as 'schema.table', that the snapshot reads with a SELECT of one's "
         "own, which is set for each by snapshot.select.statement.overrides.<schema>."
         "<table>. It must give the captured columns; the stream is not changed.",
     .group = snapshot_group,
     .type = SLUICE_LIST,
     .importance = SLUICE_MEDIUM,
     .offset = AT(sluice_list, overrides)},
    {.name = "snapshot.tables.order.by.row.count",
     .fallback = "disabled",
     .doc = "The order in which tables are read, by the server's estimate of their "
            "rows; disabled: as table.include.list has them, and by name.",
     .group = snapshot_group,
     .choices = snapshot_orders,
     .type = SLUICE_ENUM,
     .importance = SLUICE_LOW,
     .offset = AT(int32_t, snapshot_order)},
    {.name = "snapshot.delay.ms",
     .fallback = "0",
     .doc = "How long to wait before the snapshot.",
     .group = snapshot_group,
     .max = INT32_MAX,
     .type = SLUICE_DURATION,
     .importance = SLUICE_LOW,
     .offset = AT(int64_t, snapshot_delay_ms)},

#include "config_unused.inc"
    {.name = NULL},
};

bool config_skips(const postgres_config *config, char op)
{
    for (size_t i = 0; i < config->skipped_operations.count; i++) {
        const char *item = config->skipped_operations.items[i];
        if (item[0] == op && item[1] == '\0') {
            return true;
        }
    }
    return false;
}

static void check_slot_name(const char *name, sluice_error *err)
{
    size_t len = strlen(name);
    if (len == 0 || len > 63 ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len) {
        sluice_fail_key(
            err, "slot.name",
            "Invalid value %s for configuration slot.name: 1 to 63 lower-case "
            "letters, digits and underscores are allowed",
            name);
    }
}

/* The rule of Debezium's topic names. */
static void check_prefix(const char *prefix, sluice_error *err)
{
    if (strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                       "_.-") != strlen(prefix)) {
        sluice_fail_key(
            err, "topic.prefix",
            "Invalid value %s for configuration topic.prefix: only letters, "
            "digits, underscores, hyphens and dots are allowed, as in names "
            "of topics",
            prefix);
    }
}

static void check_both(const sluice_list *include, const sluice_list *exclude,
                       const char *include_key, const char *exclude_key,
                       sluice_error *err)
{
    if (include->count > 0 && exclude->count > 0) {
        sluice_fail_key(err, exclude_key,
                        "'%s' is already specified: set one of '%s' and '%s', not both",
                        include_key, include_key, exclude_key);
    }
}

static void check_operations(const postgres_config *config, sluice_error *err)
{
    for (size_t i = 0; i < config->skipped_operations.count; i++) {
        const char *item = config->skipped_operations.items[i];
        bool known = strlen(item) == 1 && strchr("cudtrm", *item) != NULL;
        if (!known && strcmp(item, "none") != 0) {
            sluice_fail_key(err, "skipped.operations",
                            "Invalid value %s for configuration skipped.operations: "
                            "c, u, d, t, m and none are allowed",
                            item);
        } else if (strcmp(item, "none") == 0 && config->skipped_operations.count > 1) {
            sluice_fail_key(err, "skipped.operations",
                            "Invalid value none for configuration skipped.operations: "
                            "it cannot stand beside other operations");
        }
    }
}

static sluice_status check(const void *base, sluice_error *err)
{
    const postgres_config *config = base;
    size_t before = sluice_error_count(err);
    if (config->plugin == 0) {
        sluice_fail_key(err, "plugin.name",
                        "Invalid value decoderbufs for configuration plugin.name: only "
                        "pgoutput is supported, which needs no installation in the "
                        "server; set plugin.name=pgoutput");
    }
    check_slot_name(config->slot, err);
    check_prefix(config->topic_prefix, err);
    check_both(&config->schema_include, &config->schema_exclude, "schema.include.list",
               "schema.exclude.list", err);
    check_both(&config->table_include, &config->table_exclude, "table.include.list",
               "table.exclude.list", err);
    check_both(&config->column_include, &config->column_exclude, "column.include.list",
               "column.exclude.list", err);
    check_both(&config->prefix_include, &config->prefix_exclude,
               "message.prefix.include.list", "message.prefix.exclude.list", err);
    check_operations(config, err);
    filter *expressions = NULL;
    if (filter_new(config, &expressions, err) == SLUICE_OK) {
        filter_free(expressions);
    }
    return sluice_error_count(err) > before ? SLUICE_BAD_CONFIG : SLUICE_OK;
}

const sluice_config postgres_config_table = {
    .size = sizeof(sluice_config),
    .key_size = sizeof(sluice_key),
    .struct_size = sizeof(postgres_config),
    .keys = keys,
    .check = check,
};
