/* broker/group/stage.h - a core on a stage, for tests: members act, time passes, the
 * log takes what it is given, and every answer is written down.
 *
 *     stage s;
 *     stage_init(&s);
 *     int join = stage_join(&s, "g", "");
 *     CHECK_INT(s.answers[join].error_code, 0);
 *
 * An append is durable at once, unless `s.hold` is set: then stage_durable() says so.
 */
#ifndef SLUICE_BROKER_GROUP_STAGE_H
#define SLUICE_BROKER_GROUP_STAGE_H

#include "base/memory.h"
#include "broker/group/core.h"
#include "test.h"

#define B(text)                                                                        \
    ((sluice_bytes){(text), (text) == NULL ? 0 : strlen((text) == NULL ? "" : (text))})

enum { stage_requests_max = 4096, stage_codes_max = 16 };

/* What a request was answered. Texts are in the stage's arena. */
typedef struct stage_answer {
    int times;
    group_event_type type;
    int16_t error_code;
    int32_t generation;
    const char *leader, *member_id, *protocol_type, *protocol_name, *assignment;
    bool skip_assignment;
    size_t member_count;
    const char *members[stage_codes_max];
    int16_t codes[stage_codes_max];
    size_t code_count;
} stage_answer;

typedef struct stage_record {
    sluice_bytes key, value;
} stage_record;

typedef struct stage {
    group_config config;
    group_core *core;
    group_actions actions;
    group_time now;
    sluice_arena *arena; /* Of the answers and the log. */
    stage_answer answers[stage_requests_max];
    int requests;
    bool hold;
    uint64_t under_way[stage_requests_max]; /* Tokens, in the order of the appends. */
    size_t under_way_count;
    stage_record *log;
    size_t log_count;
    group_join join; /* What stage_join() sends, apart from group and member. */
} stage;

static const group_protocol stage_protocols[] = {
    {{"range", 5}, {"\0\0\0\0\0\1\0\1t\0\0\0\0", 13}},
};

__attribute__((unused)) static void stage_init(stage *s)
{
    static const group_config defaults = GROUP_CONFIG_DEFAULT;
    memset(s, 0, sizeof *s);
    s->config = defaults;
    s->now = (group_time){1000, 1700000000000};
    s->arena = sluice_arena_new();
    group_actions_init(&s->actions);
    s->core = group_core_new(&s->config, (uint64_t[2]){1, 2});
    s->join = (group_join){.client_id = B("client"),
                           .client_host = B("/127.0.0.1"),
                           .protocol_type = B("consumer"),
                           .session_timeout_ms = 10000,
                           .rebalance_timeout_ms = 60000,
                           .protocols = stage_protocols,
                           .protocol_count = 1};
}

/* Begins again with an empty core of `s->config`. */
__attribute__((unused)) static void stage_restart_empty(stage *s)
{
    group_core_free(s->core);
    s->core = group_core_new(&s->config, (uint64_t[2]){3, 4});
    s->under_way_count = 0;
}

__attribute__((unused)) static void stage_done(stage *s)
{
    group_core_free(s->core);
    group_actions_done(&s->actions);
    sluice_arena_free(s->arena);
    free(s->log);
}

static const char *stage_keep(stage *s, sluice_bytes bytes)
{
    return bytes.base == NULL ? NULL
                              : sluice_arena_copy(s->arena, bytes.base, bytes.len);
}

static void stage_note(stage *s, const group_answer *answer)
{
    stage_answer *note = &s->answers[(intptr_t)answer->request];
    note->times++;
    note->type = answer->type;
    note->error_code = answer->error_code;
    note->generation = answer->generation;
    note->leader = stage_keep(s, answer->leader);
    note->member_id = stage_keep(s, answer->member_id);
    note->protocol_type = stage_keep(s, answer->protocol_type);
    note->protocol_name = stage_keep(s, answer->protocol_name);
    note->assignment = stage_keep(s, answer->assignment);
    note->skip_assignment = answer->skip_assignment;
    note->member_count = answer->member_count;
    for (size_t i = 0; i < answer->member_count && i < stage_codes_max; i++) {
        note->members[i] = stage_keep(s, answer->members[i].member_id);
    }
    note->code_count = answer->error_count;
    for (size_t i = 0; i < answer->error_count && i < stage_codes_max; i++) {
        note->codes[i] = answer->error_codes[i];
    }
}

static void stage_append(stage *s, const group_append *append)
{
    s->log =
        memory_resize(s->log, (s->log_count + append->record_count) * sizeof *s->log);
    for (size_t i = 0; i < append->record_count; i++) {
        const group_record *record = &append->records[i];
        s->log[s->log_count++] = (stage_record){
            {stage_keep(s, record->key), record->key.len},
            {stage_keep(s, record->value), record->value.len},
        };
    }
    s->under_way[s->under_way_count++] = append->token;
}

static void stage_step(stage *s, const group_event *event);

/* The oldest append is durable, or failed. */
static void stage_durable(stage *s, int16_t error_code)
{
    group_event event = {.type = GROUP_APPENDED,
                         .appended = {s->under_way[0], error_code}};
    memmove(s->under_way, s->under_way + 1,
            --s->under_way_count * sizeof *s->under_way);
    stage_step(s, &event);
}

