/* Messages against bytes that were written by hand from the protocol's rules, and
 * against bytes that lie. */
#include "protocol/messages.h"
#include "test.h"

static sluice_arena *arena;
static sluice_error *err;
static output out;

static void begin(void)
{
    sluice_arena_free(arena);
    sluice_error_free(err);
    output_done(&out);
    arena = sluice_arena_new();
    err = sluice_error_new();
}

#define CHECK_OUT(...)                                                                 \
    do {                                                                               \
        static const uint8_t wanted[] = {__VA_ARGS__};                                 \
        CHECK_BYTES(out.bytes.base, out.bytes.len, wanted, sizeof wanted);             \
    } while (0)

TEST(a_metadata_request_of_version_1_has_plain_lengths)
{
    begin();
    static const uint8_t frame[] = {0, 0, 0, 2, 0, 1, 'a', 0, 2, 'b', 'c'};
    metadata_request request;
    CHECK(metadata_request_decode(frame, sizeof frame, 1, arena, &request, err) ==
          SLUICE_OK);
    CHECK_INT(request.topics.count, 2);
    CHECK(message_text_is(request.topics.items[1].name, "bc"));
    CHECK(request.allow_auto_topic_creation);
    CHECK(metadata_request_encode(&request, 1, &out, err) == SLUICE_OK);
    CHECK_BYTES(out.bytes.base, out.bytes.len, frame, sizeof frame);
}

TEST(all_topics_are_null_from_version_1_on)
{
    begin();
    static const uint8_t null[] = {0xff, 0xff, 0xff, 0xff}, none[] = {0, 0, 0, 0};
    metadata_request request;
    CHECK(metadata_request_decode(null, 4, 1, arena, &request, err) == SLUICE_OK);
    CHECK(request.topics.items == NULL);
    CHECK(metadata_request_decode(none, 4, 1, arena, &request, err) == SLUICE_OK);
    CHECK(request.topics.items != NULL && request.topics.count == 0);
    CHECK(metadata_request_decode(null, 4, 0, arena, &request, err) ==
          SLUICE_BAD_RECORD);
    CHECK_TEXT(
        sluice_error_text(err),
        "Metadata request version 0 of 4 bytes: field 'topics' is null, which it "
        "can't be in version 0");
}

TEST(a_flexible_metadata_request_has_compact_lengths_and_tags)
{
    begin();
    static const uint8_t frame[] = {2, 0, 0, 0, 0, 0, 0, 0, 0,   0,
                                    0, 0, 0, 0, 0, 0, 0, 2, 't', /* name */
                                    1, 7, 2, 9, 9, /* an unknown tag of the topic */
                                    0, 1, 0};
    metadata_request request;
    CHECK(metadata_request_decode(frame, sizeof frame, 12, arena, &request, err) ==
          SLUICE_OK);
    CHECK_INT(request.topics.count, 1);
    CHECK(message_text_is(request.topics.items[0].name, "t"));
    CHECK(message_uuid_is_zero(&request.topics.items[0].topic_id));
    CHECK(!request.allow_auto_topic_creation);
    CHECK(request.include_topic_authorized_operations);
}

TEST(the_v0_answer_to_an_unknown_api_versions_request)
{
    begin();
    api_versions_response_api range = {
        .api_key = 18, .min_version = 0, .max_version = 4};
    api_versions_response response;
    api_versions_response_init(&response);
    response.error_code = 35;
    response.api_keys.items = &range;
    response.api_keys.count = 1;
    CHECK(api_versions_response_encode(&response, 0, &out, err) == SLUICE_OK);
    CHECK_OUT(0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4);
    output_clear(&out);
    CHECK(api_versions_response_encode(&response, 3, &out, err) == SLUICE_OK);
    CHECK_OUT(0, 35, 2, 0, 18, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0);
}

TEST(a_tagged_field_is_written_only_when_it_is_not_at_its_default)
{
    begin();
    produce_response_partition partition = {.index = 1, .base_offset = 5};
    produce_response_topic topic = {.name = message_text_of("t"),
                                    .partition_responses = {&partition, 1}};
    produce_response response;
    produce_response_init(&response);
    response.responses.items = &topic;
    response.responses.count = 1;
    partition.log_append_time_ms = partition.log_start_offset = -1;
    partition.current_leader.leader_id = 3;
    partition.current_leader.leader_epoch = 4;
    CHECK(produce_response_encode(&response, 10, &out, err) == SLUICE_OK);
    CHECK_OUT(2, 2, 't', 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 255, 255, 255,
              255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 1,
              0, 9, 0, 0, 0, 3, 0, 0, 0, 4, 0, /* current_leader */
              0, 0, 0, 0, 0, 0);
    output_clear(&out);
    partition.current_leader.leader_id = partition.current_leader.leader_epoch = -1;
    CHECK(produce_response_encode(&response, 10, &out, err) == SLUICE_OK);
    CHECK_INT(out.bytes.len, 43);
}

