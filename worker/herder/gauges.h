/* gauges.h - what plugins count themselves: sluice_task_gauge() and families of theirs.
 *
 * A plugin may give a gauge a whole name, 'family{label="value"}', and it is shown
 * under that, with the labels connector and task before its own. It is not trusted with
 * the format: a name that is none, is one of ours, or has labels twice is shown as the
 * label `name` of sluice_task_gauge instead.
 *
 * Threads: the herder's. */
#ifndef SLUICE_HERDER_GAUGES_H
#define SLUICE_HERDER_GAUGES_H

#include "base/buffer.h"
#include "state.h"

void gauges_put(const herder *self, buffer *out);

#endif
