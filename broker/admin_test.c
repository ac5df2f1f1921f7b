/* What administrators' tools ask of one node: the answers are those that Apache Kafka
 * 4.1 gave to the same requests. */
#include "broker/in_process.h"

static bool is_text(message_text got, const char *wanted)
{
    return got.len == strlen(wanted) && memcmp(got.base, wanted, got.len) == 0;
}

TEST(partitions_are_described_page_by_page)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 3);
    create_topic(fd, "b", 2);
    describe_topic_partitions_request_topic topics[] = {{message_text_of("b")},
                                                        {message_text_of("a")}};
    describe_topic_partitions_request asked = {.topics = {topics, 2},
                                               .response_partition_limit = 2};
    describe_topic_partitions_request_cursor cursor;
    describe_topic_partitions_response got;
    int32_t pages = 0, partitions = 0;
    do {
        ask(fd, API_DESCRIBE_TOPIC_PARTITIONS, 0, &asked, &got);
        for (size_t i = 0; i < got.topics.count; i++) {
            CHECK_INT(got.topics.items[i].error_code, ERROR_NONE);
            CHECK_INT(got.topics.items[i].topic_authorized_operations, 3576);
            partitions += (int32_t)got.topics.items[i].partitions.count;
        }
        pages++;
        if (got.next_cursor.count == 1) {
            cursor.topic_name = got.next_cursor.items->topic_name;
            cursor.partition_index = got.next_cursor.items->partition_index;
            asked.cursor.items = &cursor;
            asked.cursor.count = 1;
        }
    } while (got.next_cursor.count == 1);
    CHECK_INT(pages, 3);
    CHECK_INT(partitions, 5);
    close(fd);
    end();
}

TEST(a_cursor_that_no_topic_has_is_refused)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    describe_topic_partitions_request_topic name = {message_text_of("a")};
    describe_topic_partitions_request_cursor cursor = {message_text_of("b"), 0};
    describe_topic_partitions_request asked = {
        .topics = {&name, 1}, .response_partition_limit = 2, .cursor = {&cursor, 1}};
    describe_topic_partitions_response got;
    ask(fd, API_DESCRIBE_TOPIC_PARTITIONS, 0, &asked, &got);
    CHECK_INT(got.topics.items[0].error_code, ERROR_INVALID_REQUEST);
    close(fd);
    end();
}

TEST(log_directories_name_what_lies_in_them_and_the_disk)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 2);
    int32_t numbers[] = {1, 7};
    describe_log_dirs_request_topic wanted = {message_text_of("a"), {numbers, 2}};
    describe_log_dirs_request asked = {.topics = {&wanted, 1}};
    describe_log_dirs_response got;
    for (int version = 1; version <= 4; version++) {
        ask(fd, API_DESCRIBE_LOG_DIRS, version, &asked, &got);
        CHECK_INT(got.results.count, 1);
        CHECK(is_text(got.results.items[0].log_dir, folder));
        CHECK_INT(got.results.items[0].topics.count, 1);
        CHECK_INT(got.results.items[0].topics.items[0].partitions.count, 1);
        CHECK_INT(
            got.results.items[0].topics.items[0].partitions.items[0].partition_index,
            1);
    }
    CHECK(got.results.items[0].total_bytes > got.results.items[0].usable_bytes);
    CHECK(got.results.items[0].usable_bytes > 0);
    close(fd);
    end();
}

TEST(a_partition_stays_in_its_directory)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    int32_t numbers[] = {0, 1};
    alter_replica_log_dirs_request_topic of = {message_text_of("a"), {numbers, 2}};
    alter_replica_log_dirs_request_dir dirs[] = {{message_text_of(folder), {&of, 1}},
                                                 {message_text_of("/none"), {&of, 1}}};
    alter_replica_log_dirs_request asked = {.dirs = {dirs, 2}};
    alter_replica_log_dirs_response got;
    ask(fd, API_ALTER_REPLICA_LOG_DIRS, 2, &asked, &got);
    CHECK_INT(got.results.items[0].partitions.items[0].error_code, ERROR_NONE);
    CHECK_INT(got.results.items[0].partitions.items[1].error_code,
              ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CHECK_INT(got.results.items[1].partitions.items[0].error_code,
              ERROR_LOG_DIR_NOT_FOUND);
    close(fd);
    end();
}

