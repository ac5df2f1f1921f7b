/* The records of `__consumer_offsets`, against bytes written down from Kafka's format.
 */
#include "base/text.h"
#include "broker/group/record.h"
#include "test.h"

static sluice_arena *arena;

static const char *hex(sluice_bytes bytes)
{
    char *text = sluice_arena_take(arena, 2 * bytes.len + 1);
    text_hex(text, bytes.base, bytes.len);
    return text;
}

static sluice_bytes unhex(const char *digits)
{
    size_t len = strlen(digits) / 2;
    void *bytes = sluice_arena_take(arena, len);
    CHECK(text_unhex(bytes, len, digits, 2 * len));
    return (sluice_bytes){bytes, len};
}

static const char *encoded(const message_schema *schema, int version, const void *value)
{
    return hex(group_record_encode(schema, version, value, arena));
}

static sluice_status decode(const message_schema *schema, const char *digits,
                            void *ret_value, sluice_error *err)
{
    return group_record_decode(schema, unhex(digits), arena, ret_value, err);
}

TEST(an_offset_is_written_in_versions_1_and_3)
{
    arena = sluice_arena_new();
    offset_commit_key key = {{"g1", 2}, {"topic", 5}, 3};
    CHECK_TEXT(encoded(&offset_commit_key_schema, 1, &key), "0001"
                                                            "00026731"
                                                            "0005746f706963"
                                                            "00000003");
    offset_commit_value value = {
        .offset = 42,
        .leader_epoch = 7,
        .metadata = {"m", 1},
        .commit_timestamp = 1700000000000,
        .expire_timestamp = 1700000000001,
    };
    CHECK_TEXT(encoded(&offset_commit_value_schema, 3, &value), "0003"
                                                                "000000000000002a"
                                                                "00000007"
                                                                "00016d"
                                                                "0000018bcfe56800");
    CHECK_TEXT(encoded(&offset_commit_value_schema, 1, &value), "0001"
                                                                "000000000000002a"
                                                                "00016d"
                                                                "0000018bcfe56800"
                                                                "0000018bcfe56801");
    sluice_arena_free(arena);
}

TEST(a_group_is_written_in_version_3)
{
    arena = sluice_arena_new();
    group_metadata_key key = {{"g1", 2}};
    CHECK_TEXT(encoded(&group_metadata_key_schema, 2, &key), "0002"
                                                             "00026731");
    group_metadata_value_member member = {{"a", 1}, {NULL, 0}, {"c", 1}, {"/h", 2},
                                          60000,    10000,     {"S", 1}, {"A", 1}};
    group_metadata_value value = {{"consumer", 8}, 5,           {"range", 5}, {"a", 1},
                                  1700000000000,   {&member, 1}};
    CHECK_TEXT(encoded(&group_metadata_value_schema, 3, &value), "0003"
                                                                 "0008636f6e73756d6572"
                                                                 "00000005"
                                                                 "000572616e6765"
                                                                 "000161"
                                                                 "0000018bcfe56800"
                                                                 "00000001"
                                                                 "000161"
                                                                 "ffff"
                                                                 "000163"
                                                                 "00022f68"
                                                                 "0000ea60"
                                                                 "00002710"
                                                                 "0000000153"
                                                                 "0000000141");
    sluice_arena_free(arena);
}

TEST(an_empty_group_has_neither_protocol_nor_leader)
{
    arena = sluice_arena_new();
    group_metadata_value value = {{"consumer", 8}, 5,  {NULL, 0},
                                  {NULL, 0},       -1, {NULL, 0}};
    CHECK_TEXT(encoded(&group_metadata_value_schema, 3, &value), "0003"
                                                                 "0008636f6e73756d6572"
                                                                 "00000005"
                                                                 "ffff"
                                                                 "ffff"
                                                                 "ffffffffffffffff"
                                                                 "00000000");
    sluice_arena_free(arena);
}

