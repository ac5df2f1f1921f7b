/* cli/admin.h - a small Kafka client for the tools: one request, one answer, on the
 * codec of protocol/.
 *
 * For what librdkafka 2.0.2 has no call for, and for what a tool wants to see as the
 * broker said it. It finds a broker in the list it is given, agrees on versions with
 * each broker it talks to, and keeps a connection to each. Records go through
 * librdkafka (client.h), not through this.
 *
 * Threads: the main one; a call blocks until the answer, at most the request timeout.
 * Memory: an answer, and all that it points to, lives until admin_close(). */
#ifndef CLI_ADMIN_H
#define CLI_ADMIN_H

#include "admin_error.h"
#include "client.h"
#include "protocol/error_code.h"
#include "protocol/messages.h"

typedef struct admin admin;

/* Whom a call goes to: a broker's id, or one of these. */
enum {
    ADMIN_ANY = -1,        /* The broker that was found first. */
    ADMIN_CONTROLLER = -2, /* The one that Metadata names as the controller. */
};

/* Finds a broker in connection->bootstrap_server, trying for 10 s. The caller's:
 * admin_close().
 * SLUICE_BAD_CONFIG: an address or the file of --command-config is wrong, or asks for a
 * security.protocol other than PLAINTEXT, which only librdkafka's tools speak.
 * SLUICE_RETRY: none answered. */
sluice_status admin_open(const cli_connection *connection, admin **ret_admin,
                         sluice_error *err);
void admin_close(admin *self); /* NULL is accepted. */

/* Asks `node` for API `key` (API_…), at the highest version that both sides speak:
 * `request` and `ret_response` are the C structs of that API. Error codes in the answer
 * are the caller's to read.
 * SLUICE_RETRY: the connection was lost, or no answer came in time.
 * SLUICE_FATAL: the broker does not speak this API, or answered with nonsense. */
sluice_status admin_call(admin *self, int32_t node, int16_t key, const void *request,
                         void *ret_response, sluice_error *err);

/* The highest version of API `key` that `node` and the codec speak, or -1. Connects
 * where there is no connection yet; -1 too where that did not go. */
int admin_version(admin *self, int32_t node, int16_t key);

/* The answer of `node` to ApiVersions. */
sluice_status admin_api_versions(admin *self, int32_t node,
                                 const api_versions_response **ret_versions,
                                 sluice_error *err);

/* The brokers, the controller and, with `topics`, all topics; asked anew each time.
 * No topic is created by it. */
sluice_status admin_metadata(admin *self, bool topics,
                             const metadata_response **ret_metadata, sluice_error *err);

/* The broker that coordinates group `group`, waiting up to the request timeout for
 * there to be one. */
sluice_status admin_group_coordinator(admin *self, const char *group, int32_t *ret_node,
                                      sluice_error *err);

/* The time that a request may take, in milliseconds. */
int32_t admin_timeout_ms(const admin *self);

/* Memory that lives as long as the answers, for requests and what is made of answers.
 */
sluice_arena *admin_arena(admin *self);

/* `text` with a NUL behind it; "" for null. */
const char *admin_text(admin *self, message_text text);

#endif
