/* basic_auth.h - who may ask: users and passwords of a file, as HTTP's Basic scheme.
 *
 * What Kafka Connect's BasicAuthSecurityRestExtension does with its
 * PropertyFileLoginModule. Passwords are read at the start.
 *
 * Threads: made by one, then used by any. */
#ifndef SLUICE_REST_BASIC_AUTH_H
#define SLUICE_REST_BASIC_AUTH_H

#include <sluice/config.h>

typedef struct basic_auth basic_auth;

/* Whether `classes` (rest.extension.classes) has the extension. BAD_CONFIG: it has one
 * that is not here, so that requests would be answered that it might have refused. */
sluice_status basic_auth_wanted(const sluice_list *classes, bool *ret_wanted,
                                sluice_error *err);

/* By the file of login modules that is called `path`: its application KafkaConnect
 * names the file of users. A file without users lets nobody in. BAD_CONFIG: a file
 * cannot be read, or names another module. */
sluice_status basic_auth_new(const char *path, basic_auth **ret_auth,
                             sluice_error *err);
void basic_auth_free(basic_auth *self); /* NULL is accepted. */

/* The file that a program's Java options name with
 * -Djava.security.auth.login.config=FILE, as KAFKA_OPTS does; the caller's, or NULL. */
char *basic_auth_file_of(const char *java_options);

/* `authorization` is the header's value, or NULL. Takes as long for a wrong password as
 * for a right one. */
bool basic_auth_allows(const basic_auth *self, const char *authorization);

#endif
