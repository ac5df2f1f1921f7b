/* The life of a group over TCP, in every version in which a client may live it. */
#include "broker/in_process.h"

static const sluice_bytes metadata = {"\0\1\0\0\0\1\0\1t\0\0\0\0", 13};
static const sluice_bytes assignment = {"\0\1\0\0\0\1\0\1t\0\0\0\1\0\0\0\0\0\0\0\0",
                                        21};

static message_text group_id;
static int32_t committed_epoch; /* What the last commit could say. */
static message_uuid topic_id;   /* Of 't'. */
static const message_uuid unknown_id = {{7}};

static int lesser(int a, int b)
{
    return a < b ? a : b;
}

static void check_text(message_text got, const char *wanted)
{
    CHECK_BYTES(got.base == NULL ? "" : got.base, got.len, wanted, strlen(wanted));
}

static void send_join(int fd, message_text member_id, int version)
{
    static join_group_request_protocol protocol;
    protocol = (join_group_request_protocol){{"range", 5}, metadata};
    join_group_request asked;
    join_group_request_init(&asked);
    asked.group_id = group_id;
    asked.session_timeout_ms = 10000;
    asked.rebalance_timeout_ms = 20000;
    asked.member_id = member_id;
    asked.protocol_type = message_text_of("consumer");
    asked.protocols.items = &protocol;
    asked.protocols.count = 1;
    send_message(fd, API_JOIN_GROUP, version, &asked);
}

static join_group_response join(int fd, message_text member_id, int version)
{
    join_group_response got;
    send_join(fd, member_id, version);
    receive_message(fd, API_JOIN_GROUP, version, &got);
    return got;
}

/* A first join, in two steps where the version wants them. Returns the answer. */
static join_group_response join_new(int fd, int version)
{
    join_group_response got = join(fd, (message_text){"", 0}, version);
    if (version >= 4) {
        CHECK_INT(got.error_code, ERROR_MEMBER_ID_REQUIRED);
        got = join(fd, got.member_id, version);
    }
    CHECK_INT(got.error_code, ERROR_NONE);
    return got;
}

static sync_group_response sync_leader(int fd, const join_group_response *joined,
                                       int version)
{
    sync_group_request_assignment one = {joined->member_id, assignment};
    sync_group_request asked;
    sync_group_request_init(&asked);
    asked.group_id = group_id;
    asked.generation_id = joined->generation_id;
    asked.member_id = joined->member_id;
    asked.protocol_type = message_text_of("consumer");
    asked.protocol_name = message_text_of("range");
    asked.assignments.items = &one;
    asked.assignments.count = 1;
    sync_group_response got;
    ask(fd, API_SYNC_GROUP, version, &asked, &got);
    return got;
}

static int16_t heartbeat(int fd, const join_group_response *joined, int version)
{
    heartbeat_request asked;
    heartbeat_request_init(&asked);
    asked.group_id = group_id;
    asked.generation_id = joined->generation_id;
    asked.member_id = joined->member_id;
    heartbeat_response got;
    ask(fd, API_HEARTBEAT, version, &asked, &got);
    return got.error_code;
}

static void check_joined(const join_group_response *got, int version)
{
    CHECK_INT(got->generation_id, 1);
    check_text(got->protocol_name, "range");
    check_text(got->protocol_type, version >= 7 ? "consumer" : "");
    CHECK(message_text_equal(got->leader, got->member_id));
    CHECK_INT(got->members.count, 1);
    CHECK_BYTES(got->members.items[0].metadata.base, got->members.items[0].metadata.len,
                metadata.base, metadata.len);
}

/* ---- Offsets -------------------------------------------------------------------- */

/* Offsets are about topics by name, and from version 10 on by id. */
static message_text named(int version)
{
    return version >= 10 ? (message_text){NULL, 0} : message_text_of("t");
}

static void learn_topic_id(int fd)
{
    metadata_request_topic topic = metadata_request_topic_defaults;
    topic.name = message_text_of("t");
    metadata_request asked;
    metadata_request_init(&asked);
    asked.topics.items = &topic;
    asked.topics.count = 1;
    metadata_response got;
    ask(fd, API_METADATA, 12, &asked, &got);
    topic_id = got.topics.items[0].topic_id;
}

