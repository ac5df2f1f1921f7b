/* How a connector divides its work. */
#include "worker/host/split.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* More threads than that help nobody, and tasks.max may be any number. */
enum { tasks_bound = 1000 };

typedef sluice_status (*split_call)(const void *config, int max_tasks,
                                    sluice_props *const *tasks, int *ret_count,
                                    sluice_error *err);

static split_call call_of(const host *self)
{
    return self->is_source ? self->plugin->is.ops.source->split
                           : self->plugin->is.ops.sink->split;
}

static sluice_props **list_new(size_t count)
{
    sluice_props **props = memory_zero((count + 1) * sizeof *props);
    for (size_t i = 0; i < count; i++) {
        props[i] = sluice_props_new();
    }
    return props;
}

/* The connector's own below what the plugin has set. */
static void complete(const host *self, sluice_props *props)
{
    for (size_t i = 0; i < sluice_props_count(self->config); i++) {
        const char *name = sluice_props_name(self->config, i);
        if (!sluice_props_has(props, name)) {
            sluice_props_set(props, name, sluice_props_value(self->config, i));
        }
    }
}

sluice_status split_connector(host *self, sluice_props ***ret_props, size_t *ret_count,
                              sluice_error *err)
{
    split_call call = call_of(self);
    int max =
        self->common->tasks_max < tasks_bound ? self->common->tasks_max : tasks_bound;
    /* A sink without a way to divide gets as many tasks as it may have: the group
     * divides the partitions. A source without one can't be divided. */
    int made = self->is_source ? 1 : max;
    sluice_props **props = list_new((size_t)max);
    sluice_status status = SLUICE_OK;
    if (call != NULL) {
        runner_slot_enter(self->page, CONTROL_CALL_SPLIT);
        status = call(self->plugin_config, max, props, &made, err);
        runner_slot_enter(self->page, CONTROL_CALL_NONE);
    }
    if (status == SLUICE_OK && (made < 0 || made > max)) {
        status = sluice_fail(err, SLUICE_FATAL,
                             "The connector '%s' has generated %d tasks, which is "
                             "greater than %d, the maximum number of tasks it is "
                             "configured to create.",
                             self->name, made, max);
    }
    if (status != SLUICE_OK) {
        split_free(props, (size_t)max);
        return status == SLUICE_RETRY ? SLUICE_FATAL : status;
    }
    for (int i = 0; i < made; i++) {
        complete(self, props[i]);
    }
    for (int i = made; i < max; i++) {
        sluice_props_free(props[i]);
    }
    *ret_props = props;
    *ret_count = (size_t)made;
    return SLUICE_OK;
}

void split_copy(const host *self, sluice_props ***ret_props, size_t *ret_count)
{
    sluice_props **props = memory_zero((self->task_count + 1) * sizeof *props);
    for (size_t i = 0; i < self->task_count; i++) {
        props[i] = props_below(self->tasks[i]->props, "");
    }
    *ret_props = props;
    *ret_count = self->task_count;
}

static bool is_equal(const sluice_props *one, const sluice_props *other)
{
    size_t count = sluice_props_count(one);
    if (count != sluice_props_count(other)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = sluice_props_name(one, i);
        const char *value = sluice_props_value(one, i);
        const char *others = sluice_props_get(other, name);
        if (!sluice_props_has(other, name) || (value == NULL) != (others == NULL) ||
            (value != NULL && strcmp(value, others) != 0)) {
            return false;
        }
    }
    return true;
}

bool split_is_same(const host *self, sluice_props *const *props, size_t count)
{
    if (count != self->task_count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_equal(props[i], self->tasks[i]->props)) {
            return false;
        }
    }
    return true;
}

void split_free(sluice_props **props, size_t count)
{
    for (size_t i = 0; props != NULL && i < count; i++) {
        sluice_props_free(props[i]);
    }
    free(props);
}
