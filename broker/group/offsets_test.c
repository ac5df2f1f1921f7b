/* Offsets are committed, fetched, deleted and expire; the log tells it all again. */
#include "broker/group/stage.h"
#include "protocol/error_code.h"

static stage s;

static const int64_t day_ms = 86400000;

static int delete_group(const char *group_id)
{
    sluice_bytes id = B(group_id);
    return stage_ask(&s, (group_event){.type = GROUP_DELETE, .delete = {&id, 1}});
}

static int delete_offset(const char *group_id, const char *topic)
{
    group_delete_partition one = {B(topic), 0, 0};
    return stage_ask(&s, (group_event){.type = GROUP_DELETE_OFFSETS,
                                       .delete_offsets = {B(group_id), &one, 1}});
}

TEST(a_tool_commits_for_a_group_that_nobody_joined)
{
    stage_init(&s);
    CHECK_INT(stage_offset(&s, "g"), -1);
    int commit = stage_commit(&s, "g", "", -1, 42, "hello");
    CHECK_INT(s.answers[commit].codes[0], 0);
    group_offset offset = group_core_offset(s.core, B("g"), B("t"), 0, s.arena);
    CHECK_INT(offset.offset, 42);
    CHECK_INT(offset.leader_epoch, 7);
    CHECK_TEXT(offset.metadata.base, "hello");
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    CHECK_INT(group_core_offset(s.core, B("g"), B("t"), 1, s.arena).offset, -1);
    CHECK_INT(group_core_offset(s.core, B("g"), B("u"), 0, s.arena).offset, -1);
    stage_done(&s);
}

TEST(members_commit_and_strangers_do_not)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    CHECK_INT(s.answers[stage_commit(&s, "g", a, 1, 5, "")].codes[0], 0);
    CHECK_INT(s.answers[stage_commit(&s, "g", a, 2, 6, "")].codes[0],
              ERROR_ILLEGAL_GENERATION);
    CHECK_INT(s.answers[stage_commit(&s, "g", "x", 1, 6, "")].codes[0],
              ERROR_UNKNOWN_MEMBER_ID);
    CHECK_INT(s.answers[stage_commit(&s, "g", "", -1, 6, "")].codes[0],
              ERROR_UNKNOWN_MEMBER_ID);
    CHECK_INT(s.answers[stage_commit(&s, "new", "", 1, 6, "")].codes[0],
              ERROR_ILLEGAL_GENERATION);
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_join(&s, "g", a); /* The leader begins a rebalance; it is alone. */
    CHECK_INT(s.answers[stage_commit(&s, "g", a, 2, 7, "")].codes[0],
              ERROR_REBALANCE_IN_PROGRESS);
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_done(&s);
}

TEST(a_member_may_commit_while_the_others_join)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    stage_join(&s, "g", "");
    CHECK_TEXT(stage_state(&s, "g"), "PreparingRebalance");
    CHECK_INT(s.answers[stage_commit(&s, "g", a, 1, 5, "")].codes[0], 0);
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_done(&s);
}

TEST(metadata_has_a_limit_and_null_is_stored_as_empty)
{
    stage_init(&s);
    s.config.offset_metadata_bytes_max = 3;
    stage_restart_empty(&s);
    CHECK_INT(s.answers[stage_commit(&s, "g", "", -1, 1, "four")].codes[0],
              ERROR_OFFSET_METADATA_TOO_LARGE);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    CHECK_INT(s.answers[stage_commit(&s, "g", "", -1, 1, NULL)].codes[0], 0);
    group_offset offset = group_core_offset(s.core, B("g"), B("t"), 0, s.arena);
    CHECK_TEXT(offset.metadata.base, "");
    stage_done(&s);
}