static void commit(int fd, const join_group_response *joined, int64_t offset,
                   int version)
{
    offset_commit_request_partition partitions[] = {
        offset_commit_request_partition_defaults,
        offset_commit_request_partition_defaults};
    partitions[0].committed_offset = offset;
    partitions[0].committed_leader_epoch = 3;
    partitions[0].committed_metadata = message_text_of("note");
    partitions[1].partition_index = 9; /* The topic has not so many. */
    offset_commit_request_topic topic = offset_commit_request_topic_defaults;
    topic.name = named(version);
    topic.topic_id = topic_id;
    topic.partitions.items = partitions;
    topic.partitions.count = 2;
    offset_commit_request asked;
    offset_commit_request_init(&asked);
    asked.group_id = group_id;
    asked.generation_id_or_member_epoch = joined->generation_id;
    asked.member_id = joined->member_id;
    asked.topics.items = &topic;
    asked.topics.count = 1;
    offset_commit_response got;
    committed_epoch = version >= 6 ? 3 : -1;
    ask(fd, API_OFFSET_COMMIT, version, &asked, &got);
    CHECK_INT(got.topics.items[0].partitions.items[0].error_code, ERROR_NONE);
    CHECK_INT(got.topics.items[0].partitions.items[1].error_code,
              ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    if (version >= 10) {
        CHECK_BYTES(got.topics.items[0].topic_id.bytes, 16, topic_id.bytes, 16);
        topic.topic_id = unknown_id;
        ask(fd, API_OFFSET_COMMIT, version, &asked, &got);
        CHECK_INT(got.topics.items[0].partitions.items[0].error_code,
                  ERROR_UNKNOWN_TOPIC_ID);
        CHECK_BYTES(got.topics.items[0].topic_id.bytes, 16, unknown_id.bytes, 16);
    }
}

static void check_fetched(const offset_fetch_response_partition *got, int64_t offset,
                          int version)
{
    CHECK_INT(got->error_code, ERROR_NONE);
    CHECK_INT(got->committed_offset, offset);
    CHECK_INT(got->committed_leader_epoch,
              version >= 5 && offset >= 0 ? committed_epoch : -1);
    check_text(got->metadata, offset >= 0 ? "note" : "");
}

static void fetch_old(int fd, int64_t offset, bool all, int version)
{
    int32_t numbers[] = {0, 1};
    offset_fetch_request_topic topic = {{"t", 1}, {numbers, 2}};
    offset_fetch_request asked;
    offset_fetch_request_init(&asked);
    asked.group_id = group_id;
    asked.topics.items = all ? NULL : &topic;
    asked.topics.count = all ? 0 : 1;
    offset_fetch_response got;
    ask(fd, API_OFFSET_FETCH, version, &asked, &got);
    CHECK_INT(got.error_code, ERROR_NONE);
    CHECK_INT(got.topics.count, 1);
    CHECK_INT(got.topics.items[0].partitions.count, all ? 1 : 2);
    check_fetched(&got.topics.items[0].partitions.items[0], offset, version);
    if (!all) {
        check_fetched(&got.topics.items[0].partitions.items[1], -1, version);
    }
}

static void fetch_new(int fd, int64_t offset, bool all, int version)
{
    int32_t number = 0;
    offset_fetch_request_group_topic topic = offset_fetch_request_group_topic_defaults;
    topic.name = named(version);
    topic.topic_id = topic_id;
    topic.partition_indexes.items = &number;
    topic.partition_indexes.count = 1;
    offset_fetch_request_group groups[] = {offset_fetch_request_group_defaults,
                                           offset_fetch_request_group_defaults};
    groups[0].group_id = group_id;
    groups[1].group_id = message_text_of("nobody");
    groups[0].topics.items = groups[1].topics.items = all ? NULL : &topic;
    groups[0].topics.count = groups[1].topics.count = all ? 0 : 1;
    offset_fetch_request asked;
    offset_fetch_request_init(&asked);
    asked.groups.items = groups;
    asked.groups.count = 2;
    offset_fetch_response got;
    ask(fd, API_OFFSET_FETCH, version, &asked, &got);
    CHECK_INT(got.groups.count, 2);
    CHECK_INT(got.groups.items[0].error_code, ERROR_NONE);
    const offset_fetch_response_group_partition *its =
        &got.groups.items[0].topics.items[0].partitions.items[0];
    CHECK_INT(its->committed_offset, offset);
    CHECK_INT(its->committed_leader_epoch, committed_epoch);
    check_text(its->metadata, "note");
    CHECK_INT(got.groups.items[1].error_code, ERROR_NONE);
    CHECK_INT(got.groups.items[1].topics.count, all ? 0 : 1);
    if (version >= 10) {
        CHECK_BYTES(got.groups.items[0].topics.items[0].topic_id.bytes, 16,
                    topic_id.bytes, 16);
    }
    if (version >= 10 && !all) {
        topic.topic_id = unknown_id;
        ask(fd, API_OFFSET_FETCH, version, &asked, &got);
        its = &got.groups.items[0].topics.items[0].partitions.items[0];
        CHECK_INT(its->error_code, ERROR_UNKNOWN_TOPIC_ID);
        CHECK_INT(its->committed_offset, -1);
    }
}

static void commit_and_fetch(int fd, const join_group_response *joined)
{
    for (int version = 1; version <= 10; version++) {
        commit(fd, joined, 100 + version, version);
        for (int at = 1; at <= 10; at++) {
            for (int all = 0; all <= (at > 1); all++) {
                (at < 8 ? fetch_old : fetch_new)(fd, 100 + version, all == 1, at);
            }
        }
    }
}

/* ---- Tools ---------------------------------------------------------------------- */

static void describe(int fd, const join_group_response *joined)
{
    for (int version = 0; version <= 6; version++) {
        message_text ids[] = {group_id, {"nobody", 6}};
        describe_groups_request asked;
        describe_groups_request_init(&asked);
        asked.groups.items = ids;
        asked.groups.count = 2;
        asked.include_authorized_operations = version >= 3;
        describe_groups_response got;
        ask(fd, API_DESCRIBE_GROUPS, version, &asked, &got);
        CHECK_INT(got.groups.count, 2);
        const describe_groups_response_group *one = &got.groups.items[0];
        check_text(one->group_state, "Stable");
        check_text(one->protocol_type, "consumer");
        check_text(one->protocol_data, "range");
        CHECK_INT(one->authorized_operations, version >= 3 ? 3400 : INT32_MIN);
        CHECK_INT(one->members.count, 1);
        CHECK(message_text_equal(one->members.items[0].member_id, joined->member_id));
        check_text(one->members.items[0].client_id, "test");
        check_text(one->members.items[0].client_host, "/127.0.0.1");
        CHECK_INT(one->members.items[0].member_assignment.len, assignment.len);
        check_text(got.groups.items[1].group_state, "Dead");
        CHECK_INT(got.groups.items[1].error_code,
                  version < 6 ? ERROR_NONE : ERROR_GROUP_ID_NOT_FOUND);
    }
}

static size_t listed(int fd, const char *state, const char *type, int version)
{
    message_text states[] = {message_text_of(state)}, types[] = {message_text_of(type)};
    list_groups_request asked;
    list_groups_request_init(&asked);
    asked.states_filter.items = states;
    asked.states_filter.count = state != NULL;
    asked.types_filter.items = types;
    asked.types_filter.count = type != NULL;
    list_groups_response got;
    ask(fd, API_LIST_GROUPS, version, &asked, &got);
    CHECK_INT(got.error_code, ERROR_NONE);
    for (size_t i = 0; i < got.groups.count; i++) {
        check_text(got.groups.items[i].protocol_type, "consumer");
        check_text(got.groups.items[i].group_state, version >= 4 ? "Stable" : "");
        check_text(got.groups.items[i].group_type, version >= 5 ? "classic" : "");
    }
    return got.groups.count;
}

static void list(int fd)
{
    for (int version = 0; version <= 5; version++) {
        CHECK_INT(listed(fd, NULL, NULL, version), 1);
    }
    CHECK_INT(listed(fd, "stable", NULL, 4), 1);
    CHECK_INT(listed(fd, "Empty", NULL, 4), 0);
    CHECK_INT(listed(fd, "Stable", "Classic", 5), 1);
    CHECK_INT(listed(fd, NULL, "consumer", 5), 0);
}

static void leave(int fd, const join_group_response *joined, int version)
{
    leave_group_request_member members[] = {leave_group_request_member_defaults,
                                            leave_group_request_member_defaults};
    members[0].member_id = joined->member_id;
    members[1].member_id = message_text_of("nobody");
    leave_group_request asked;
    leave_group_request_init(&asked);
    asked.group_id = group_id;
    asked.member_id = version < 3 ? joined->member_id : (message_text){"", 0};
    asked.members.items = members;
    asked.members.count = version < 3 ? 0 : 2;
    leave_group_response got;
    ask(fd, API_LEAVE_GROUP, version, &asked, &got);
    CHECK_INT(got.error_code, ERROR_NONE);
    if (version >= 3) {
        CHECK_INT(got.members.count, 2);
        CHECK_INT(got.members.items[0].error_code, ERROR_NONE);
        CHECK_INT(got.members.items[1].error_code, ERROR_UNKNOWN_MEMBER_ID);
    }
}

static int16_t delete_offset(int fd)
{
    offset_delete_request_partition partition = {0};
    offset_delete_request_topic topic = {{"t", 1}, {&partition, 1}};
    offset_delete_request asked = {.group_id = group_id, .topics = {&topic, 1}};
    offset_delete_response got;
    ask(fd, API_OFFSET_DELETE, 0, &asked, &got);
    CHECK_INT(got.error_code, ERROR_NONE);
    return got.topics.items[0].partitions.items[0].error_code;
}

static int16_t delete_group(int fd, int version)
{
    delete_groups_request asked = {.groups_names = {&group_id, 1}};
    delete_groups_response got;
    ask(fd, API_DELETE_GROUPS, version, &asked, &got);
    CHECK_INT(got.results.count, 1);
    return got.results.items[0].error_code;
}

/* ---- Groups that are not there -------------------------------------------------- */

static int16_t commit_to_nobody(int fd, int version)
{
    offset_commit_request_partition partition =
        offset_commit_request_partition_defaults;
    offset_commit_request_topic topic = offset_commit_request_topic_defaults;
    topic.name = message_text_of("t");
    topic.partitions.items = &partition;
    topic.partitions.count = 1;
    offset_commit_request asked;
    offset_commit_request_init(&asked);
    asked.group_id = message_text_of("nobody");
    asked.generation_id_or_member_epoch = 1;
    asked.member_id = message_text_of("x");
    asked.topics.items = &topic;
    asked.topics.count = 1;
    offset_commit_response got;
    ask(fd, API_OFFSET_COMMIT, version, &asked, &got);
    return got.topics.items[0].partitions.items[0].error_code;
}

static leave_group_response leave_nobody(int fd, int version)
{
    leave_group_request_member member = {.member_id = message_text_of("x")};
    leave_group_request asked;
    leave_group_request_init(&asked);
    asked.group_id = message_text_of("nobody");
    asked.member_id = message_text_of("x");
    asked.members.items = &member;
    asked.members.count = 1;
    leave_group_response got;
    ask(fd, API_LEAVE_GROUP, version, &asked, &got);
    return got;
}

/* ---- Cases ---------------------------------------------------------------------- */

TEST(a_group_lives_in_every_version)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 2);
    learn_topic_id(fd);
    for (int version = 0; version <= 9; version++) {
        char name[8];
        snprintf(name, sizeof name, "g%d", version);
        group_id = message_text_of(name);
        join_group_response joined = join_new(fd, version);
        check_joined(&joined, version);
        sync_group_response synced = sync_leader(fd, &joined, lesser(version, 5));
        CHECK_INT(synced.error_code, ERROR_NONE);
        CHECK_BYTES(synced.assignment.base, synced.assignment.len, assignment.base,
                    assignment.len);
        check_text(synced.protocol_name, version >= 5 ? "range" : "");
        CHECK_INT(heartbeat(fd, &joined, lesser(version, 4)), ERROR_NONE);
        commit_and_fetch(fd, &joined);
        describe(fd, &joined);
        list(fd);
        CHECK_INT(delete_offset(fd), ERROR_GROUP_SUBSCRIBED_TO_TOPIC);
        CHECK_INT(delete_group(fd, lesser(version, 2)), ERROR_NON_EMPTY_GROUP);
        leave(fd, &joined, lesser(version, 5));
        CHECK_INT(heartbeat(fd, &joined, lesser(version, 4)), ERROR_UNKNOWN_MEMBER_ID);
        CHECK_INT(delete_offset(fd), ERROR_NONE);
        CHECK_INT(delete_group(fd, lesser(version, 2)), ERROR_NONE);
        CHECK_INT(delete_group(fd, lesser(version, 2)), ERROR_GROUP_ID_NOT_FOUND);
    }
    close(fd);
    end();
}

