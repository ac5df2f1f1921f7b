/* broker/net/held.h - what connections keep in memory, and who goes when it is too
 * much.
 *
 * Counted are unfinished requests, requests that wait for something, and answers that
 * the client does not take. Their sum has a limit, queued.max.request.bytes, of which
 * each network thread has its part, but at least one request's size. Beyond it, the
 * connection is closed that has held something for the longest time, of those that
 * hold at least what all that hold something do on average: whoever sends its requests
 * and reads its answers is never the one.
 *
 * Threads: the connection's loop's. */
#ifndef SLUICE_BROKER_NET_HELD_H
#define SLUICE_BROKER_NET_HELD_H

#include "broker/net/connection.h"

/* Counts what `self` holds now, and makes room if that is too much: `self` may be
 * closed at the return. */
void held_update(connection *self);

/* It is closed: it holds nothing any more. */
void held_nothing(connection *self);

#endif