TEST(an_offset_is_seen_when_it_is_durable)
{
    stage_init(&s);
    s.hold = true;
    int first = stage_commit(&s, "g", "", -1, 1, "");
    CHECK_INT(s.answers[first].times, 0);
    CHECK_INT(stage_offset(&s, "g"), -1);
    int second = stage_commit(&s, "g", "", -1, 2, "");
    stage_durable(&s, 0);
    CHECK_INT(s.answers[first].times, 1);
    CHECK_INT(stage_offset(&s, "g"), 1);
    stage_durable(&s, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(s.answers[second].codes[0], ERROR_NOT_COORDINATOR);
    CHECK_INT(stage_offset(&s, "g"), 1);
    stage_done(&s);
}

TEST(a_first_commit_that_fails_leaves_no_group)
{
    stage_init(&s);
    s.hold = true;
    stage_commit(&s, "g", "", -1, 1, "");
    stage_durable(&s, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    stage_done(&s);
}

TEST(reports_out_of_order_leave_the_newest_offset)
{
    stage_init(&s);
    s.hold = true;
    stage_commit(&s, "g", "", -1, 1, "");
    stage_commit(&s, "g", "", -1, 2, "");
    uint64_t first = s.under_way[0];
    s.under_way[0] = s.under_way[1];
    s.under_way[1] = first;
    stage_durable(&s, 0);
    stage_durable(&s, 0);
    CHECK_INT(stage_offset(&s, "g"), 2);
    stage_done(&s);
}

TEST(a_group_is_deleted_when_it_is_empty)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    stage_commit(&s, "g", a, 1, 5, "");
    CHECK_INT(s.answers[delete_group("g")].codes[0], ERROR_NON_EMPTY_GROUP);
    stage_leave(&s, "g", a, NULL);
    s.hold = true;
    int deletion = delete_group("g");
    CHECK_INT(s.answers[deletion].times, 0);
    stage_durable(&s, 0);
    CHECK_INT(s.answers[deletion].codes[0], 0);
    s.hold = false;
    CHECK_TEXT(stage_state(&s, "g"), "-");
    CHECK_INT(stage_offset(&s, "g"), -1);
    CHECK_INT(s.answers[delete_group("g")].codes[0], ERROR_GROUP_ID_NOT_FOUND);
    stage_reload(&s);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    CHECK_INT(stage_offset(&s, "g"), -1);
    stage_done(&s);
}

TEST(a_commit_under_way_when_its_group_is_deleted_does_not_come_back)
{
    stage_init(&s);
    s.hold = true;
    int commit = stage_commit(&s, "g", "", -1, 1, "");
    int deletion = delete_group("g");
    int again = stage_commit(&s, "g", "", -1, 9, "");
    stage_durable(&s, 0);
    stage_durable(&s, 0);
    CHECK_INT(s.answers[commit].times, 1);
    CHECK_INT(s.answers[deletion].codes[0], 0);
    CHECK_INT(stage_offset(&s, "g"), -1);
    stage_durable(&s, 0);
    CHECK_INT(s.answers[again].codes[0], 0);
    CHECK_INT(stage_offset(&s, "g"), 9);
    stage_reload(&s);
    CHECK_INT(stage_offset(&s, "g"), 9);
    stage_done(&s);
}

TEST(offsets_are_deleted_unless_somebody_reads_their_topic)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g"); /* Its subscription is "t". */
    stage_commit(&s, "g", a, 1, 5, "");
    int deletion = delete_offset("g", "t");
    CHECK_INT(s.answers[deletion].error_code, 0);
    CHECK_INT(s.answers[deletion].codes[0], ERROR_GROUP_SUBSCRIBED_TO_TOPIC);
    CHECK_INT(s.answers[delete_offset("g", "u")].codes[0], 0);
    CHECK_INT(s.answers[delete_offset("x", "t")].error_code, ERROR_GROUP_ID_NOT_FOUND);
    stage_leave(&s, "g", a, NULL);
    CHECK_INT(s.answers[delete_offset("g", "t")].codes[0], 0);
    CHECK_INT(stage_offset(&s, "g"), -1);
    stage_reload(&s);
    CHECK_INT(stage_offset(&s, "g"), -1);
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_done(&s);
}

TEST(a_deleted_topic_takes_its_offsets_along)
{
    stage_init(&s);
    stage_commit(&s, "g", "", -1, 5, "");
    stage_commit(&s, "h", "", -1, 6, "");
    stage_step(&s,
               &(group_event){.type = GROUP_TOPIC_DELETED, .topic_deleted = B("t")});
    CHECK_INT(stage_offset(&s, "g"), -1);
    CHECK_INT(stage_offset(&s, "h"), -1);
    stage_done(&s);
}

TEST(offsets_of_a_group_that_nobody_joined_expire_after_the_retention)
{
    stage_init(&s);
    stage_commit(&s, "g", "", -1, 5, "");
    stage_pass(&s, 7 * day_ms - 600000);
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_pass(&s, 1200000);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    CHECK(s.actions.wake_at_ms == INT64_MAX);
    stage_reload(&s);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    stage_done(&s);
}

TEST(offsets_of_an_empty_group_live_from_the_day_it_became_empty)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    stage_commit(&s, "g", a, 1, 5, "");
    for (int64_t i = 0; i < 8 * day_ms; i += 9000) {
        stage_heartbeat(&s, "g", a, 1);
        s.requests--;
        stage_pass(&s, 9000);
    }
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_leave(&s, "g", a, NULL);
    stage_pass(&s, 6 * day_ms);
    stage_reload(&s); /* The state's time is in the log. */
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_pass(&s, day_ms + 600000);
    CHECK_TEXT(stage_state(&s, "g"), "-");
    stage_done(&s);
}

