/* cli/rest_client.h - one HTTP request to a worker, by a plain socket.
 *
 * libcurl could do it, but would cost every start of the program, brokers and workers
 * included, some 4 ms for libraries that they do not use.
 *
 * Threads: any. */
#ifndef CLI_REST_CLIENT_H
#define CLI_REST_CLIENT_H

#include <jansson.h>
#include <sluice/error.h>

typedef struct rest_answer {
    int status;
    json_t *body; /* NULL where there is none, or it is not JSON. */
    char *text;   /* As it came. */
} rest_answer;

/* Sends `method` `path` with `body` (borrowed, may be NULL) to `base`, as
 * "http://127.0.0.1:8083", and waits for the answer, at most 100 s. FATAL: there is
 * none, or it is not HTTP; BAD_CONFIG: `base` is of another form. */
sluice_status rest_call(const char *base, const char *method, const char *path,
                        const json_t *body, rest_answer *ret_answer, sluice_error *err);
void rest_answer_done(rest_answer *self);

#endif
