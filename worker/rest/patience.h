/* patience.h - whose connection ends where there are too many: who has kept his for the
 * longest time without asking anything.
 *
 * Clients that send or read a byte now and then would otherwise keep everybody else
 * out, once they have all the connections there may be. A request that the herder works
 * on is never given up.
 *
 * Threads: the site's. */
#ifndef SLUICE_REST_PATIENCE_H
#define SLUICE_REST_PATIENCE_H

#include <microhttpd.h>
#include <stddef.h>

typedef struct patience_entry patience_entry;

/* The connections of a site that wait for their clients, in the order in which the
 * wait has begun. Zero is empty. */
typedef struct patience {
    patience_entry *first, *last;
    size_t count; /* All, also those that do not wait. */
    size_t max;   /* When a further one comes, the first goes. */
} patience;

/* A connection has come; what is given back belongs to it, until patience_end(). */
patience_entry *patience_begin(patience *self, struct MHD_Connection *connection);
void patience_end(patience *self, patience_entry *entry); /* NULL is accepted. */

/* Its client is not waited for now; and is again, from now on. */
void patience_pause(patience *self, patience_entry *entry);
void patience_resume(patience *self, patience_entry *entry);

#endif
