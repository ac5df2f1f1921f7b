/* Members come, agree, stay away and leave: the stories that clients live through. */
#include "base/text.h"
#include "broker/group/stage.h"
#include "protocol/error_code.h"

static stage s;

TEST(a_first_member_leads_and_gets_what_it_assigns_itself)
{
    stage_init(&s);
    int join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].times, 1);
    CHECK_INT(s.answers[join].generation, 1);
    CHECK_TEXT(s.answers[join].leader, s.answers[join].member_id);
    CHECK_TEXT(s.answers[join].protocol_name, "range");
    CHECK_INT(s.answers[join].member_count, 1);
    CHECK_TEXT(stage_state(&s, "g"), "CompletingRebalance");
    const char *a = s.answers[join].member_id;
    CHECK(strncmp(a, "client-", 7) == 0);
    CHECK_INT(strlen(a), 7 + 36);
    int sync = stage_sync(&s, "g", a, 1, a, "t-0,t-1");
    CHECK_TEXT(s.answers[sync].assignment, "t-0,t-1");
    CHECK_TEXT(stage_state(&s, "g"), "Stable");
    CHECK_INT(stage_heartbeat(&s, "g", a, 1), 0);
    stage_done(&s);
}

TEST(two_members_join_the_leader_syncs_one_expires_and_the_other_gets_all)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join_b = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join_b].times, 0);
    CHECK_INT(stage_heartbeat(&s, "g", a, 1), ERROR_REBALANCE_IN_PROGRESS);
    int join_a = stage_join(&s, "g", a);
    CHECK_INT(s.answers[join_a].generation, 2);
    CHECK_INT(s.answers[join_a].member_count, 2);
    CHECK_INT(s.answers[join_b].member_count, 0);
    const char *b = s.answers[join_b].member_id;
    int sync_b = stage_sync(&s, "g", b, 2, NULL, NULL);
    CHECK_INT(s.answers[sync_b].times, 0);
    stage_sync(&s, "g", a, 2, b, "t-1");
    CHECK_TEXT(s.answers[sync_b].assignment, "t-1");

    stage_pass(&s, 6000);
    CHECK_INT(stage_heartbeat(&s, "g", a, 2), 0);
    stage_pass(&s, 6000); /* b was silent for 12 s. */
    CHECK_INT(stage_heartbeat(&s, "g", a, 2), ERROR_REBALANCE_IN_PROGRESS);
    join_a = stage_join(&s, "g", a);
    CHECK_INT(s.answers[join_a].generation, 3);
    CHECK_INT(s.answers[join_a].member_count, 1);
    CHECK_INT(stage_heartbeat(&s, "g", b, 2), ERROR_UNKNOWN_MEMBER_ID);
    stage_done(&s);
}

TEST(a_member_that_stays_away_from_a_rebalance_is_dropped_after_the_rebalance_timeout)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join_b = stage_join(&s, "g", "");
    for (int i = 0; i < 11; i++) { /* a heartbeats, but does not join. */
        CHECK_INT(s.answers[join_b].times, 0);
        CHECK_INT(stage_heartbeat(&s, "g", a, 1), ERROR_REBALANCE_IN_PROGRESS);
        stage_pass(&s, 5000);
    }
    stage_pass(&s, 5000);
    CHECK_INT(s.answers[join_b].times, 1);
    CHECK_INT(s.answers[join_b].generation, 2);
    CHECK_TEXT(s.answers[join_b].leader, s.answers[join_b].member_id);
    CHECK_INT(stage_heartbeat(&s, "g", a, 1), ERROR_UNKNOWN_MEMBER_ID);
    stage_done(&s);
}

TEST(a_new_member_is_told_its_id_and_comes_back_with_it)
{
    stage_init(&s);
    s.join.needs_member_id = true;
    int first = stage_join(&s, "g", "");
    CHECK_INT(s.answers[first].error_code, ERROR_MEMBER_ID_REQUIRED);
    const char *a = s.answers[first].member_id;
    int second = stage_join(&s, "g", a);
    CHECK_INT(s.answers[second].error_code, 0);
    CHECK_TEXT(s.answers[second].member_id, a);
    stage_done(&s);
}