TEST(all_versions_of_offsets_are_read)
{
    static const struct {
        const char *bytes;
        int32_t leader_epoch;
        int64_t expire;
    } cases[] = {
        {"0000000000000000002a00016d0000018bcfe56800", -1, -1},
        {"0001000000000000002a00016d0000018bcfe568000000018bcfe56801", -1,
         1700000000001},
        {"0002000000000000002a00016d0000018bcfe56800", -1, -1},
        {"0003000000000000002a0000000700016d0000018bcfe56800", 7, -1},
        {"0004000000000000002a00000007026d0000018bcfe5680000", 7, -1},
    };
    arena = sluice_arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        offset_commit_value value;
        CHECK(decode(&offset_commit_value_schema, cases[i].bytes, &value, NULL) ==
              SLUICE_OK);
        CHECK_INT(value.offset, 42);
        CHECK_INT(value.leader_epoch, cases[i].leader_epoch);
        CHECK(message_text_is(value.metadata, "m"));
        CHECK_INT(value.commit_timestamp, 1700000000000);
        CHECK_INT(value.expire_timestamp, cases[i].expire);
    }
    sluice_arena_free(arena);
}

TEST(all_versions_of_groups_are_read)
{
    static const char *const cases[] = {
        "0000000163000000050001720001610000000100016100016300022f6800002710000000015300"
        "00000141",
        "0001000163000000050001720001610000000100016100016300022f6800002710000027100000"
        "0001530000000141",
        "00020001630000000500017200016100000000000000090000000100016100016300022f680000"
        "27100000271000000001530000000141",
        "000300016300000005000172000161000000000000000900000001000161ffff00016300022f68"
        "000027100000271000000001530000000141",
        "000402630000000502720261000000000000000902026100026303"
        "2f68000027100000271002530241"
        "0000",
    };
    arena = sluice_arena_new();
    for (int i = 0; i < 5; i++) {
        group_metadata_value value;
        sluice_error *err = sluice_error_new();
        decode(&group_metadata_value_schema, cases[i], &value, err);
        CHECK_TEXT(sluice_error_text(err), "");
        sluice_error_free(err);
        CHECK_INT(value.generation, 5);
        CHECK_INT(value.current_state_timestamp, i < 2 ? -1 : 9);
        CHECK_INT(value.members.count, 1);
        const group_metadata_value_member *member = &value.members.items[0];
        CHECK(message_text_is(member->member_id, "a"));
        CHECK(member->group_instance_id.base == NULL);
        CHECK(message_text_is(member->client_host, "/h"));
        CHECK_INT(member->rebalance_timeout, i == 0 ? -1 : 10000);
        CHECK_INT(member->session_timeout, 10000);
        CHECK_BYTES(member->assignment.base, member->assignment.len, "A", 1);
    }
    sluice_arena_free(arena);
}

TEST(broken_records_are_refused_with_the_reason_and_other_kinds_passed_over)
{
    arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    group_record_kind kind;
    CHECK(group_record_kind_of(unhex("00"), &kind, err) == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err), "the key has 1 bytes: a version needs 2");
    CHECK(group_record_kind_of(unhex("000600026731"), &kind, err) == SLUICE_OK);
    CHECK_INT(kind, GROUP_RECORD_OTHER);
    CHECK(group_record_kind_of(unhex("0000"), &kind, err) == SLUICE_OK);
    CHECK_INT(kind, GROUP_RECORD_OFFSET);
    offset_commit_key key;
    CHECK(decode(&offset_commit_key_schema, "00010002", &key, err) ==
          SLUICE_BAD_RECORD);
    offset_commit_value offset;
    CHECK(decode(&offset_commit_value_schema, "0005", &offset, err) ==
          SLUICE_BAD_RECORD);
    CHECK(decode(&offset_commit_value_schema, "ffff", &offset, err) ==
          SLUICE_BAD_RECORD);
    group_metadata_value group;
    CHECK(decode(&group_metadata_value_schema,
                 "0003000163000000050001720001610000000000000009"
                 "7fffffff",
                 &group, err) == SLUICE_BAD_RECORD);
    sluice_error_free(err);
    sluice_arena_free(arena);
}

TEST_MAIN
