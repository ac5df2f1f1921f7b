/* cli/admin_error.h - a broker's error codes as a person or a script reads them.
 *
 * Threads: any. */
#ifndef CLI_ADMIN_ERROR_H
#define CLI_ADMIN_ERROR_H

#include "protocol/message.h"
#include <sluice/error.h>

enum { ADMIN_CLASS_SIZE = 128 };

/* The sentence for `code`, a constant. */
const char *admin_code_text(int16_t code);

/* The name of the Java exception that Kafka's tools print for `code`, with its package:
 * scripts look for it. ERROR_NONE is what the tools themselves refuse. */
void admin_code_class(int16_t code, char ret_class[ADMIN_CLASS_SIZE]);

/* Whether the same request may go through a moment later. */
bool admin_code_passes(int16_t code);

/* Fills `err` with what the broker said (`message`, unless null or empty), else with
 * the sentence for the code. Returns SLUICE_FATAL. */
sluice_status admin_refused(sluice_error *err, int16_t code, message_text message);

/* The time now as log lines begin: "2026-01-31 12:00:00,123", in UTC. */
void admin_print_time(char ret_text[32]);

/* Writes to standard error the line that the log of Kafka's tool has for a refusal:
 * "[TIME] ERROR CLASS: TEXT\n (LOGGER)". */
void admin_log_refusal(const char *logger, int16_t code, const char *text);

#endif
