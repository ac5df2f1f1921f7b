/* broker/topic/topic_name.h - which names topics may have.
 *
 * Threads: any. */
#ifndef SLUICE_BROKER_TOPIC_TOPIC_NAME_H
#define SLUICE_BROKER_TOPIC_TOPIC_NAME_H

#include <sluice/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { topic_name_max = 249 };

/* "[a-zA-Z0-9._-]{1,249}" and neither "." nor "..". */
bool topic_name_is_legal(const char *name, size_t len);

/* The same, with Kafka's words for what is wrong, which its tools show:
 * SLUICE_BAD_CONFIG.
 */
sluice_status topic_name_check(const char *name, size_t len, sluice_error *err);

/* Whether the two are the same, or differ in '.' and '_' only: Kafka's metrics name
 * topics with '_' for '.', so such two may not both be there. */
bool topic_names_collide(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
