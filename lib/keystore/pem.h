/* lib/keystore/pem.h - keys and certificates as text, also as one writes them into one
 * line of a .properties file.
 *
 * Threads: any. */
#ifndef SLUICE_KEYSTORE_PEM_H
#define SLUICE_KEYSTORE_PEM_H

#include "base/buffer.h"

/* Appends the blocks of `text` whose label ends in `label` ("CERTIFICATE", "PRIVATE
 * KEY") to `out`, a line each for begin and end and lines of 64 characters between;
 * what is not base64 (the fields of an encrypted key) stays as it is. Returns how many
 * there are; a block without an end is none. */
size_t pem_blocks(const char *text, const char *label, buffer *out);

#endif