TEST(a_count_that_the_bytes_cannot_hold_is_refused_before_anything_is_allocated)
{
    begin();
    static const uint8_t frame[] = {0x7f, 0xff, 0xff, 0xff, 0, 1, 'a'};
    metadata_request request;
    CHECK(metadata_request_decode(frame, sizeof frame, 1, arena, &request, err) ==
          SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "Metadata request version 1 of 7 bytes: field 'topics' has 2147483647 "
               "items of 2 bytes or more: 3 are left");
    CHECK_INT(sluice_arena_used(arena), 0);
}

TEST(a_message_may_not_take_more_memory_than_the_limit)
{
    begin();
    size_t size = 8 * 1024 * 1024;
    uint8_t *frame = calloc(1, size);
    frame[0] = (uint8_t)((size / 2 - 4) >> 24);
    frame[1] = (uint8_t)((size / 2 - 4) >> 16);
    frame[2] = (uint8_t)((size / 2 - 4) >> 8);
    metadata_request request;
    sluice_status status =
        metadata_request_decode(frame, size, 1, arena, &request, err);
    free(frame);
    CHECK(status == SLUICE_BAD_RECORD);
    CHECK(strstr(sluice_error_text(err), "above the limit of 67108864") != NULL);
    CHECK_INT(sluice_arena_used(arena), 0);
}

TEST(a_negative_length_other_than_null_is_refused)
{
    begin();
    static const uint8_t frame[] = {0, 0, 0, 1, 0xff, 0xfe};
    metadata_request request;
    CHECK(metadata_request_decode(frame, sizeof frame, 1, arena, &request, err) ==
          SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "Metadata request version 1 of 6 bytes: field 'name' has the length -2");
}

TEST(tags_must_ascend)
{
    begin();
    static const uint8_t frame[] = {1, 1, 2, 5, 0, 4, 0};
    api_versions_request request;
    CHECK(api_versions_request_decode(frame, sizeof frame, 3, arena, &request, err) ==
          SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "ApiVersions request version 3 of 7 bytes: tag 4 "
               "comes behind tag 5: tags must ascend");
}

TEST(a_version_that_is_not_defined_is_refused)
{
    begin();
    api_versions_request request;
    CHECK(api_versions_request_decode((const uint8_t *)"", 0, 9, arena, &request,
                                      err) == SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(err),
               "ApiVersions request version 9 is not known: 0 to 4 are");
}

TEST(large_records_are_not_copied_into_a_fetch_response)
{
    begin();
    static uint8_t records[5000] = {1, 2, 3}, more[3000] = {4};
    message_slice slices[] = {{.base = records, .len = sizeof records},
                              {.base = more, .len = sizeof more}};
    fetch_response_partition partition = {
        .records = {
            .len = sizeof records + sizeof more, .slices = slices, .slice_count = 2}};
    fetch_response_topic topic = {.topic = message_text_of("t"),
                                  .partitions = {&partition, 1}};
    fetch_response response;
    fetch_response_init(&response);
    response.responses.items = &topic;
    response.responses.count = 1;
    CHECK(fetch_response_encode(&response, 4, &out, err) == SLUICE_OK);
    CHECK_INT(out.part_count, 2);
    CHECK(out.parts[0].slice.base == records);
    CHECK_INT(out.parts[0].at, out.bytes.len);
    CHECK_INT(output_size(&out), out.bytes.len + sizeof records + sizeof more);
    uint8_t *whole = sluice_arena_take(arena, output_size(&out));
    output_copy(&out, whole);
    fetch_response back;
    CHECK(fetch_response_decode(whole, output_size(&out), 4, arena, &back, err) ==
          SLUICE_OK);
    message_records *got = &back.responses.items[0].partitions.items[0].records;
    CHECK_INT(got->len, sizeof records + sizeof more);
    CHECK_INT(got->base[2], 3);
    CHECK_INT(got->base[sizeof records], 4);
}

TEST(a_text_too_long_for_its_version_is_refused)
{
    begin();
    static char text[40000];
    memset(text, 'x', sizeof text - 1);
    find_coordinator_response response;
    find_coordinator_response_init(&response);
    response.host = message_text_of(text);
    CHECK(find_coordinator_response_encode(&response, 2, &out, err) == SLUICE_FATAL);
    CHECK_TEXT(
        sluice_error_text(err),
        "FindCoordinator response version 2: field 'host' is 39999 bytes or items "
        "long: version 2 can't carry it");
    output_clear(&out);
    CHECK(find_coordinator_response_encode(&response, 3, &out, err) == SLUICE_OK);
}

TEST(absent_fields_get_their_defaults)
{
    begin();
    static const uint8_t frame[] = {0, 1, 'g', 0,   0, 0x75, 0x30, 0,
                                    0, 0, 1,   'p', 0, 0,    0,    0};
    join_group_request request;
    CHECK(join_group_request_decode(frame, sizeof frame, 0, arena, &request, err) ==
          SLUICE_OK);
    CHECK_INT(request.session_timeout_ms, 30000);
    CHECK_INT(request.rebalance_timeout_ms, -1);
    CHECK(request.group_instance_id.base == NULL);
    begin();
}

TEST_MAIN
