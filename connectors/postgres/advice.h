/* connectors/postgres/advice.h - what to do about a fault that the server reports.
 *
 * The server says what is wrong in its own terms, and sometimes gives a hint; what has
 * to be changed where is said here, for the faults that people meet.
 *
 * Threads: any; nothing here keeps state. */
#ifndef SLUICE_POSTGRES_ADVICE_H
#define SLUICE_POSTGRES_ADVICE_H

/* What to do about the error `message` with SQLSTATE `state`, as half a sentence; NULL:
 * the server has said it all. */
const char *advice_for(const char *state, const char *message);

#endif