TEST(an_expiry_of_its_own_goes_before_the_retention)
{
    stage_init(&s);
    group_commit_partition one = {B("t"), 0, 5, -1, B(""), 0};
    group_event event = {.type = GROUP_COMMIT,
                         .commit = {.group_id = B("g"),
                                    .generation = -1,
                                    .retention_ms = 3600000,
                                    .partitions = &one,
                                    .partition_count = 1}};
    stage_ask(&s, event);
    stage_reload(&s);
    CHECK_INT(stage_offset(&s, "g"), 5);
    stage_pass(&s, 2 * 3600000);
    CHECK_INT(stage_offset(&s, "g"), -1);
    stage_done(&s);
}

TEST(the_log_gives_back_members_and_their_assignments)
{
    stage_init(&s);
    s.join.instance_id = B("one");
    const char *a = stage_stable(&s, "g");
    stage_commit(&s, "g", a, 1, 5, "meta");
    stage_reload(&s);
    group_description found;
    CHECK(group_core_describe(s.core, B("g"), s.arena, &found));
    CHECK_INT(found.state, GROUP_STABLE);
    CHECK_INT(found.generation, 1);
    CHECK_TEXT(found.protocol_name.base, "range");
    CHECK_INT(found.member_count, 1);
    CHECK_TEXT(found.members[0].member_id.base, a);
    CHECK_TEXT(found.members[0].instance_id.base, "one");
    CHECK_TEXT(found.members[0].client_id.base, "client");
    CHECK_TEXT(found.members[0].assignment.base, "all");
    CHECK_INT(stage_heartbeat(&s, "g", a, 1), 0);
    CHECK_INT(s.answers[stage_commit(&s, "g", a, 1, 6, "")].codes[0], 0);
    stage_pass(&s, 10000); /* Silent for a session since then. */
    CHECK_TEXT(stage_state(&s, "g"), "Empty");
    stage_done(&s);
}

TEST(groups_and_all_their_offsets_are_listed)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    stage_commit(&s, "g", a, 1, 5, "");
    stage_commit(&s, "h", "", -1, 6, "");
    group_description *groups;
    group_offset *offsets;
    size_t count;
    group_core_list(s.core, s.arena, &groups, &count);
    CHECK_INT(count, 2);
    CHECK_TEXT(groups[0].group_id.base, "g");
    CHECK_TEXT(groups[0].protocol_type.base, "consumer");
    CHECK_TEXT(groups[1].protocol_type.base, "");
    group_core_offsets(s.core, B("h"), s.arena, &offsets, &count);
    CHECK_INT(count, 1);
    CHECK_TEXT(offsets[0].topic.base, "t");
    CHECK_INT(offsets[0].offset, 6);
    group_core_offsets(s.core, B("x"), s.arena, &offsets, &count);
    CHECK_INT(count, 0);
    stage_done(&s);
}

TEST(a_group_lives_where_kafka_looks_for_it)
{
    stage_init(&s);
    CHECK_INT(group_core_partition(s.core, B("")), 0);
    CHECK_INT(group_core_partition(s.core, B("a")), 97 % 50);
    CHECK_INT(group_core_partition(s.core, B("hello")), 99162322 % 50);
    CHECK_INT(group_core_partition(s.core, B("\xc3\xa4")), 0xe4 % 50);
    CHECK_INT(group_core_partition(s.core, B("\xf0\x9f\x98\x80")),
              (0xd83d * 31 + 0xde00) % 50);
    /* "polygenelubricants" hashes to the smallest int, whose sign bit is cleared. */
    CHECK_INT(group_core_partition(s.core, B("polygenelubricants")), 0);
    stage_done(&s);
}

TEST(a_core_that_stops_answers_whoever_waits)
{
    stage_init(&s);
    const char *a = stage_stable(&s, "g");
    int join = stage_join(&s, "g", "");
    s.hold = true;
    int commit = stage_commit(&s, "g", a, 1, 5, "");
    stage_commit(&s, "e", "", -1, 5, "");
    int deletion = delete_group("e");
    group_core_stop(s.core, s.now, &s.actions);
    for (size_t i = 0; i < s.actions.count; i++) {
        CHECK_INT(s.actions.items[i].type, GROUP_ANSWER);
        stage_note(&s, &s.actions.items[i].answer);
    }
    CHECK_INT(s.answers[join].error_code, ERROR_NOT_COORDINATOR);
    CHECK_INT(s.answers[commit].codes[0], ERROR_NOT_COORDINATOR);
    CHECK_INT(s.answers[deletion].codes[0], ERROR_NOT_COORDINATOR);
    stage_done(&s);
}

TEST_MAIN