TEST(a_join_is_parked_until_the_others_have_joined)
{
    begin();
    group_id = message_text_of("g");
    int one = connect_client(), two = connect_client();
    join_group_response first = join_new(one, 3);
    CHECK_INT(sync_leader(one, &first, 3).error_code, ERROR_NONE);
    send_join(two, (message_text){"", 0}, 3);
    int32_t waiting = correlation;
    while (heartbeat(one, &first, 3) != ERROR_REBALANCE_IN_PROGRESS) {
    }
    join_group_response again = join(one, first.member_id, 3);
    CHECK_INT(again.generation_id, 2);
    CHECK_INT(again.members.count, 2);
    join_group_response got;
    correlation = waiting;
    receive_message(two, API_JOIN_GROUP, 3, &got);
    CHECK_INT(got.generation_id, 2);
    CHECK_INT(got.members.count, 0);
    CHECK(message_text_equal(got.leader, first.member_id));
    close(one);
    close(two);
    end();
}

TEST(a_member_that_goes_while_its_join_is_parked_harms_nobody)
{
    begin();
    group_id = message_text_of("g");
    int one = connect_client(), two = connect_client();
    join_group_response first = join_new(one, 3);
    sync_leader(one, &first, 3);
    send_join(two, (message_text){"", 0}, 3);
    while (heartbeat(one, &first, 3) != ERROR_REBALANCE_IN_PROGRESS) {
    }
    close(two);
    join_group_response again = join(one, first.member_id, 3);
    CHECK_INT(again.generation_id, 2);
    close(one);
    end();
}

