/* Many members against one core: whatever they do, in whatever order time and disk
 * answer, these hold:
 *   - every request is answered exactly once, in the end;
 *   - a group's generation only grows;
 *   - of each generation at most one member is told that it leads;
 *   - every member of a Stable group has the assignment that its leader gave it in this
 *     generation;
 *   - what was committed and answered is there, and the log gives back the same state.
 * usage: group-random-test [--seed N] */
#include "base/text.h"
#include "broker/group/stage.h"
#include "protocol/error_code.h"

enum { groups_max = 3, clients_max = 12, steps_max = 20000 };

/* What a client knows of itself; as far as it looks it behaves as Kafka's do. */
typedef struct client {
    int group;
    char instance_id[8]; /* "": dynamic. */
    char member_id[80];
    int32_t generation;
    bool rejoins; /* It was told of a rebalance. */
    bool leads;
    char members[clients_max][80]; /* Who is to get an assignment from it. */
    size_t member_count;
    int request; /* What it waits for; 0: nothing. */
} client;

static group_core *core;
static group_actions actions;
static group_time now;
static sluice_arena *arena;
static client clients[clients_max];
static uint64_t tokens[1024];
static size_t token_count;
static stage_record *log_records;
static size_t log_count;
static int answers[steps_max + 1];
static int requests;
static int owner_of[steps_max + 1]; /* Client number from 1; 0: nobody's. */
static int32_t generation_seen[groups_max];
static int32_t led_generation[groups_max];
static char led_by[groups_max][80];
static int64_t committed[groups_max]; /* The newest that was answered. */
static int64_t sent_offset[steps_max + 1];
static uint64_t seed = 1;

static unsigned pick(unsigned below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % below;
}

static const char *group_names[groups_max] = {"alpha", "beta", "gamma"};

static void text_set(char *to, sluice_bytes from)
{
    CHECK(from.len < 80);
    memcpy(to, from.base == NULL ? "" : from.base, from.len);
    to[from.len] = '\0';
}

/* ---- What comes back ------------------------------------------------------------ */

static void note_leader(client *self, const group_answer *answer)
{
    int g = self->group;
    self->leads = answer->member_count > 0;
    if (!self->leads) {
        return;
    }
    if (led_generation[g] == answer->generation && !answer->skip_assignment) {
        /* Only the same leader may be told twice, when it lost the first answer. */
        CHECK_TEXT(self->member_id, led_by[g]);
    }
    led_generation[g] = answer->generation;
    text_set(led_by[g], answer->member_id);
    self->member_count = answer->member_count;
    for (size_t i = 0; i < answer->member_count; i++) {
        text_set(self->members[i], answer->members[i].member_id);
    }
    self->leads = !answer->skip_assignment;
}

static void note_join(client *self, const group_answer *answer)
{
    if (answer->error_code == ERROR_MEMBER_ID_REQUIRED) {
        text_set(self->member_id, answer->member_id);
        return;
    }
    if (answer->error_code != ERROR_NONE) {
        self->member_id[0] = '\0';
        self->generation = -1;
        return;
    }
    text_set(self->member_id, answer->member_id);
    self->generation = answer->generation;
    CHECK(answer->generation >= generation_seen[self->group]);
    generation_seen[self->group] = answer->generation;
    note_leader(self, answer);
}

static void note(const group_answer *answer)
{
    int number = (int)(intptr_t)answer->request;
    CHECK_INT(++answers[number], 1);
    client *self = owner_of[number] > 0 ? &clients[owner_of[number] - 1] : NULL;
    if (answer->type == GROUP_COMMIT && answer->error_codes[0] == ERROR_NONE &&
        self != NULL && sent_offset[number] > committed[self->group]) {
        committed[self->group] = sent_offset[number];
    }
    if (self == NULL || self->request != number) {
        return; /* The client has turned away. */
    }
    self->request = 0;
    if (answer->type == GROUP_JOIN) {
        note_join(self, answer);
    } else if (answer->error_code == ERROR_UNKNOWN_MEMBER_ID ||
               answer->error_code == ERROR_FENCED_INSTANCE_ID) {
        self->member_id[0] = '\0';
        self->generation = -1;
    } else {
        self->rejoins = answer->error_code != ERROR_NONE;
    }
}

