/* Headers: versions 1 and 2 of requests, 0 and 1 of responses, and the exception. */
#include "protocol/header.h"
#include "protocol/messages.h"
#include "test.h"

static output out;

#define CHECK_OUT(...)                                                                 \
    do {                                                                               \
        static const uint8_t wanted[] = {__VA_ARGS__};                                 \
        CHECK_BYTES(out.bytes.base, out.bytes.len, wanted, sizeof wanted);             \
    } while (0)

TEST(a_plain_request_has_a_client_id_and_no_tags)
{
    static const uint8_t frame[] = {0, 3, 0, 1, 0, 0, 0, 7, 0, 2, 'm', 'e', 9};
    request_header header;
    CHECK(request_header_decode(frame, sizeof frame, &header, NULL) == SLUICE_OK);
    CHECK_TEXT(header.api->name, "Metadata");
    CHECK_INT(header.api_version, 1);
    CHECK_INT(header.correlation_id, 7);
    CHECK(message_text_is(header.client_id, "me"));
    CHECK_INT(header.size, 12);
}

TEST(a_flexible_request_has_tags_behind_a_client_id_that_is_not_compact)
{
    static const uint8_t frame[] = {0, 18,  0, 3, 0, 0,   0,   1, 0,
                                    1, 'c', 1, 9, 2, 'x', 'y', 5};
    request_header header;
    CHECK(request_header_decode(frame, sizeof frame, &header, NULL) == SLUICE_OK);
    CHECK_INT(header.size, 16);
    CHECK(message_text_is(header.client_id, "c"));
}

TEST(a_header_of_an_unknown_api_says_so_and_is_no_error)
{
    static const uint8_t frame[] = {0x7f, 0, 0, 3, 0, 0, 0, 1};
    request_header header;
    CHECK(request_header_decode(frame, sizeof frame, &header, NULL) == SLUICE_OK);
    CHECK(header.api == NULL);
    CHECK_INT(header.api_key, 0x7f00);
    CHECK_INT(header.correlation_id, 1);
}

TEST(a_header_cut_off_anywhere_is_refused)
{
    static const uint8_t frame[] = {0, 18, 0,   3, 0, 0, 0,   1,
                                    0, 1,  'c', 1, 9, 2, 'x', 'y'};
    for (size_t len = 0; len < sizeof frame; len++) {
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, frame, len);
        request_header header;
        sluice_status status = request_header_decode(cut, len, &header, NULL);
        free(cut);
        CHECK(status == SLUICE_BAD_RECORD);
    }
}

TEST(an_api_versions_response_never_has_tags_in_its_header)
{
    api_versions_response versions;
    api_versions_response_init(&versions);
    const message_api *api = message_api_find(API_API_VERSIONS);
    CHECK(response_encode(api, 3, 5, &versions, &out, NULL) == SLUICE_OK);
    CHECK_OUT(0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0);
    output_clear(&out);
    heartbeat_response heartbeat = {.throttle_time_ms = 0, .error_code = 27};
    api = message_api_find(API_HEARTBEAT);
    CHECK(response_encode(api, 4, 5, &heartbeat, &out, NULL) == SLUICE_OK);
    CHECK_OUT(0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 27, 0);
    output_clear(&out);
    CHECK(response_encode(api, 1, 5, &heartbeat, &out, NULL) == SLUICE_OK);
    CHECK_OUT(0, 0, 0, 10, 0, 0, 0, 5, 0, 0, 0, 0, 0, 27);
    output_done(&out);
}

TEST(a_request_frame_reads_back)
{
    heartbeat_request request;
    heartbeat_request_init(&request);
    request.group_id = message_text_of("group");
    request.member_id = message_text_of("member");
    const message_api *api = message_api_find(API_HEARTBEAT);
    for (int version = 0; version <= 4; version++) {
        output_clear(&out);
        CHECK(request_encode(api, version, 11, message_text_of("id"), &request, &out,
                             NULL) == SLUICE_OK);
        const uint8_t *base = (const uint8_t *)out.bytes.base + frame_size_bytes;
        size_t size = out.bytes.len - frame_size_bytes;
        request_header header;
        CHECK(request_header_decode(base, size, &header, NULL) == SLUICE_OK);
        CHECK(header.api == api && header.api_version == version);
        sluice_arena *arena = sluice_arena_new();
        heartbeat_request back;
        CHECK(heartbeat_request_decode(base + header.size, size - header.size, version,
                                       arena, &back, NULL) == SLUICE_OK);
        CHECK(message_text_is(back.member_id, "member"));
        sluice_arena_free(arena);
    }
    output_done(&out);
}

TEST(a_response_header_reads_back_with_and_without_tags)
{
    static const uint8_t frame[] = {0, 0, 0, 9, 1, 3, 1, 'x', 0};
    const message_api *api = message_api_find(API_FETCH);
    int32_t correlation_id;
    size_t size;
    CHECK(response_header_decode(frame, sizeof frame, api, 12, &correlation_id, &size,
                                 NULL) == SLUICE_OK);
    CHECK_INT(correlation_id, 9);
    CHECK_INT(size, 8);
    CHECK(response_header_decode(frame, sizeof frame, api, 11, &correlation_id, &size,
                                 NULL) == SLUICE_OK);
    CHECK_INT(size, 4);
    CHECK(response_header_decode(frame, 6, api, 12, &correlation_id, &size, NULL) ==
          SLUICE_BAD_RECORD);
}

TEST_MAIN
