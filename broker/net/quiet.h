/* broker/net/quiet.h - what strangers can cause again and again is told once a second.
 *
 * Threads: the owner's. */
#ifndef SLUICE_BROKER_NET_QUIET_H
#define SLUICE_BROKER_NET_QUIET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct net_quiet {
    int64_t next_ms; /* Not told again before. */
    size_t count;    /* How often it has happened since it was told. */
} net_quiet;

/* Counts one more. Returns whether to tell it now; `ret_count` is then how many it
 * stands for, this one included. `now_ms` is loop_now_ms(). */
static inline bool net_quiet_tell(net_quiet *self, int64_t now_ms, size_t *ret_count)
{
    self->count++;
    if (now_ms < self->next_ms) {
        return false;
    }
    *ret_count = self->count;
    self->count = 0;
    self->next_ms = now_ms + 1000;
    return true;
}

#endif
