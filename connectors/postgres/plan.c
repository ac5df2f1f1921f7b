/* connectors/postgres/plan.c - what to do at the start. */
#include "plan.h"

/* What a snapshot.mode comes down to. */
typedef struct mode_rules {
    enum { ROWS_NEVER, ROWS_ONCE, ROWS_ALWAYS } rows;
    bool streams;
    bool repairs; /* Reads the tables again when changes are lost. */
} mode_rules;

static mode_rules rules_of(const postgres_config *config)
{
    switch ((snapshot_mode)config->snapshot_mode) {
    case SNAPSHOT_ALWAYS:
        return (mode_rules){ROWS_ALWAYS, true, true};
    case SNAPSHOT_INITIAL:
        return (mode_rules){ROWS_ONCE, true, false};
    case SNAPSHOT_INITIAL_ONLY:
        return (mode_rules){ROWS_ONCE, false, false};
    case SNAPSHOT_WHEN_NEEDED:
        return (mode_rules){ROWS_ONCE, true, true};
    case SNAPSHOT_CONFIGURATION_BASED:
        return (mode_rules){config->based_data ? ROWS_ALWAYS : ROWS_NEVER,
                            config->based_stream, config->based_data_error};
    case SNAPSHOT_NO_DATA:
    case SNAPSHOT_NEVER:
        break;
    }
    return (mode_rules){ROWS_NEVER, true, false};
}

static plan without_stream(mode_rules rules, bool has_position)
{
    bool wanted =
        rules.rows == ROWS_ALWAYS || (rules.rows == ROWS_ONCE && !has_position);
    return wanted ? PLAN_SNAPSHOT_ONLY : PLAN_NOTHING;
}

plan plan_make(const postgres_config *config, const plan_facts *facts, bool *ret_drop)
{
    mode_rules rules = rules_of(config);
    bool has_position = facts->has_offset && !facts->in_snapshot;
    *ret_drop = false;
    if (!rules.streams) {
        return without_stream(rules, has_position);
    }
    if (facts->diverged && !rules.repairs) {
        return PLAN_DIVERGED;
    }
    if (facts->slot_lost) {
        *ret_drop = rules.repairs;
        return rules.repairs ? PLAN_SNAPSHOT_NEW : PLAN_LOST;
    }
    if (!facts->slot_exists) {
        if (has_position) {
            return rules.repairs ? PLAN_SNAPSHOT_NEW : PLAN_MISSING;
        }
        return rules.rows == ROWS_NEVER ? PLAN_STREAM_NEW : PLAN_SNAPSHOT_NEW;
    }
    if (facts->gap && !rules.repairs) {
        return PLAN_GAP;
    }
    bool rows = (rules.rows == ROWS_ALWAYS && !facts->resumes) ||
                (rules.rows == ROWS_ONCE && !has_position) || facts->gap ||
                facts->diverged;
    return rows ? PLAN_SNAPSHOT_AGAIN : PLAN_STREAM;
}

lsn plan_begin(const postgres_config *config, lsn stored, lsn known, lsn slot,
               bool *ret_refused)
{
    *ret_refused = false;
    switch ((mismatch_strategy)config->mismatch) {
    case MISMATCH_TRUST_SLOT:
        return slot;
    case MISMATCH_TRUST_GREATER_LSN:
        return slot > stored ? slot : stored;
    case MISMATCH_TRUST_OFFSET:
        *ret_refused = slot > (known > stored ? known : stored);
        return stored;
    case MISMATCH_FAIL:
        *ret_refused = known != 0 && slot > known;
        return stored;
    case MISMATCH_NO_VALIDATION:
        break;
    }
    return stored;
}
