/* connectors/postgres/advice.c - what to do about a fault that the server reports. */
#include "advice.h"

#include <stddef.h>
#include <string.h>

/* The first row that fits counts: its state is the error's, its words are in the
 * message. */
static const struct {
    const char *state, *words, *advice;
} table[] = {
    {"28P01", "", "check database.user and database.password"},
    {"28000", "pg_hba.conf",
     "add a line for this role, database and address to the server's pg_hba.conf, and "
     "reload it"},
    {"28000", "does not exist", "create the role, or change database.user"},
    {"28000", "not permitted to log in",
     "run ALTER ROLE … LOGIN as a superuser, or change database.user"},
    {"3D000", "database", "create the database, or change database.dbname"},
    {"42501", "for table",
     "GRANT SELECT on it to the role, or leave it out with "
     "table.exclude.list"},
    {"42501", "for schema", "GRANT USAGE on it to the role"},
    {"42501", "owner of publication",
     "let its owner run ALTER PUBLICATION … ADD TABLE, and set "
     "publication.autocreate.mode=disabled"},
    {"42501", "owner of table",
     "let the tables' owner create the publication, and set "
     "publication.autocreate.mode=disabled"},
    {"42501", "walsender", "run ALTER ROLE … REPLICATION as a superuser"},
    {"42501", "WAL sender", "run ALTER ROLE … REPLICATION as a superuser"},
    {"42501", "replication slots", "run ALTER ROLE … REPLICATION as a superuser"},
    {"53300", "max_wal_senders",
     "raise max_wal_senders and restart the server, or stop another client of "
     "replication"},
    {"53300", "", "raise max_connections, or close other connections"},
    {"53400", "replication slots",
     "drop a slot that nobody needs (see pg_replication_slots), or raise "
     "max_replication_slots and restart the server"},
    {"42704", "publication",
     "it was dropped, or is younger than the changes that the slot stands at, which "
     "are "
     "read with the catalog of their time: create it and, if that does not help, drop "
     "the slot and read the tables again with snapshot.mode=when_needed"},
    {"42704", "replication slot", "it was dropped while nobody was connected"},
    {"55000", "wal_level",
     "run ALTER SYSTEM SET wal_level = logical, and restart the server"},
    {"55000", "can no longer get changes",
     "the server has removed the log that it needs: set snapshot.mode=when_needed to "
     "drop it and read the tables again"},
    {"22023", "unrecognized pgoutput option",
     "check slot.stream.params; what there is depends on the server's version"},
    {"XX000", "unrecognized pgoutput option",
     "check slot.stream.params; what there is depends on the server's version"},
    {"0A000", "in recovery", "connect to the primary"},
    {"22021", "encoding",
     "the database has bytes that are no text in its encoding: mend the row, or leave "
     "the table out"},
    {"22P05", "",
     "the database has characters that UTF-8 does not: mend the row, or leave "
     "the table out"},
};

const char *advice_for(const char *state, const char *message)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].state, state) == 0 &&
            strstr(message, table[i].words) != NULL) {
            return table[i].advice;
        }
    }
    return NULL;
}
