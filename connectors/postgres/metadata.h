/* connectors/postgres/metadata.h - records that are not of rows: where transactions
 * begin and end, and logical messages.
 *
 * With provide.transaction.metadata each transaction gives a BEGIN and an END record,
 * and each record of a row says the how-manieth it is, of its transaction and of its
 * table. Each also names its transaction, as Debezium does by "xid:position", with the
 * position of the very record.
 *
 * Threads: a task's own. */
#ifndef SLUICE_POSTGRES_METADATA_H
#define SLUICE_POSTGRES_METADATA_H

#include "envelope.h"

typedef struct metadata metadata;

/* All are borrowed, and live longer. */
metadata *metadata_new(const postgres_config *config, const filter *filter,
                       envelope *records);
void metadata_free(metadata *self); /* NULL is accepted. */

/* A transaction begins: nothing is counted yet. */
void metadata_begin(metadata *self, uint32_t xid);
/* Adds its BEGIN record, where these are wanted. */
void metadata_add_begin(metadata *self, lsn at, const sluice_value *offset);
/* Counts a record of `relation`; its block, or NULL where none is wanted. */
const sluice_value *metadata_count(metadata *self, const pg_relation *relation, lsn at);
/* Adds the END record; NULL where none is wanted. */
sluice_record *metadata_add_end(metadata *self, lsn at, const sluice_value *offset);

/* Whether a logical message gives a record. */
bool metadata_wants(const metadata *self, const pg_message *message);
/* Counts a logical message of a transaction; its block, or NULL. */
const sluice_value *metadata_count_message(metadata *self, lsn at);
/* Adds the record of a logical message, `counted` being its block. */
sluice_record *metadata_add_message(metadata *self, const pg_message *message, lsn at,
                                    const sluice_value *counted,
                                    const sluice_value *offset);

#endif
