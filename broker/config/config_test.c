/* The broker's and the topics' keys: what is read, what is refused, and whose word
 * counts. */
#include "broker/config/setting_doc.h"
#include "broker/config/topic_config.h"
#include "test.h"
#include <sluice/log.h>

static properties *given;
static broker_config config;
static sluice_error *err;

static void begin(const char *pairs)
{
    properties_free(given);
    sluice_error_free(err);
    given = properties_new();
    err = sluice_error_new();
    CHECK(properties_parse(given, pairs, strlen(pairs), "test", err) == SLUICE_OK);
}

static void end(void)
{
    broker_config_done(&config);
}

TEST(nothing_given_gives_the_defaults)
{
    begin("");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_OK);
    CHECK_INT(config.listener_count, 1);
    CHECK_TEXT(config.listeners[0].host, "127.0.0.1");
    CHECK_TEXT(config.listeners[0].advertised_host, "127.0.0.1");
    CHECK_INT(config.listeners[0].port, 9092);
    CHECK_INT(config.request_bytes_max, 104857600);
    CHECK(config.auto_create_topics && config.network_threads >= 1);
    CHECK_INT(config.log_dir_count, 1);
    end();
}

TEST(listeners_are_advertised_by_their_names)
{
    begin("listeners=PLAINTEXT://:9092,INSIDE://[::1]:0\n"
          "advertised.listeners=PLAINTEXT://example.org:19092\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_OK);
    CHECK_TEXT(config.listeners[0].host, "");
    CHECK_TEXT(config.listeners[0].advertised_host, "example.org");
    CHECK_INT(config.listeners[0].advertised_port, 19092);
    CHECK_TEXT(config.listeners[1].host, "::1");
    CHECK_INT(config.listeners[1].advertised_port, 0);
    end();
}

TEST(a_wrong_value_names_the_key_the_value_and_what_is_allowed)
{
    begin("num.partitions=zero\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "num.partitions is 'zero': must be a whole number "
               "from 1 to 2147483647");
    begin("acks.all.sync=maybe\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "acks.all.sync is 'maybe': must be one of 'data', 'none'");
    begin("listeners=localhost:9092\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    begin("listeners=SSL://localhost:9092\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    begin("advertised.listeners=OTHER://localhost:9092\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
}

TEST(a_key_that_is_nearly_one_is_refused_and_an_unknown_one_is_not)
{
    begin("num.partition=3\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "num.partition is not a key of the broker: 'num.partitions' is");
    begin("my.own.key=3\nzookeeper.connect=localhost:2181\n");
    sluice_log_set_level("broker", SLUICE_OFF);
    CHECK(broker_config_parse(given, &config, err) == SLUICE_OK);
    end();
}

TEST(a_topic_has_its_own_values_over_the_brokers_over_the_defaults)
{
    begin("log.retention.hours=2\nmessage.max.bytes=5000\nlog.segment.bytes=1000000\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_OK);
    config_pair pairs[] = {{"max.message.bytes", "6000"},
                           {"cleanup.policy", "compact,delete"},
                           {"compression.type", "zstd"}};
    topic_config topic;
    topic_config_parse(&config, pairs, 3, &topic);
    CHECK_INT(topic.log.max_message_bytes, 6000);
    CHECK_INT(topic.log.retention_ms, 7200000);
    CHECK_INT(topic.log.segment_bytes, 1000000);
    CHECK_INT(topic.log.index_interval_bytes, 4096);
    CHECK(topic.log.cleanup_compact && topic.log.cleanup_delete);
    CHECK(topic.log.compression == COMPRESSION_ZSTD &&
          topic.log.compression_level == 3);
    CHECK_INT(topic.min_insync_replicas, 1);
    end();
}

TEST(the_finest_retention_wins)
{
    begin("log.retention.hours=2\nlog.retention.ms=-1\nlog.retention.minutes=3\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_OK);
    topic_config topic;
    topic_config_parse(&config, NULL, 0, &topic);
    CHECK_INT(topic.log.retention_ms, -1);
    end();
}

TEST(topic_configs_are_checked)
{
    begin("");
    CHECK(topic_config_check("retention.ms", "1000", err) == SLUICE_OK);
    CHECK(topic_config_check("cleanup.policy", "compact,forget", err) ==
          SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "Invalid value compact,forget for configuration cleanup.policy: String "
               "must be one of: compact, delete");
    sluice_error_clear(err);
    CHECK(topic_config_check("retention.md", "1", err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "Unknown topic config name: retention.md ('retention.ms' is one)");
    begin("");
}

static void check_words(const char *key, const char *value, const char *words)
{
    sluice_error_clear(err);
    CHECK(topic_config_check(key, value, err) == SLUICE_BAD_CONFIG);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "Invalid value %s for configuration %s: %s", value,
             key, words);
    CHECK_TEXT(sluice_error_text(err), wanted);
}

TEST(wrong_topic_configs_are_told_in_kafkas_words)
{
    begin("");
    check_words("retention.ms", "x", "Not a number of type LONG");
    check_words("max.message.bytes", "99999999999", "Not a number of type INT");
    check_words("retention.ms", "-5", "Value must be at least -1");
    check_words("min.cleanable.dirty.ratio", "2", "Value must be no more than 1");
    check_words("min.cleanable.dirty.ratio", "x", "Not a number of type DOUBLE");
    check_words("preallocate", "maybe", "Expected value to be either true or false");
    check_words("compression.gzip.level", "11",
                "Value must be between 1 and 9 or equal to -1");
    check_words(
        "compression.type", "foo",
        "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer");
    end();
}

TEST(all_faults_are_told_at_once)
{
    begin("num.partitions=0\nlisteners=SSL://:1\nlog.dirs=\nlog.retention.hour=3\n");
    CHECK(broker_config_parse(given, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_INT(sluice_error_count(err), 4);
    CHECK_TEXT(sluice_error_key(err, 2), "listeners");
    CHECK_TEXT(sluice_error_key(err, 3), "log.dirs");
    begin("");
}

static void check_docs(const setting *table)
{
    for (const setting *key = table; key->name != NULL; key++) {
        if (key->ignored == NULL && setting_doc(key->name) == NULL) {
            CHECK_TEXT(key->name, "a key with a sentence in setting_doc.c");
        }
    }
}

TEST(every_key_has_its_sentence_and_every_sentence_its_key)
{
    check_docs(broker_config_keys);
    check_docs(topic_config_keys);
    const char *name;
    for (size_t i = 0; (name = setting_doc_key(i)) != NULL; i++) {
        CHECK(setting_find(broker_config_keys, name) != NULL ||
              setting_find(topic_config_keys, name) != NULL);
    }
}

TEST_MAIN
