/* broker/net/scrape.h - one page over HTTP: what Prometheus fetches.
 *
 * A handler of a loop that is there anyway: an idle one costs a socket and no thread,
 * and one page for one caller needs of HTTP a request line and "Connection: close".
 * (libmicrohttpd, which serves the worker's REST, would bring a thread and its stack
 * into a broker that is to be idle in 10 MB.)
 *
 * Limits: a request of 4 KiB, 16 callers at a time, 10 s for each.
 * Threads: its loop's, or before that starts. */
#ifndef SLUICE_BROKER_NET_SCRAPE_H
#define SLUICE_BROKER_NET_SCRAPE_H

#include "broker/net/loop.h"
#include "broker/net/server.h"

typedef struct scrape scrape;

/* Makes the page, on the loop's thread; the text is taken: free(). */
typedef char *scrape_page(void *context, size_t *ret_len);

/* Listens; the page is at /metrics. SLUICE_BAD_CONFIG: the address cannot be found or
 * bound. `target` and `context` are borrowed until scrape_free(). */
sluice_status scrape_new(const net_listener *address, loop *target, scrape_page *page,
                         void *context, scrape **ret_scrape, sluice_error *err);
uint16_t scrape_port(const scrape *self);

/* When the loop does not run any more. NULL is accepted. */
void scrape_free(scrape *self);

#endif