static void stage_step(stage *s, const group_event *event)
{
    group_core_step(s->core, event, s->now, &s->actions);
    for (size_t i = 0; i < s->actions.count; i++) {
        const group_action *action = &s->actions.items[i];
        if (action->type == GROUP_ANSWER) {
            stage_note(s, &action->answer);
        } else {
            stage_append(s, &action->append);
        }
    }
    while (!s->hold && s->under_way_count > 0) {
        stage_durable(s, 0);
    }
}

/* Sends an event as a new request and returns its number. */
static int stage_ask(stage *s, group_event event)
{
    int number = ++s->requests;
    CHECK(number < stage_requests_max);
    event.request = (group_request)(intptr_t)number;
    stage_step(s, &event);
    return number;
}

__attribute__((unused)) static int stage_join(stage *s, const char *group_id,
                                              const char *member_id)
{
    group_event event = {.type = GROUP_JOIN, .join = s->join};
    event.join.group_id = B(group_id);
    event.join.member_id = B(member_id);
    return stage_ask(s, event);
}

/* A follower's sync; or the leader's with one assignment. */
__attribute__((unused)) static int stage_sync(stage *s, const char *group_id,
                                              const char *member_id, int generation,
                                              const char *to, const char *assignment)
{
    group_assignment one = {B(to), B(assignment)};
    group_event event = {.type = GROUP_SYNC,
                         .sync = {.group_id = B(group_id),
                                  .generation = generation,
                                  .member_id = B(member_id),
                                  .assignments = &one,
                                  .assignment_count = to == NULL ? 0 : 1}};
    return stage_ask(s, event);
}

/* The error code of a heartbeat. */
__attribute__((unused)) static int
stage_heartbeat(stage *s, const char *group_id, const char *member_id, int generation)
{
    group_event event = {.type = GROUP_HEARTBEAT,
                         .heartbeat = {.group_id = B(group_id),
                                       .generation = generation,
                                       .member_id = B(member_id)}};
    return s->answers[stage_ask(s, event)].error_code;
}

__attribute__((unused)) static int stage_leave(stage *s, const char *group_id,
                                               const char *member_id,
                                               const char *instance_id)
{
    group_identity identity = {B(member_id), B(instance_id)};
    group_event event = {.type = GROUP_LEAVE, .leave = {B(group_id), &identity, 1}};
    return stage_ask(s, event);
}

__attribute__((unused)) static int stage_commit(stage *s, const char *group_id,
                                                const char *member_id, int generation,
                                                int64_t offset, const char *metadata)
{
    group_commit_partition one = {B("t"), 0, offset, 7, B(metadata), 0};
    group_event event = {.type = GROUP_COMMIT,
                         .commit = {.group_id = B(group_id),
                                    .generation = generation,
                                    .member_id = B(member_id),
                                    .retention_ms = -1,
                                    .partitions = &one,
                                    .partition_count = 1}};
    return stage_ask(s, event);
}

/* Lets time pass, waking the core whenever it wants to be woken. */
__attribute__((unused)) static void stage_pass(stage *s, int64_t ms)
{
    int64_t end_ms = s->now.monotonic_ms + ms;
    for (;;) {
        int64_t next_ms =
            s->actions.wake_at_ms < end_ms ? s->actions.wake_at_ms : end_ms;
        if (next_ms < s->now.monotonic_ms) {
            next_ms = s->now.monotonic_ms;
        }
        s->now.wall_ms += next_ms - s->now.monotonic_ms;
        s->now.monotonic_ms = next_ms;
        bool last = s->actions.wake_at_ms > end_ms;
        stage_step(s, &(group_event){.type = GROUP_WAKE});
        if (last) {
            return;
        }
    }
}

/* The state's name, or "-" when the group is not known. */
__attribute__((unused)) static const char *stage_state(stage *s, const char *group_id)
{
    group_description found;
    bool known = group_core_describe(s->core, B(group_id), s->arena, &found);
    return known ? group_state_name(found.state) : "-";
}

/* The committed offset of partition 0 of "t". */
__attribute__((unused)) static int64_t stage_offset(stage *s, const char *group_id)
{
    return group_core_offset(s->core, B(group_id), B("t"), 0, s->arena).offset;
}

/* A Stable group of one member with the assignment "all"; returns the member's id. */
__attribute__((unused)) static const char *stage_stable(stage *s, const char *group_id)
{
    int join = stage_join(s, group_id, "");
    const char *member_id = s->answers[join].member_id;
    CHECK_INT(s->answers[join].error_code, 0);
    int sync = stage_sync(s, group_id, member_id, s->answers[join].generation,
                          member_id, "all");
    CHECK_INT(s->answers[sync].error_code, 0);
    CHECK_TEXT(stage_state(s, group_id), "Stable");
    return member_id;
}

/* The log goes into a new core, and that goes on from there. */
__attribute__((unused)) static void stage_reload(stage *s)
{
    stage_restart_empty(s);
    for (size_t i = 0; i < s->log_count; i++) {
        CHECK(group_core_load(s->core, s->log[i].key, s->log[i].value, NULL) ==
              SLUICE_OK);
    }
    group_core_loaded(s->core, s->now, &s->actions);
}

#endif
