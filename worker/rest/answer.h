/* answer.h - a request's answer, with all its headers.
 *
 * Threads: the site's. */
#ifndef SLUICE_REST_ANSWER_H
#define SLUICE_REST_ANSWER_H

#include "worker/rest/edge.h"

/* A header of the request, or NULL. */
const char *answer_header(const rest_call *c, const char *name);

/* Sets Kafka Connect's body of a fault, as the answer. */
void answer_fault(rest_call *c, int status, const char *message);

/* Sends what is set; MHD_NO closes the connection. */
enum MHD_Result answer_send(rest_call *c);

#endif