static void note_append(const group_append *append)
{
    log_records = memory_resize(log_records, (log_count + append->record_count) *
                                                 sizeof *log_records);
    for (size_t i = 0; i < append->record_count; i++) {
        sluice_bytes key = append->records[i].key, value = append->records[i].value;
        log_records[log_count].key =
            (sluice_bytes){sluice_arena_copy(arena, key.base, key.len), key.len};
        log_records[log_count].value = value;
        if (value.base != NULL) {
            log_records[log_count].value.base =
                sluice_arena_copy(arena, value.base, value.len);
        }
        log_count++;
    }
    CHECK(token_count < 1024);
    tokens[token_count++] = append->token;
}

static void step(const group_event *event)
{
    group_core_step(core, event, now, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        if (actions.items[i].type == GROUP_ANSWER) {
            note(&actions.items[i].answer);
        } else {
            note_append(&actions.items[i].append);
        }
    }
}

static void ask(client *self, group_event event)
{
    int number = ++requests;
    owner_of[number] = self == NULL ? 0 : (int)(self - clients) + 1;
    event.request = (group_request)(intptr_t)number;
    if (self != NULL) {
        self->request = number;
    }
    step(&event);
}

/* ---- What clients do ------------------------------------------------------------ */

static sluice_bytes instance_of(const client *self)
{
    return self->instance_id[0] == '\0' ? B(NULL) : B(self->instance_id);
}

static void client_join(client *self)
{
    static const group_protocol both[] = {
        {{"range", 5}, {"\0\0\0\0\0\0\0\0\0\0", 10}},
        {{"sticky", 6}, {"\0\0\0\0\0\0\0\0\0\0", 10}}};
    size_t first = pick(2), count = first == 0 ? 1 + pick(2) : 1;
    group_event event = {
        .type = GROUP_JOIN,
        .join = {.group_id = B(group_names[self->group]),
                 .member_id = B(self->member_id),
                 .instance_id = instance_of(self),
                 .client_id = B("c"),
                 .client_host = B("/h"),
                 .protocol_type = B("consumer"),
                 .session_timeout_ms = 6000 + (int)pick(10000),
                 .rebalance_timeout_ms = (int)pick(20000),
                 .protocols = both + first,
                 .protocol_count = count,
                 .needs_member_id = instance_of(self).base == NULL && pick(2) == 0,
                 .skips_assignment = pick(2) == 0}};
    ask(self, event);
}

/* What `member` gets from the leader of this generation. */
static const char *assignment_of(const char *member_id, int32_t generation)
{
    return sluice_arena_print(arena, NULL, "%s@%d", member_id, generation);
}

static void client_sync(client *self)
{
    group_assignment list[clients_max];
    size_t count = 0;
    if (self->leads) {
        for (size_t i = 0; i < self->member_count; i++) {
            list[count].member_id = B(self->members[i]);
            list[count++].assignment =
                B(assignment_of(self->members[i], self->generation));
        }
    }
    ask(self, (group_event){.type = GROUP_SYNC,
                            .sync = {.group_id = B(group_names[self->group]),
                                     .generation = self->generation,
                                     .member_id = B(self->member_id),
                                     .instance_id = instance_of(self),
                                     .assignments = list,
                                     .assignment_count = count}});
}

static void client_heartbeat(client *self)
{
    ask(self, (group_event){.type = GROUP_HEARTBEAT,
                            .heartbeat = {B(group_names[self->group]), self->generation,
                                          B(self->member_id), instance_of(self)}});
}

static void client_commit(client *self)
{
    static int64_t offset;
    group_commit_partition one = {B("t"), 0, ++offset, -1, B("m"), 0};
    sent_offset[requests + 1] = offset;
    ask(self, (group_event){.type = GROUP_COMMIT,
                            .commit = {.group_id = B(group_names[self->group]),
                                       .generation = self->generation,
                                       .member_id = B(self->member_id),
                                       .instance_id = instance_of(self),
                                       .retention_ms = -1,
                                       .partitions = &one,
                                       .partition_count = 1}});
}

static void client_leave(client *self)
{
    group_identity identity = {B(self->member_id), instance_of(self)};
    ask(self, (group_event){.type = GROUP_LEAVE,
                            .leave = {B(group_names[self->group]), &identity, 1}});
    self->member_id[0] = '\0';
    self->generation = -1;
    self->request = 0;
}

/* The process is killed; another comes, with the same instance id if it had one. */
static void client_crash(client *self)
{
    self->member_id[0] = '\0';
    self->generation = -1;
    self->request = 0;
}