TEST(a_leader_of_one_needs_no_election)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    int32_t numbers[] = {0, 1};
    elect_leaders_request_topic_partition of = {message_text_of("a"), {numbers, 2}};
    elect_leaders_request asked = {.topic_partitions = {&of, 1}};
    elect_leaders_response got;
    ask(fd, API_ELECT_LEADERS, 2, &asked, &got);
    elect_leaders_response_partition_result *results =
        got.replica_election_results.items[0].partition_result.items;
    CHECK_INT(results[0].error_code, ERROR_ELECTION_NOT_NEEDED);
    CHECK_INT(results[1].error_code, ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CHECK(is_text(results[1].error_message, "No such partition as a-1"));
    close(fd);
    end();
}

static int16_t reassign(int fd, int32_t *nodes, size_t count)
{
    alter_partition_reassignments_request_partition one = {0, {nodes, count}};
    alter_partition_reassignments_request_topic of = {message_text_of("a"), {&one, 1}};
    alter_partition_reassignments_request asked = {.topics = {&of, 1}};
    alter_partition_reassignments_response got;
    ask(fd, API_ALTER_PARTITION_REASSIGNMENTS, 1, &asked, &got);
    return got.responses.items[0].partitions.items[0].error_code;
}

TEST(replicas_can_only_be_where_they_are)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    int32_t here = 1, elsewhere = 9, twice[] = {1, 1};
    CHECK_INT(reassign(fd, &here, 1), ERROR_NONE);
    CHECK_INT(reassign(fd, &elsewhere, 1), ERROR_INVALID_REPLICA_ASSIGNMENT);
    CHECK_INT(reassign(fd, twice, 2), ERROR_INVALID_REPLICA_ASSIGNMENT);
    CHECK_INT(reassign(fd, &here, 0), ERROR_INVALID_REPLICA_ASSIGNMENT);
    CHECK_INT(reassign(fd, NULL, 0), ERROR_NO_REASSIGNMENT_IN_PROGRESS);
    close(fd);
    end();
}

TEST(the_quorum_is_this_node)
{
    begin();
    int fd = connect_client();
    describe_quorum_request_partition number = {0};
    describe_quorum_request_topic topics[] = {
        {message_text_of("__cluster_metadata"), {&number, 1}},
        {message_text_of("a"), {&number, 1}}};
    describe_quorum_request asked = {.topics = {topics, 2}};
    describe_quorum_response got;
    ask(fd, API_DESCRIBE_QUORUM, 2, &asked, &got);
    const describe_quorum_response_partition *one =
        &got.topics.items[0].partitions.items[0];
    CHECK_INT(one->leader_id, 1);
    CHECK_INT(one->current_voters.count, 1);
    CHECK_INT(one->current_voters.items[0].log_end_offset, one->high_watermark);
    CHECK(one->high_watermark > 0);
    CHECK_INT(got.topics.items[1].partitions.items[0].error_code,
              ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    CHECK_INT(got.nodes.items[0].listeners.count, 1);
    close(fd);
    end();
}

TEST(a_topic_that_is_named_twice_is_answered_once)
{
    begin();
    int fd = connect_client();
    create_topics_request_topic one = create_topics_request_topic_defaults;
    one.name = message_text_of("a");
    one.num_partitions = one.replication_factor = -1;
    create_topics_request_topic topics[] = {one, one};
    create_topics_request asked = {.topics = {topics, 2}, .timeout_ms = 1000};
    create_topics_response got;
    ask(fd, API_CREATE_TOPICS, 7, &asked, &got);
    CHECK_INT(got.topics.count, 1);
    CHECK_INT(got.topics.items[0].error_code, ERROR_INVALID_REQUEST);
    CHECK(is_text(got.topics.items[0].error_message, "Duplicate topic name."));
    close(fd);
    end();
}

TEST(a_topic_is_deleted_by_its_name_or_its_id_and_not_by_both)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    metadata_request_topic name = {.name = message_text_of("a")};
    metadata_request asked = {.topics = {&name, 1}};
    metadata_response described;
    ask(fd, API_METADATA, 12, &asked, &described);
    message_uuid id = described.topics.items[0].topic_id;
    delete_topics_request_topic both = {message_text_of("a"), id};
    delete_topics_request deletion = {.topics = {&both, 1}, .timeout_ms = 1000};
    delete_topics_response got;
    ask(fd, API_DELETE_TOPICS, 6, &deletion, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_INVALID_REQUEST);
    both.name = (message_text){NULL, 0};
    ask(fd, API_DELETE_TOPICS, 6, &deletion, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_NONE);
    CHECK(is_text(got.responses.items[0].name, "a"));
    ask(fd, API_DELETE_TOPICS, 6, &deletion, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_UNKNOWN_TOPIC_ID);
    close(fd);
    end();
}

