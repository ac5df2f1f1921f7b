/* cipher_suites.h - Java's names of protocols and cipher suites, as GnuTLS's
 * priorities.
 *
 * Threads: any. */
#ifndef SLUICE_REST_CIPHER_SUITES_H
#define SLUICE_REST_CIPHER_SUITES_H

#include <sluice/config.h>

/* "NORMAL:-VERS-ALL:+VERS-TLS1.3:…", the caller's. `protocols` as in
 * ssl.enabled.protocols (TLSv1, TLSv1.1, TLSv1.2, TLSv1.3), `suites` as in
 * ssl.cipher.suites; no suites: those that GnuTLS holds to be good. A protocol for
 * which none of the suites is, is left out. GnuTLS is told key exchanges, ciphers and
 * hashes, so that suites made of parts of two that are listed are taken too.
 * BAD_CONFIG: an unknown name, or nothing remains. */
sluice_status cipher_suites_priorities(const sluice_list *protocols,
                                       const sluice_list *suites, char **ret_priorities,
                                       sluice_error *err);

#endif
