/* worker/host/topics_regex.h - the topics of a sink as a regular expression: whether it
 * is one, and which it means.
 *
 * Threads: any. */
#ifndef SLUICE_WORKER_HOST_TOPICS_REGEX_H
#define SLUICE_WORKER_HOST_TOPICS_REGEX_H

#include <sluice/error.h>

/* BAD_CONFIG with a fault of key topics.regex in Kafka Connect's words: it cannot be
 * compiled, or it matches the whole name of `dead_letter_topic` ("": there is none),
 * which the connector would then read too. */
sluice_status topics_regex_check(const char *regex, const char *dead_letter_topic,
                                 sluice_error *err);

#endif
