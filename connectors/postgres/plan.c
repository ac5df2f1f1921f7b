/* connectors/postgres/plan.c - what to do at the start. */
#include "plan.h"

/* The mode that a configuration comes down to. */
static snapshot_mode mode_of(const postgres_config *config)
{
    snapshot_mode mode = (snapshot_mode)config->snapshot_mode;
    if (mode != SNAPSHOT_CONFIGURATION_BASED) {
        return mode == SNAPSHOT_NEVER ? SNAPSHOT_NO_DATA : mode;
    }
    if (!config->based_data) {
        return SNAPSHOT_NO_DATA;
    }
    return config->based_stream ? SNAPSHOT_INITIAL : SNAPSHOT_INITIAL_ONLY;
}

static bool wants_rows(snapshot_mode mode, bool has_position)
{
    return mode == SNAPSHOT_ALWAYS || (mode != SNAPSHOT_NO_DATA && !has_position);
}

plan plan_make(const postgres_config *config, const plan_facts *facts, bool *ret_drop)
{
    snapshot_mode mode = mode_of(config);
    bool has_position = facts->has_offset && !facts->in_snapshot;
    *ret_drop = false;
    if (mode == SNAPSHOT_INITIAL_ONLY) {
        return has_position ? PLAN_NOTHING : PLAN_SNAPSHOT_ONLY;
    }
    bool repairs = mode == SNAPSHOT_WHEN_NEEDED || mode == SNAPSHOT_ALWAYS;
    if (facts->slot_lost) {
        *ret_drop = repairs;
        return repairs ? PLAN_SNAPSHOT_NEW : PLAN_LOST;
    }
    if (!facts->slot_exists) {
        if (repairs) {
            return PLAN_SNAPSHOT_NEW;
        }
        if (has_position) {
            return PLAN_MISSING;
        }
        return wants_rows(mode, false) ? PLAN_SNAPSHOT_NEW : PLAN_STREAM_NEW;
    }
    return wants_rows(mode, has_position) ? PLAN_SNAPSHOT_AGAIN : PLAN_STREAM;
}
