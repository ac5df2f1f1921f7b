/* cli/rest_client.h - one HTTP request to a worker, by a plain socket, or by TLS.
 *
 * libcurl could do it, but would cost every start of the program, brokers and workers
 * included, some 4 ms for libraries that they do not use. OpenSSL is there already,
 * with librdkafka.
 *
 * Threads: any. */
#ifndef CLI_REST_CLIENT_H
#define CLI_REST_CLIENT_H

#include <jansson.h>
#include <sluice/error.h>
#include <stdbool.h>

/* Where a worker is, and how one gets in. */
typedef struct rest_worker {
    const char *url;  /* "http://127.0.0.1:8083", "https://…", a path behind it. */
    const char *user; /* "name:password" for basic auth, or NULL. */
    const char
        *ca_file; /* PEM: who may have signed its certificate; NULL: the system. */
    const char
        *cert_file; /* PEM: ours, for one that asks for it, with its key; or NULL. */
    bool insecure;  /* Whatever certificate it has. */
} rest_worker;

typedef struct rest_answer {
    int status;
    json_t *body; /* NULL where there is none, or it is not JSON. */
    char *text;   /* As it came. */
} rest_answer;

/* Sends `method` `path` with `body` (borrowed, may be NULL) and waits for the answer,
 * at most 100 s for each of its pieces. FATAL: there is none, it is not HTTP, or it is
 * not who it should be; BAD_CONFIG: the URL is of another form, or a file cannot be
 * used. */
sluice_status rest_call(const rest_worker *to, const char *method, const char *path,
                        const json_t *body, rest_answer *ret_answer, sluice_error *err);
void rest_answer_done(rest_answer *self);

#endif
