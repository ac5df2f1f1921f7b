/* worker/host/client_chain.h - a certificate with those who signed it, for librdkafka.
 *
 * librdkafka takes only the first of the certificates that it is given as text; of a
 * file it takes all. So a chain becomes a file in memory, which stays for as long as
 * the process does, once for each content.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_CLIENT_CHAIN_H
#define SLUICE_WORKER_HOST_CLIENT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

/* Whether there is more than one certificate in `pem`. */
bool client_chain_has_more(const char *pem);

/* Writes a path with `pem` behind it to `out`. False: errno says why. */
bool client_chain_path(const char *pem, char *out, size_t size);

#endif