/* ---- Broker configs that change while it runs ------------------------------------ */

/* `value` NULL for a deletion. */
static int16_t set_config(int fd, int8_t type, const char *resource, const char *name,
                          const char *value)
{
    incremental_alter_configs_request_config config = {
        message_text_of(name), (int8_t)(value == NULL ? 1 : 0), message_text_of(value)};
    incremental_alter_configs_request_resource of = {
        type, message_text_of(resource), {&config, 1}};
    incremental_alter_configs_request asked = {.resources = {&of, 1}};
    incremental_alter_configs_response got;
    ask(fd, API_INCREMENTAL_ALTER_CONFIGS, 1, &asked, &got);
    return got.responses.items[0].error_code;
}

static int16_t set_broker(int fd, const char *node, const char *name, const char *value)
{
    return set_config(fd, 4, node, name, value);
}

/* A topic's or the broker's config, with its synonyms. */
static describe_configs_response_config describe(int fd, int8_t type,
                                                 const char *resource, const char *name)
{
    message_text key = message_text_of(name);
    describe_configs_request_resource of = {type, message_text_of(resource), {&key, 1}};
    describe_configs_request asked = {.resources = {&of, 1}, .include_synonyms = true};
    describe_configs_response got;
    ask(fd, API_DESCRIBE_CONFIGS, 4, &asked, &got);
    CHECK_INT(got.results.items[0].configs.count, 1);
    return got.results.items[0].configs.items[0];
}

static void check_retention(int fd, const char *value, int8_t source)
{
    describe_configs_response_config got = describe(fd, 2, "a", "retention.ms");
    CHECK(is_text(got.value, value));
    CHECK_INT(got.config_source, source);
}

TEST(broker_configs_are_changed_for_one_or_all_and_survive_a_restart)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    check_retention(fd, "604800000", 5);
    CHECK_INT(set_broker(fd, "", "log.retention.ms", "6666"), ERROR_NONE);
    check_retention(fd, "6666", 3);
    CHECK_INT(set_broker(fd, "1", "log.retention.ms", "5555"), ERROR_NONE);
    check_retention(fd, "5555", 2);
    close(fd);
    broker_stop(running);
    start();
    fd = connect_client();
    check_retention(fd, "5555", 2);
    describe_configs_response_config got = describe(fd, 4, "1", "log.retention.ms");
    CHECK(is_text(got.value, "5555"));
    CHECK_INT(got.synonyms.count, 2);
    CHECK(!got.read_only);
    CHECK_INT(set_broker(fd, "1", "log.retention.ms", NULL), ERROR_NONE);
    check_retention(fd, "6666", 3);
    CHECK_INT(set_broker(fd, "", "log.retention.ms", NULL), ERROR_NONE);
    check_retention(fd, "604800000", 5);
    close(fd);
    end();
}