static void client_act(client *self)
{
    unsigned dice = pick(100);
    if (dice < 1) {
        client_crash(self);
    } else if (self->request != 0) {
        return; /* It waits. */
    } else if (self->generation < 0 || dice < 4 || (self->rejoins && dice < 60)) {
        self->rejoins = false;
        client_join(self);
    } else if (dice < 35) {
        client_sync(self);
    } else if (dice < 80) {
        client_heartbeat(self);
    } else if (dice < 98) {
        client_commit(self);
    } else {
        client_leave(self);
    }
}

static void time_act(void)
{
    int64_t ms = pick(10) == 0 ? 5000 : pick(400);
    now.monotonic_ms += ms;
    now.wall_ms += ms;
    step(&(group_event){.type = GROUP_WAKE});
}

/* Any of the oldest few, for partitions are synced by several threads. */
static void disk_act(void)
{
    if (token_count == 0) {
        return;
    }
    size_t chosen = pick(token_count < 3 ? (unsigned)token_count : 3);
    group_event event = {.type = GROUP_APPENDED, .appended = {tokens[chosen], 0}};
    memmove(&tokens[chosen], &tokens[chosen + 1],
            (--token_count - chosen) * sizeof *tokens);
    step(&event);
}

/* ---- What must hold ------------------------------------------------------------- */

static void check_assignments(void)
{
    for (int g = 0; g < groups_max; g++) {
        group_description found;
        if (!group_core_describe(core, B(group_names[g]), arena, &found)) {
            continue;
        }
        CHECK(found.generation >= generation_seen[g] || found.state == GROUP_EMPTY);
        for (size_t i = 0; found.state == GROUP_STABLE && i < found.member_count; i++) {
            /* A static member may have got another id since it was assigned. */
            const char *assignment = found.members[i].assignment.base;
            const char *at = strrchr(assignment, '@');
            char generation[16];
            snprintf(generation, sizeof generation, "%d", found.generation);
            CHECK(at != NULL);
            CHECK_TEXT(at + 1, generation);
            if (found.members[i].instance_id.base == NULL) {
                CHECK_TEXT(assignment, assignment_of(found.members[i].member_id.base,
                                                     found.generation));
            }
        }
    }
}

/* Whether the group is in none of the states that are not stored. */
static bool at_rest(int g)
{
    group_description found;
    return !group_core_describe(core, B(group_names[g]), arena, &found) ||
           found.state == GROUP_STABLE || found.state == GROUP_EMPTY;
}

/* The groups at rest, as text. */
static const char *description_of(const group_core *of)
{
    char *text = sluice_arena_print(arena, NULL, "%s", "");
    for (int g = 0; g < groups_max; g++) {
        group_description found;
        group_offset offset =
            group_core_offset(of, B(group_names[g]), B("t"), 0, arena);
        bool known = group_core_describe(of, B(group_names[g]), arena, &found);
        if (!known || !at_rest(g) || (found.generation == 0 && offset.offset < 0)) {
            continue; /* Not stored, or nothing to store. */
        }
        text = sluice_arena_print(arena, NULL, "%s%s %s %d %s %s offset %d\n", text,
                                  group_names[g], group_state_name(found.state),
                                  found.generation, (char *)found.protocol_type.base,
                                  (char *)found.protocol_name.base, (int)offset.offset);
        for (size_t i = 0; i < found.member_count; i++) {
            const group_member_description *member = &found.members[i];
            text = sluice_arena_print(arena, NULL, "%s  %s %s\n", text,
                                      (char *)member->member_id.base,
                                      (char *)member->assignment.base);
        }
    }
    return text;
}

static void disk_drain(void)
{
    while (token_count > 0) {
        disk_act();
    }
}

/* All groups come to rest. */
static void settle(void)
{
    for (int i = 0; i < clients_max; i++) {
        clients[i].request = -1; /* They say no more. */
    }
    for (int i = 0; i < 200; i++) {
        now.monotonic_ms += 1000;
        now.wall_ms += 1000;
        step(&(group_event){.type = GROUP_WAKE});
        disk_drain();
    }
}

/* When nothing is on its way, log and memory agree. */
static void check_reload(void)
{
    const char *before = description_of(core);
    group_core *loaded =
        group_core_new(&(group_config)GROUP_CONFIG_DEFAULT, (uint64_t[2]){5, 6});
    for (size_t i = 0; i < log_count; i++) {
        CHECK(group_core_load(loaded, log_records[i].key, log_records[i].value, NULL) ==
              SLUICE_OK);
    }
    group_core_loaded(loaded, now, &actions);
    const char *after = description_of(loaded);
    group_core_free(loaded);
    CHECK_TEXT(after, before);
}

