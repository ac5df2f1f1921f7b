/* tls.h - what an https:// listener needs, from Kafka's ssl.* keys.
 *
 * libmicrohttpd speaks TLS through GnuTLS; it is given PEM and priorities here.
 *
 * Threads: made by one; a connection's functions run on its site's. */
#ifndef SLUICE_REST_TLS_H
#define SLUICE_REST_TLS_H

#include <jansson.h>
#include <microhttpd.h>
#include <sluice/config.h>

typedef struct tls tls;

/* The table of the keys, for --keys: "ssl.keystore.location". */
extern const sluice_config tls_config_table;

/* What of a worker's properties is for TLS: where there are names behind `prefix`
 * ("listeners.https."), these alone, without it; else those without a prefix, which are
 * the clients' too. The caller's: sluice_props_free(). */
sluice_props *tls_props(const json_t *worker, const char *prefix);

/* From the names in `props`, without a prefix. BAD_CONFIG: with a message per fault. */
sluice_status tls_new(const sluice_props *props, tls **ret_tls, sluice_error *err);
void tls_free(tls *self); /* NULL is accepted. */

/* For libmicrohttpd, borrowed. tls_trusted() is NULL where nobody is asked who he is.
 */
const char *tls_key(const tls *self);
const char *tls_certificates(const tls *self);
const char *tls_trusted(const tls *self);
const char *tls_priorities(const tls *self);

/* On a new connection: who asks is told to say who he is, and refused unless somebody
 * trusted has signed it, as ssl.client.auth says. */
void tls_begin(const tls *self, struct MHD_Connection *connection);

#endif