TEST(the_stop_answers_a_parked_join)
{
    begin();
    group_id = message_text_of("g");
    int one = connect_client(), two = connect_client();
    join_group_response first = join_new(one, 3);
    sync_leader(one, &first, 3);
    send_join(two, (message_text){"", 0}, 3);
    while (heartbeat(one, &first, 3) != ERROR_REBALANCE_IN_PROGRESS) {
    }
    end(); /* It would hang here. */
    close(one);
    close(two);
}

TEST(groups_and_offsets_survive_a_restart)
{
    begin();
    group_id = message_text_of("g");
    int fd = connect_client();
    create_topic(fd, "t", 2);
    join_group_response joined = join_new(fd, 9);
    sync_leader(fd, &joined, 5);
    commit(fd, &joined, 42, 9);
    close(fd);
    broker_stop(running);
    start();
    fd = connect_client();
    CHECK_INT(heartbeat(fd, &joined, 4), ERROR_NONE);
    fetch_new(fd, 42, true, 9);
    describe(fd, &joined);
    leave(fd, &joined, 5);
    close(fd);
    end();
}

TEST(groups_that_are_not_there_are_told_as_each_version_can)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    CHECK_INT(commit_to_nobody(fd, 8), ERROR_ILLEGAL_GENERATION);
    CHECK_INT(commit_to_nobody(fd, 9), ERROR_GROUP_ID_NOT_FOUND);
    CHECK_INT(leave_nobody(fd, 2).error_code, ERROR_UNKNOWN_MEMBER_ID);
    leave_group_response left = leave_nobody(fd, 3);
    CHECK_INT(left.error_code, ERROR_NONE);
    CHECK_INT(left.members.count, 1);
    CHECK_INT(left.members.items[0].error_code, ERROR_UNKNOWN_MEMBER_ID);
    offset_delete_request nameless;
    offset_delete_request_init(&nameless);
    offset_delete_response got;
    ask(fd, API_OFFSET_DELETE, 0, &nameless, &got);
    CHECK_INT(got.error_code, ERROR_INVALID_GROUP_ID);
    close(fd);
    end();
}

TEST_MAIN