TEST(a_member_that_was_told_its_id_and_never_came_holds_up_nobody_for_long)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    s.join.needs_member_id = true;
    stage_join(&s, "g", "");
    int again = stage_join(&s, "g", a); /* The leader asks for a rebalance. */
    CHECK_INT(s.answers[again].times, 0);
    stage_pass(&s, 10000);
    CHECK_INT(s.answers[again].times, 1);
    CHECK_INT(s.answers[again].member_count, 1);
    stage_done(&s);
}

TEST(a_group_that_nobody_entered_is_forgotten)
{
    stage_init(&s);
    s.join.needs_member_id = true;
    stage_join(&s, "g", "");
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_pass(&s, 10000);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    CHECK(s.actions.wake_at_ms == INT64_MAX);
    stage_done(&s);
}

TEST(requests_that_do_not_fit_are_refused_with_kafkas_codes)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    CHECK_INT(stage_heartbeat(&s, "g", a, 2), ERROR_ILLEGAL_GENERATION);
    CHECK_INT(stage_heartbeat(&s, "g", "x", 1), ERROR_UNKNOWN_MEMBER_ID);
    CHECK_INT(stage_heartbeat(&s, "other", a, 1), ERROR_UNKNOWN_MEMBER_ID);
    CHECK_INT(stage_heartbeat(&s, "", a, 1), ERROR_INVALID_GROUP_ID);
    int join = stage_join(&s, "g", "x");
    CHECK_INT(s.answers[join].error_code, ERROR_UNKNOWN_MEMBER_ID);
    join = stage_join(&s, "other", "x");
    CHECK_INT(s.answers[join].error_code, ERROR_UNKNOWN_MEMBER_ID);
    join = stage_join(&s, "", "");
    CHECK_INT(s.answers[join].error_code, ERROR_INVALID_GROUP_ID);
    s.join.session_timeout_ms = 5999;
    join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, ERROR_INVALID_SESSION_TIMEOUT);
    s.join.session_timeout_ms = 1800001;
    join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, ERROR_INVALID_SESSION_TIMEOUT);
    s.join.session_timeout_ms = 10000;
    s.join.protocol_type = B("connect");
    join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, ERROR_INCONSISTENT_GROUP_PROTOCOL);
    s.join.protocol_type = B("consumer");
    s.join.protocols = (group_protocol[]){{B("sticky"), B("")}};
    join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, ERROR_INCONSISTENT_GROUP_PROTOCOL);
    stage_done(&s);
}

TEST(the_protocol_that_all_support_and_most_prefer_is_chosen)
{
    static const group_protocol sticky_first[] = {{{"sticky", 6}, {"s", 1}},
                                                  {{"range", 5}, {"r", 1}}};
    static const group_protocol range_first[] = {
        {{"range", 5}, {"R", 1}}, {{"sticky", 6}, {"S", 1}}, {{"mine", 4}, {"M", 1}}};
    stage_init(&s);
    s.config.initial_rebalance_delay_ms = 3000;
    stage_restart_empty(&s);
    s.join.protocols = sticky_first;
    s.join.protocol_count = 2;
    int a = stage_join(&s, "g", "");
    s.join.protocols = range_first;
    s.join.protocol_count = 3;
    int b = stage_join(&s, "g", ""), c = stage_join(&s, "g", "");
    stage_pass(&s, 60000);
    CHECK_TEXT(s.answers[a].protocol_name, "range");
    CHECK_TEXT(s.answers[b].protocol_name, "range");
    CHECK_TEXT(s.answers[c].protocol_name, "range");
    CHECK_INT(s.answers[a].member_count, 3);
    stage_done(&s);
}

