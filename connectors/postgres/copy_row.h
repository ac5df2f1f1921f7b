/* connectors/postgres/copy_row.h - a line of COPY's text format.
 *
 * Threads: any; nothing here keeps state. */
#ifndef SLUICE_POSTGRES_COPY_ROW_H
#define SLUICE_POSTGRES_COPY_ROW_H

#include "pgoutput.h"

/* Splits a line of COPY's text format into cells, unescaping it in place. Returns how
 * many there are, or -1 where there are more than `room`. */
int copy_split(char *line, size_t len, pg_cell *cells, int room);

#endif