TEST(broker_configs_that_need_a_restart_are_refused)
{
    begin();
    int fd = connect_client();
    CHECK_INT(set_broker(fd, "1", "num.partitions", "3"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_broker(fd, "", "log.retention.hours", "3"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_broker(fd, "7", "log.retention.ms", "3"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_broker(fd, "x", "log.retention.ms", "3"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_broker(fd, "1", "log.retention.ms", "x"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_broker(fd, "1", "leader.replication.throttled.rate", NULL),
              ERROR_NONE);
    CHECK(describe(fd, 4, "1", "num.partitions").read_only);
    close(fd);
    end();
}

/* ---- Loggers --------------------------------------------------------------------- */

static int16_t set_logger(int fd, const char *node, const char *name, const char *value)
{
    return set_config(fd, 8, node, name, value);
}

static void check_logger(int fd, const char *name, const char *level)
{
    describe_configs_response_config got = describe(fd, 8, "1", name);
    CHECK(is_text(got.value, level));
    CHECK_INT(got.config_source, 6);
    CHECK_INT(got.synonyms.count, 0);
    CHECK(!got.read_only && !got.is_default);
}

TEST(levels_of_loggers_change_while_it_runs)
{
    begin();
    int fd = connect_client();
    check_logger(fd, "broker.net", "FATAL"); /* Tests are silent. */
    CHECK_INT(set_logger(fd, "1", "broker.net", "ERROR"), ERROR_NONE);
    check_logger(fd, "broker.net", "ERROR");
    check_logger(fd, "broker.log", "FATAL");
    check_logger(fd, "root", "INFO");
    CHECK_INT(set_logger(fd, "1", "broker.net", NULL), ERROR_NONE);
    check_logger(fd, "broker.net", "INFO");
    CHECK_INT(set_logger(fd, "1", "broker.net", "FATAL"), ERROR_NONE);
    check_logger(fd, "broker.net", "FATAL");
    close(fd);
    end();
}

TEST(loggers_and_levels_that_are_not_there_are_refused)
{
    begin();
    int fd = connect_client();
    CHECK_INT(set_logger(fd, "1", "broker.net", "LOUD"), ERROR_INVALID_CONFIG);
    CHECK_INT(set_logger(fd, "1", "broker.net", "info"), ERROR_INVALID_CONFIG);
    CHECK_INT(set_logger(fd, "1", "kafka.server", "INFO"), ERROR_INVALID_CONFIG);
    CHECK_INT(set_logger(fd, "1", "root", NULL), ERROR_INVALID_REQUEST);
    CHECK_INT(set_logger(fd, "7", "broker.net", "INFO"), ERROR_INVALID_REQUEST);
    CHECK_INT(set_logger(fd, "", "broker.net", "INFO"), ERROR_INVALID_REQUEST);
    check_logger(fd, "broker.net", "FATAL");
    close(fd);
    end();
}

/* ---- Quotas and credentials ------------------------------------------------------ */

static int16_t describe_quotas(int fd, const char *type, int8_t match, const char *name)
{
    describe_client_quotas_request_component one = {message_text_of(type), match,
                                                    message_text_of(name)};
    describe_client_quotas_request asked = {.components = {&one, 1}};
    describe_client_quotas_response got;
    ask(fd, API_DESCRIBE_CLIENT_QUOTAS, 1, &asked, &got);
    CHECK_INT(got.entries.count, 0);
    CHECK((got.entries.items != NULL) == (got.error_code == ERROR_NONE));
    return got.error_code;
}

TEST(there_are_no_quotas_and_wrong_filters_are_refused)
{
    begin();
    int fd = connect_client();
    CHECK_INT(describe_quotas(fd, "user", 2, NULL), ERROR_NONE);
    CHECK_INT(describe_quotas(fd, "user", 0, NULL), ERROR_INVALID_REQUEST);
    CHECK_INT(describe_quotas(fd, "user", 9, "u"), ERROR_INVALID_REQUEST);
    CHECK_INT(describe_quotas(fd, "other", 0, "u"), ERROR_UNSUPPORTED_VERSION);
    close(fd);
    end();
}

TEST(a_user_that_is_asked_for_has_no_credentials)
{
    begin();
    int fd = connect_client();
    describe_user_scram_credentials_request_user users[] = {
        {message_text_of("a")}, {message_text_of("b")}, {message_text_of("a")}};
    describe_user_scram_credentials_request asked = {.users = {users, 3}};
    describe_user_scram_credentials_response got;
    ask(fd, API_DESCRIBE_USER_SCRAM_CREDENTIALS, 0, &asked, &got);
    CHECK_INT(got.results.count, 2);
    CHECK_INT(got.results.items[0].error_code, ERROR_DUPLICATE_RESOURCE);
    CHECK_INT(got.results.items[1].error_code, ERROR_RESOURCE_NOT_FOUND);
    CHECK(is_text(got.results.items[1].user, "b"));
    close(fd);
    end();
}

TEST_MAIN