TEST(the_initial_delay_waits_for_more_members_and_is_prolonged_by_them)
{
    stage_init(&s);
    s.config.initial_rebalance_delay_ms = 3000;
    stage_restart_empty(&s);
    int a = stage_join(&s, "g", "");
    stage_pass(&s, 2000);
    int b = stage_join(&s, "g", "");
    stage_pass(&s, 1000);
    CHECK_INT(s.answers[a].times, 0); /* b came: three seconds more. */
    stage_pass(&s, 3000);
    CHECK_INT(s.answers[a].times, 1);
    CHECK_INT(s.answers[b].times, 1);
    CHECK_INT(s.answers[a].generation, 1);
    CHECK_INT(s.answers[a].member_count, 2);
    stage_done(&s);
}

TEST(a_follower_that_joins_again_unchanged_gets_the_generation_there_is)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join_b = stage_join(&s, "g", "");
    stage_join(&s, "g", a);
    const char *b = s.answers[join_b].member_id;
    stage_sync(&s, "g", a, 2, b, "x");
    stage_sync(&s, "g", b, 2, NULL, NULL);
    join_b = stage_join(&s, "g", b);
    CHECK_INT(s.answers[join_b].generation, 2);
    CHECK_TEXT(stage_state(&s, "g"), "Stable");
    int join_a = stage_join(&s, "g", a); /* The leader means it. */
    CHECK_INT(s.answers[join_a].times, 0);
    CHECK_TEXT(stage_state(&s, "g"), "PreparingRebalance");
    stage_done(&s);
}

TEST(a_leader_that_lost_the_answer_to_its_join_gets_it_again)
{
    stage_init(&s);
    int join = stage_join(&s, "g", "");
    const char *a = s.answers[join].member_id;
    join = stage_join(&s, "g", a);
    CHECK_INT(s.answers[join].generation, 1);
    CHECK_INT(s.answers[join].member_count, 1);
    stage_done(&s);
}

TEST(members_that_wait_for_an_assignment_are_told_of_the_next_rebalance)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join_b = stage_join(&s, "g", "");
    stage_join(&s, "g", a);
    const char *b = s.answers[join_b].member_id;
    int sync_b = stage_sync(&s, "g", b, 2, NULL, NULL);
    stage_leave(&s, "g", a, NULL);
    CHECK_INT(s.answers[sync_b].error_code, ERROR_REBALANCE_IN_PROGRESS);
    join_b = stage_join(&s, "g", b);
    CHECK_INT(s.answers[join_b].generation, 3);
    CHECK_TEXT(s.answers[join_b].leader, b);
    stage_done(&s);
}

TEST(a_leader_that_never_syncs_is_dropped_after_the_rebalance_timeout)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join_b = stage_join(&s, "g", "");
    stage_join(&s, "g", a);
    const char *b = s.answers[join_b].member_id;
    int sync_b = stage_sync(&s, "g", b, 2, NULL, NULL);
    for (int i = 0; i < 12; i++) {
        CHECK_INT(s.answers[sync_b].times, 0);
        CHECK_INT(stage_heartbeat(&s, "g", a, 2), 0);
        stage_pass(&s, 5000);
    }
    CHECK_INT(s.answers[sync_b].error_code, ERROR_REBALANCE_IN_PROGRESS);
    CHECK_INT(stage_heartbeat(&s, "g", a, 2), ERROR_UNKNOWN_MEMBER_ID);
    stage_done(&s);
}

TEST(the_last_member_that_leaves_leaves_an_empty_group)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int leave = stage_leave(&s, "g", a, NULL);
    CHECK_INT(s.answers[leave].codes[0], 0);
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    leave = stage_leave(&s, "g", a, NULL);
    CHECK_INT(s.answers[leave].codes[0], ERROR_UNKNOWN_MEMBER_ID);
    int join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].generation, 3);
    stage_done(&s);
}

TEST(an_assignment_is_given_out_when_it_is_durable)
{
    stage_init(&s);
    int join = stage_join(&s, "g", "");
    const char *a = s.answers[join].member_id;
    s.hold = true;
    int sync = stage_sync(&s, "g", a, 1, a, "all");
    CHECK_INT(s.answers[sync].times, 0);
    CHECK_TEXT(stage_state(&s, "g"), "CompletingRebalance");
    stage_durable(&s, 0);
    CHECK_TEXT(s.answers[sync].assignment, "all");
    CHECK_TEXT(stage_state(&s, "g"), "Stable");
    stage_done(&s);
}

