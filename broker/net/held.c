/* The sum of what connections hold is kept as they change; who goes is looked for only
 * when it is too much. */
#include "broker/net/held.h"
#include <sluice/arena.h>
#include <sluice/log.h>

static size_t answer_bytes(const request *one)
{
    return one->out.bytes.room +
           (one->arena != NULL ? sluice_arena_used(one->arena) : 0);
}

/* A request that is not answered yet may be in the hands of another thread: only its
 * frame is looked at. */
static size_t count(const connection *self)
{
    size_t bytes = self->in_room;
    if (self->first != NULL && !self->blocked) {
        return bytes + self->first->frame_room;
    }
    for (const request *one = self->first; one != NULL; one = one->next) {
        bytes += one->frame_room + (one->answered ? answer_bytes(one) : 0);
    }
    return bytes;
}

static void set(connection *self, size_t bytes)
{
    if (self->held == 0 && bytes > 0) {
        self->held_since_ms = loop_now_ms();
    }
    self->home->held_bytes += bytes - self->held;
    self->held = bytes;
}

static size_t average(const net_thread *home)
{
    size_t holders = 0;
    for (const connection *one = home->idlest; one != NULL; one = one->next) {
        holders += one->held > 0;
    }
    return holders == 0 ? 0 : home->held_bytes / holders;
}

static connection *who_goes(const net_thread *home)
{
    size_t least = average(home);
    connection *found = NULL;
    for (connection *one = home->idlest; one != NULL; one = one->next) {
        if (one->held > 0 && one->held >= least &&
            (found == NULL || one->held_since_ms < found->held_since_ms)) {
            found = one;
        }
    }
    return found;
}

static void make_room(net_thread *home)
{
    connection *gone;
    while (home->held_bytes > home->held_bytes_max && (gone = who_goes(home)) != NULL) {
        size_t times;
        if (net_quiet_tell(&home->evictions, loop_now_ms(), &times)) {
            sluice_log(SLUICE_WARN, "broker.net",
                       "requests and answers in memory are above "
                       "queued.max.request.bytes; closing connections that have kept "
                       "theirs for long: %zu, the last from '%s' with %zu bytes",
                       times, gone->host + 1, gone->held);
        }
        connection_close(gone);
    }
}

void held_update(connection *self)
{
    size_t bytes = count(self);
    if (bytes == self->held) {
        return;
    }
    set(self, bytes);
    make_room(self->home);
}

void held_nothing(connection *self)
{
    set(self, 0);
}
