/* broker/background.h - what is done now and then, and what waits for the disk:
 * retention, checkpoints, timers of the group coordinator, slow requests.
 *
 * One loop, one thread. It rests while no request comes, until records will be too old
 * or a group has something to do: an idle broker does not wake up. */
#ifndef SLUICE_BROKER_BACKGROUND_H
#define SLUICE_BROKER_BACKGROUND_H

#include "broker/net/rest.h"
#include "broker/topic/topic_set.h"

typedef struct background background;

/* Everything is borrowed until background_free(). */
sluice_status background_new(const broker_config *config, topic_set *topics,
                             log_dir **dirs, size_t dir_count,
                             background **ret_background, sluice_error *err);
sluice_status background_start(background *self, sluice_error *err);
loop *background_loop(background *self);
rest *background_rest(background *self); /* To be disturbed by each request. */
void background_stop(background *self);
void background_free(background *self); /* NULL is accepted. */

#endif