TEST(an_assignment_that_cannot_be_stored_is_an_error_and_a_rebalance)
{
    stage_init(&s);
    int join = stage_join(&s, "g", "");
    const char *a = s.answers[join].member_id;
    s.hold = true;
    int sync = stage_sync(&s, "g", a, 1, a, "all");
    stage_durable(&s, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(s.answers[sync].error_code, ERROR_NOT_COORDINATOR);
    CHECK_TEXT(stage_state(&s, "g"), "PreparingRebalance");
    stage_done(&s);
}

TEST(a_group_takes_no_more_members_than_its_limit)
{
    stage_init(&s);
    s.config.size_max = 1;
    stage_restart_empty(&s);
    const char *a = stage_stable(&s, "g");
    int join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, ERROR_GROUP_MAX_SIZE_REACHED);
    CHECK_INT(stage_heartbeat(&s, "g", a, 1), 0);
    stage_done(&s);
}

TEST(a_connect_group_is_a_group_like_any_other)
{
    static const group_protocol protocols[] = {{{"sessioned", 9}, {"1", 1}},
                                               {{"compatible", 10}, {"2", 1}},
                                               {{"default", 7}, {"3", 1}}};
    stage_init(&s);
    s.join.protocol_type = B("connect");
    s.join.protocols = protocols;
    s.join.protocol_count = 3;
    stage_stable(&s, "workers");
    group_description found;
    CHECK(group_core_describe(s.core, B("workers"), s.arena, &found));
    CHECK_TEXT(found.protocol_type.base, "connect");
    CHECK_TEXT(found.protocol_name.base, "sessioned");
    CHECK_TEXT(found.members[0].metadata.base, "1");
    CHECK_TEXT(found.members[0].assignment.base, "all");
    CHECK_TEXT(found.members[0].client_host.base, "/127.0.0.1");
    stage_done(&s);
}

/* What Kafka Connect's workers send, byte for byte: version 2 metadata of a worker at
 * http://w1:8083/ that owns nothing, and an assignment with a delay of a second. */
static const char worker_metadata[] =
    "0002000f687474703a2f2f77313a383038332f0000000000000005ffffffff";
static const char worker_assignment[] =
    "0002000000086c65616465722d31000f687474703a2f2f77313a383038332f00000000000000050000"
    "00010002633100000002ffffffff00000000000000010002633200000002ffffffff00000001000003"
    "e8";

static sluice_bytes unhex(const char *digits)
{
    size_t len = strlen(digits) / 2;
    void *bytes = sluice_arena_take(s.arena, len);
    CHECK(text_unhex(bytes, len, digits, 2 * len));
    return (sluice_bytes){bytes, len};
}

TEST(what_connects_workers_say_to_each_other_passes_unchanged)
{
    stage_init(&s);
    sluice_bytes metadata = unhex(worker_metadata), assigned = unhex(worker_assignment);
    group_protocol protocols[] = {{B("sessioned"), metadata}};
    s.join.protocol_type = B("connect");
    s.join.protocols = protocols;
    int join = stage_join(&s, "workers", "");
    const char *member_id = s.answers[join].member_id;
    group_assignment one = {B(member_id), assigned};
    stage_ask(&s, (group_event){.type = GROUP_SYNC,
                                .sync = {.group_id = B("workers"),
                                         .generation = 1,
                                         .member_id = B(member_id),
                                         .protocol_type = B("connect"),
                                         .protocol_name = B("sessioned"),
                                         .assignments = &one,
                                         .assignment_count = 1}});
    stage_reload(&s);
    group_description found;
    CHECK(group_core_describe(s.core, B("workers"), s.arena, &found));
    CHECK_INT(found.member_count, 1);
    CHECK_BYTES(found.members[0].metadata.base, found.members[0].metadata.len,
                metadata.base, metadata.len);
    CHECK_BYTES(found.members[0].assignment.base, found.members[0].assignment.len,
                assigned.base, assigned.len);
    stage_done(&s);
}

