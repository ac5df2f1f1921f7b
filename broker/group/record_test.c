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

TEST(an_offset_is_written_in_versions_1_and_3)
{
    arena = sluice_arena_new();
    group_record_key key = {{"g1", 2}, {"topic", 5}, 3};
    CHECK_TEXT(hex(group_record_encode_key(GROUP_RECORD_OFFSET, &key, arena)),
               "0001"
               "00026731"
               "0005746f706963"
               "00000003");
    group_record_offset value = {42, 7, {"m", 1}, 1700000000000, -1};
    CHECK_TEXT(hex(group_record_encode_offset(&value, arena)), "0003"
                                                               "000000000000002a"
                                                               "00000007"
                                                               "00016d"
                                                               "0000018bcfe56800");
    value.expire_timestamp = 1700000000001;
    CHECK_TEXT(hex(group_record_encode_offset(&value, arena)), "0001"
                                                               "000000000000002a"
                                                               "00016d"
                                                               "0000018bcfe56800"
                                                               "0000018bcfe56801");
    sluice_arena_free(arena);
}

TEST(a_group_is_written_in_version_3)
{
    arena = sluice_arena_new();
    group_record_key key = {.group_id = {"g1", 2}};
    CHECK_TEXT(hex(group_record_encode_key(GROUP_RECORD_GROUP, &key, arena)),
               "0002"
               "00026731");
    group_record_member member = {{"a", 1}, {NULL, 0}, {"c", 1}, {"/h", 2},
                                  60000,    10000,     {"S", 1}, {"A", 1}};
    group_record_group value = {{"consumer", 8}, 5,           {"range", 5}, {"a", 1},
                                1700000000000,   {&member, 1}};
    CHECK_TEXT(hex(group_record_encode_group(&value, arena)), "0003"
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
    group_record_group value = {{"consumer", 8}, 5,  {NULL, 0},
                                {NULL, 0},       -1, {NULL, 0}};
    CHECK_TEXT(hex(group_record_encode_group(&value, arena)), "0003"
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
        group_record_offset value;
        CHECK(group_record_decode_offset(unhex(cases[i].bytes), arena, &value, NULL) ==
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
        group_record_group value;
        sluice_error *err = sluice_error_new();
        group_record_decode_group(unhex(cases[i]), arena, &value, err);
        CHECK_TEXT(sluice_error_text(err), "");
        sluice_error_free(err);
        CHECK_INT(value.generation, 5);
        CHECK_INT(value.state_timestamp, i < 2 ? -1 : 9);
        CHECK_INT(value.members.count, 1);
        const group_record_member *member = &value.members.items[0];
        CHECK(message_text_is(member->member_id, "a"));
        CHECK(member->instance_id.base == NULL);
        CHECK(message_text_is(member->client_host, "/h"));
        CHECK_INT(member->rebalance_timeout_ms, 10000);
        CHECK_INT(member->session_timeout_ms, 10000);
        CHECK_BYTES(member->assignment.base, member->assignment.len, "A", 1);
    }
    sluice_arena_free(arena);
}

TEST(broken_records_are_refused_with_the_reason_and_other_kinds_passed_over)
{
    arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    group_record_kind kind;
    group_record_key key;
    CHECK(group_record_decode_key(unhex("00"), arena, &kind, &key, err) ==
          SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err), "the key has 1 bytes: a version needs 2");
    CHECK(group_record_decode_key(unhex("00010002"), arena, &kind, &key, err) ==
          SLUICE_BAD_RECORD);
    CHECK(group_record_decode_key(unhex("000600026731"), arena, &kind, &key, err) ==
          SLUICE_OK);
    CHECK_INT(kind, GROUP_RECORD_OTHER);
    group_record_offset offset;
    CHECK(group_record_decode_offset(unhex("0005"), arena, &offset, err) ==
          SLUICE_BAD_RECORD);
    CHECK(group_record_decode_offset(unhex("ffff"), arena, &offset, err) ==
          SLUICE_BAD_RECORD);
    group_record_group group;
    CHECK(group_record_decode_group(unhex("00030001630000000500017200016100000000"
                                          "000000097fffffff"),
                                    arena, &group, err) == SLUICE_BAD_RECORD);
    sluice_error_free(err);
    sluice_arena_free(arena);
}

TEST_MAIN