TEST(members_that_do_what_they_like_cannot_break_a_group)
{
    printf("# seed %llu: run with --seed %llu\n", (unsigned long long)seed,
           (unsigned long long)seed);
    arena = sluice_arena_new();
    group_actions_init(&actions);
    now = (group_time){1000, 1700000000000};
    group_config config = GROUP_CONFIG_DEFAULT;
    config.initial_rebalance_delay_ms = (int)pick(2) * 500;
    core = group_core_new(&config, (uint64_t[2]){seed, 7});
    for (int i = 0; i < clients_max; i++) {
        clients[i].group = i % groups_max;
        clients[i].generation = -1;
        if (pick(3) == 0) {
            snprintf(clients[i].instance_id, sizeof clients[i].instance_id, "i%d", i);
        }
    }
    int rests = 0;
    for (int i = 0; i < steps_max; i++) {
        unsigned dice = pick(10);
        if (dice < 6) {
            client_act(&clients[pick(clients_max)]);
        } else if (dice < 9) {
            disk_act();
        } else {
            time_act();
        }
        if (i % 16 == 0) {
            check_assignments();
        }
        if (i % 200 == 0) {
            disk_drain();
            rests += at_rest(0) + at_rest(1) + at_rest(2);
            check_reload();
        }
    }
    settle();
    check_assignments();
    check_reload();
    for (int i = 1; i <= requests; i++) {
        CHECK_INT(answers[i], 1);
    }
    for (int g = 0; g < groups_max; g++) {
        CHECK(committed[g] > 0 && generation_seen[g] > 10);
        int64_t offset =
            group_core_offset(core, B(group_names[g]), B("t"), 0, arena).offset;
        CHECK_INT(offset, committed[g]);
    }
    printf("# %d requests, %zu records, %d groups at rest, generations %d %d %d\n",
           requests, log_count, rests, generation_seen[0], generation_seen[1],
           generation_seen[2]);
    group_core_free(core);
    group_actions_done(&actions);
    sluice_arena_free(arena);
    free(log_records);
}

/* ---- Broken logs ---------------------------------------------------------------- */

static stage broken;

/* A byte changed, or the end cut off. */
static sluice_bytes damage(sluice_bytes bytes)
{
    if (bytes.base == NULL || bytes.len == 0 || pick(4) > 0) {
        return bytes;
    }
    uint8_t *copy = (uint8_t *)sluice_arena_copy(broken.arena, bytes.base, bytes.len);
    if (pick(4) == 0) {
        return (sluice_bytes){copy, pick((unsigned)bytes.len)};
    }
    copy[pick((unsigned)bytes.len)] = (uint8_t)pick(256);
    return (sluice_bytes){copy, bytes.len};
}

static void play_on(void)
{
    group_description *groups;
    size_t count;
    group_core_list(broken.core, broken.arena, &groups, &count);
    for (size_t i = 0; i < count; i++) {
        group_event event = {.type = GROUP_JOIN, .join = broken.join};
        event.join.group_id = groups[i].group_id;
        stage_ask(&broken, event);
    }
    stage_pass(&broken, 1000000);
}

TEST(a_damaged_log_harms_nobody)
{
    printf("# seed %llu\n", (unsigned long long)seed);
    stage_init(&broken);
    for (int round = 0; round < 5; round++) {
        char name[8];
        snprintf(name, sizeof name, "g%d", round);
        const char *member = stage_stable(&broken, name);
        stage_commit(&broken, name, member, 1, round, "meta");
    }
    size_t good = broken.log_count;
    for (int round = 0; round < 200; round++) {
        stage_restart_empty(&broken);
        broken.log_count = good;
        broken.requests = 0;
        for (size_t i = 0; i < good; i++) {
            sluice_bytes key = damage(broken.log[i].key);
            sluice_bytes value = damage(broken.log[i].value);
            group_core_load(broken.core, key, value, NULL);
        }
        group_core_loaded(broken.core, broken.now, &broken.actions);
        play_on();
    }
    stage_done(&broken);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        CHECK(text_to_uint64(argv[2], &seed));
        argc = 1;
    } else {
        seed = (uint64_t)(uintptr_t)&argc ^ (uint64_t)(uintptr_t)main;
    }
    return test_all(argc, argv);
}
