/* worker/host/client_definitions.h - the settings of Kafka's clients, as these declare
 * them.
 *
 * A validation shows them of the overrides of a connector. Which of them mean something
 * here, and what, is in client_settings.c.
 *
 * Threads: any. Tables are constants. */
#ifndef SLUICE_WORKER_HOST_CLIENT_DEFINITIONS_H
#define SLUICE_WORKER_HOST_CLIENT_DEFINITIONS_H

#include "worker/host/client_settings.h"
#include <sluice/config.h>

typedef struct client_definition {
    unsigned kinds; /* A set of 1 << client_kind. */
    sluice_key key; /* Without an offset: values are shown, not kept. */
} client_definition;

/* Setting `name` of a client of `kind` in Kafka 4.1; NULL: it has none of that name. */
const sluice_key *client_definition_find(client_kind kind, const char *name);

/* Those for logging in and encrypting. */
extern const client_definition client_security_definitions[];
extern const size_t client_security_definition_count;

#endif