/* ---- Static members ------------------------------------------------------------- */

TEST(a_static_member_that_restarts_gets_its_place_again_without_a_rebalance)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    s.join.skips_assignment = true;
    const char *before = stage_stable(&s, "g");
    int join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].error_code, 0);
    CHECK_INT(s.answers[join].generation, 1);
    CHECK(s.answers[join].skip_assignment);
    CHECK_INT(s.answers[join].member_count, 1);
    const char *after = s.answers[join].member_id;
    CHECK(strcmp(before, after) != 0 && strncmp(after, "one-", 4) == 0);
    CHECK_TEXT(stage_state(&s, "g"), "Stable");
    int sync = stage_sync(&s, "g", after, 1, NULL, NULL);
    CHECK_TEXT(s.answers[sync].assignment, "all");

    group_event event = {.type = GROUP_HEARTBEAT,
                         .heartbeat = {B("g"), 1, B(before), B("one")}};
    int heartbeat = stage_ask(&s, event);
    CHECK_INT(s.answers[heartbeat].error_code, ERROR_FENCED_INSTANCE_ID);
    stage_done(&s);
}

TEST(an_older_static_leader_is_told_of_another_leader_so_that_it_assigns_nothing)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    const char *before = stage_stable(&s, "g");
    int join = stage_join(&s, "g", "");
    CHECK_TEXT(s.answers[join].leader, before);
    CHECK(!s.answers[join].skip_assignment);
    CHECK_INT(s.answers[join].member_count, 0);
    stage_done(&s);
}

TEST(a_static_member_that_restarts_with_other_topics_causes_a_rebalance)
{
    static const group_protocol other[] = {
        {{"range", 5}, {"\0\0\0\0\0\1\0\1u\0\0\0\0", 13}}};
    stage_init(&s);
    s.join.instance_id = B("one");
    stage_stable(&s, "g");
    s.join.protocols = other;
    int join = stage_join(&s, "g", "");
    CHECK_INT(s.answers[join].generation, 2);
    stage_done(&s);
}

TEST(a_static_member_is_away_for_its_session_and_then_gone)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    stage_stable(&s, "g");
    stage_pass(&s, 9999);
    CHECK_TEXT(stage_state(&s, "g"), "Stable");
    stage_pass(&s, 1);
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_done(&s);
}

TEST(a_tool_removes_a_static_member_by_its_instance)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    stage_stable(&s, "g");
    int leave = stage_leave(&s, "g", "", "two");
    CHECK_INT(s.answers[leave].codes[0], ERROR_UNKNOWN_MEMBER_ID);
    leave = stage_leave(&s, "g", "", "one");
    CHECK_INT(s.answers[leave].codes[0], 0);
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_done(&s);
}

TEST(a_parked_static_member_that_is_replaced_is_fenced)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    s.join.instance_id = B("one");
    int first = stage_join(&s, "g", "");
    int second = stage_join(&s, "g", "");
    CHECK_INT(s.answers[first].error_code, ERROR_FENCED_INSTANCE_ID);
    s.join.instance_id = B(NULL);
    stage_join(&s, "g", a);
    CHECK_INT(s.answers[second].generation, 2);
    stage_done(&s);
}

TEST(absent_static_members_do_not_keep_a_group_spinning)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    s.join.rebalance_timeout_ms = 0;
    s.join.session_timeout_ms = 30000;
    stage_stable(&s, "g");
    s.join.instance_id = B(NULL);
    s.join.session_timeout_ms = 6000;
    int b = stage_join(&s, "g", "");
    stage_pass(&s, 1);
    CHECK_INT(s.answers[b].generation, 2); /* A timeout of 0: nobody is waited for. */
    stage_leave(&s, "g", s.answers[b].member_id, NULL);
    stage_pass(&s, 60000);
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_done(&s);
}

TEST_MAIN
