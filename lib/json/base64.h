/* lib/json/base64.h - base64 in JSON, as leniently as Jackson reads it.
 *
 * Threads: any. */
#ifndef SLUICE_JSON_BASE64_H
#define SLUICE_JSON_BASE64_H

#include <sluice/value.h>

/* The bytes of a text, or NULL where it is none: groups of four with padding, white
 * space and controls before each, and more groups behind padding. */
sluice_value *json_from_base64(sluice_arena *arena, sluice_bytes text);

#endif
