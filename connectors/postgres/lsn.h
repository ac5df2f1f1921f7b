/* connectors/postgres/lsn.h - positions in PostgreSQL's write-ahead log, and its clock.
 *
 * Threads: any; nothing here keeps state. */
#ifndef SLUICE_POSTGRES_LSN_H
#define SLUICE_POSTGRES_LSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A byte position in the log. 0 is no position: "0/0" in commands means "from where
 * the slot stands". */
typedef uint64_t lsn;

enum { LSN_TEXT_SIZE = 18 }; /* "FFFFFFFF/FFFFFFFF" and the NUL. */

/* Reads "1/26435A28": one to eight hexadecimal digits on both sides. Whether it is one.
 */
bool lsn_parse(const char *text, lsn *ret_lsn);

/* Writes it as PostgreSQL does and returns `text`. */
const char *lsn_print(lsn position, char text[LSN_TEXT_SIZE]);

/* Finds in a timeline's history file ("TIMELINE\tLSN\tREASON" a line) where `timeline`
 * was left. Whether it is there. */
bool timeline_find(const char *history, uint32_t timeline, lsn *ret_left);

/* PostgreSQL counts microseconds from 2000-01-01, everybody else from 1970-01-01. */
#define CLOCK_EPOCH_US INT64_C(946684800000000)

#endif
