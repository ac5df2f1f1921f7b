/* The edge with sockets: frames in pieces and in heaps, order, parked requests, answers
 * larger than the socket takes, and clients that go away. */
#include "broker/net/server.h"
#include "protocol/messages.h"
#include "protocol/wire.h"
#include "test.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

enum { request_max = 1 << 20 };

/* Heartbeat is answered at once with its generation as the throttle time; SyncGroup is
 * parked; Fetch is answered with a file; Produce overlaps and is parked, unless the one
 * before it is to be refused while it is handled. */
static bool refuses_earlier;
static int64_t sum; /* Of the body's bytes that was handled then. */
static request *parked[8];
static size_t parked_count;
static sem_t parked_one, cancelled_one, sent_one;
static FILE *file;
enum { file_bytes = 3000000 };

static void on_cancel(request *self)
{
    sem_post(&cancelled_one);
}

static void on_sent(request *self)
{
    sem_post(&sent_one);
}

static void park(request *self)
{
    self->cancel = on_cancel;
    self->sent = on_sent;
    parked[parked_count++] = self;
    sem_post(&parked_one);
}

static void answer_heartbeat(request *self)
{
    heartbeat_request asked;
    heartbeat_response response;
    heartbeat_response_init(&response);
    if (heartbeat_request_decode(self->body, self->body_size, self->header.api_version,
                                 request_arena(self), &asked, NULL) != SLUICE_OK) {
        request_refuse(self, "broken");
        return;
    }
    response.throttle_time_ms = asked.generation_id;
    request_answer(self, self->header.api_version, &response);
}

static void answer_fetch(request *self)
{
    message_slice slice = {.fd = fileno(file), .position = 0, .len = file_bytes};
    fetch_response_partition partition = {
        .records = {.len = file_bytes, .slices = &slice, .slice_count = 1}};
    fetch_response_topic topic = {.topic = message_text_of("t"),
                                  .partitions = {&partition, 1}};
    fetch_response response;
    fetch_response_init(&response);
    response.responses.items = &topic;
    response.responses.count = 1;
    request_answer(self, self->header.api_version, &response);
}

static void refuse_earlier(request *self)
{
    request_refuse(parked[0], "the test wants it");
    for (size_t i = 0; i < self->body_size; i++) {
        sum += self->body[i];
    }
    self->sent = on_sent;
    request_answer_nothing(self);
}

static void handle(request *self)
{
    if (refuses_earlier && parked_count > 0) {
        refuse_earlier(self);
        return;
    }
    switch (self->header.api_key) {
    case API_HEARTBEAT:
        answer_heartbeat(self);
        return;
    case API_FETCH:
        answer_fetch(self);
        return;
    case API_PRODUCE:
    case API_SYNC_GROUP:
        park(self);
        return;
    default:
        request_refuse(self, "not one of the test's");
    }
}

static bool overlaps(int16_t key)
{
    return key == API_PRODUCE;
}

static net_server *server;

static void begin_with(unsigned threads, size_t request_bytes_max)
{
    net_listener listener = {"127.0.0.1", 0};
    net_options options = {.listeners = &listener,
                           .listener_count = 1,
                           .threads = threads,
                           .request_bytes_max = request_bytes_max,
                           .queued_bytes_max = 0, /* One request's size. */
                           .connections_max = 100,
                           .idle_ms_max = -1,
                           .handle = handle,
                           .overlaps = overlaps};
    sem_init(&parked_one, 0, 0);
    sem_init(&cancelled_one, 0, 0);
    sem_init(&sent_one, 0, 0);
    parked_count = 0;
    CHECK(net_server_new(&options, &server, NULL) == SLUICE_OK);
    CHECK(net_server_start(server, NULL) == SLUICE_OK);
}

static void begin(unsigned threads)
{
    begin_with(threads, request_max);
}

static void end(void)
{
    net_server_stop(server);
    net_server_free(server);
}

static int connect_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(net_server_port(server, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static void put_request(output *out, int16_t key, int version, int32_t id)
{
    union {
        heartbeat_request heartbeat;
        sync_group_request sync;
        fetch_request fetch;
        produce_request produce;
    } value;
    const message_api *api = message_api_find(key);
    memcpy(&value, api->request->body->defaults, api->request->body->size);
    if (key == API_HEARTBEAT) {
        value.heartbeat.generation_id = id * 10;
    }
    CHECK(request_encode(api, version, id, message_text_of("test"), &value, out,
                         NULL) == SLUICE_OK);
}

static void send_all(int fd, const void *base, size_t len)
{
    CHECK_INT(send(fd, base, len, MSG_NOSIGNAL), len);
}

static void send_request(int fd, int16_t key, int version, int32_t id)
{
    output out;
    output_init(&out);
    put_request(&out, key, version, id);
    send_all(fd, out.bytes.base, out.bytes.len);
    output_done(&out);
}

/* Receives a whole frame and returns its correlation id. */
static int32_t receive(int fd, size_t *ret_size)
{
    static uint8_t bytes[file_bytes + 1000];
    CHECK_INT(recv(fd, bytes, 4, MSG_WAITALL), 4);
    *ret_size = wire_get_32(bytes);
    CHECK(*ret_size <= sizeof bytes);
    CHECK_INT(recv(fd, bytes, *ret_size, MSG_WAITALL), *ret_size);
    return (int32_t)wire_get_32(bytes);
}

static void check_receives(int fd, int32_t id)
{
    size_t size;
    CHECK_INT(receive(fd, &size), id);
}

static void check_closed(int fd)
{
    char byte;
    CHECK(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

TEST(a_request_that_comes_byte_by_byte_is_answered)
{
    begin(1);
    int fd = connect_client();
    output out;
    output_init(&out);
    put_request(&out, API_HEARTBEAT, 4, 7);
    for (size_t i = 0; i < out.bytes.len; i++) {
        send_all(fd, out.bytes.base + i, 1);
    }
    check_receives(fd, 7);
    output_done(&out);
    close(fd);
    end();
}

TEST(an_empty_frame_is_refused)
{
    begin(1);
    int fd = connect_client();
    send_all(fd, "\0\0\0\0", 4);
    check_closed(fd);
    end();
}

/* A heartbeat with very much behind it, which is ignored. */
static uint8_t *large_heartbeat(size_t size, int32_t id)
{
    output out;
    output_init(&out);
    put_request(&out, API_HEARTBEAT, 0, id);
    uint8_t *bytes = calloc(1, size);
    CHECK(bytes != NULL && out.bytes.len <= size);
    memcpy(bytes, out.bytes.base, out.bytes.len);
    wire_put_32(bytes, (uint32_t)(size - 4));
    output_done(&out);
    return bytes;
}

TEST(whoever_keeps_an_unfinished_request_makes_room_for_others)
{
    enum { size = request_max - 100 };
    begin(1);
    int first = connect_client(), second = connect_client(), small = connect_client();
    uint8_t *bytes = large_heartbeat(size, 9);
    send_all(first, bytes, size / 2);
    send_request(small, API_HEARTBEAT, 4, 1);
    check_receives(small, 1);
    send_all(second, bytes, size / 2);
    check_closed(first);
    send_all(second, bytes + size / 2, size - size / 2);
    check_receives(second, 9);
    send_request(small, API_HEARTBEAT, 4, 2);
    check_receives(small, 2);
    free(bytes);
    close(second);
    close(small);
    end();
}

TEST(a_heap_of_requests_is_answered_in_order)
{
    begin(2);
    int fd = connect_client();
    output out;
    output_init(&out);
    for (int32_t id = 1; id <= 500; id++) {
        put_request(&out, API_HEARTBEAT, id % 5, id);
    }
    send_all(fd, out.bytes.base, out.bytes.len);
    for (int32_t id = 1; id <= 500; id++) {
        check_receives(fd, id);
    }
    output_done(&out);
    close(fd);
    end();
}

TEST(what_follows_a_parked_request_waits_for_its_answer)
{
    begin(1);
    int fd = connect_client();
    send_request(fd, API_SYNC_GROUP, 3, 1);
    send_request(fd, API_HEARTBEAT, 0, 2);
    send_request(fd, API_HEARTBEAT, 0, 3);
    sem_wait(&parked_one);
    char byte;
    CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) < 0);
    sync_group_response response;
    sync_group_response_init(&response);
    request_answer(parked[0], 3, &response);
    check_receives(fd, 1);
    check_receives(fd, 2);
    check_receives(fd, 3);
    close(fd);
    end();
}

TEST(overlapping_requests_are_handled_together_and_answered_in_order)
{
    begin(1);
    int fd = connect_client();
    for (int32_t id = 1; id <= 3; id++) {
        send_request(fd, API_PRODUCE, 9, id);
    }
    send_request(fd, API_HEARTBEAT, 0, 4);
    for (int i = 0; i < 3; i++) {
        sem_wait(&parked_one);
    }
    produce_response response;
    produce_response_init(&response);
    request_answer(parked[2], 9, &response);
    request_answer(parked[0], 9, &response);
    request_answer_nothing(parked[1]);
    check_receives(fd, 1);
    check_receives(fd, 3);
    check_receives(fd, 4);
    close(fd);
    end();
}

TEST(a_request_keeps_its_body_when_an_earlier_one_closes_the_connection)
{
    enum { large = 6 << 20 };
    begin_with(1, 2 * large);
    refuses_earlier = true;
    sum = 0;
    int fd = connect_client();
    send_request(fd, API_PRODUCE, 9, 1);
    sem_wait(&parked_one);
    output out;
    output_init(&out);
    put_request(&out, API_PRODUCE, 9, 2);
    size_t size = out.bytes.len;
    memset(buffer_reserve(&out.bytes, large), 1, large);
    wire_put_32((uint8_t *)out.bytes.base, (uint32_t)(size + large - 4));
    send_all(fd, out.bytes.base, size + large);
    sem_wait(&sent_one);
    sem_wait(&sent_one);
    CHECK(sum >= large);
    check_closed(fd);
    output_done(&out);
    refuses_earlier = false;
    end();
}

TEST(an_answer_from_a_file_reaches_a_client_that_reads_late)
{
    begin(1);
    file = tmpfile();
    CHECK(ftruncate(fileno(file), file_bytes) == 0);
    int fd = connect_client();
    send_request(fd, API_FETCH, 4, 1);
    send_request(fd, API_FETCH, 4, 2);
    send_request(fd, API_HEARTBEAT, 0, 3);
    size_t size;
    CHECK_INT(receive(fd, &size), 1);
    CHECK(size > file_bytes);
    check_receives(fd, 2);
    check_receives(fd, 3);
    close(fd);
    end();
    fclose(file);
}

TEST(a_client_that_goes_away_cancels_its_parked_request)
{
    begin(1);
    int fd = connect_client();
    send_request(fd, API_SYNC_GROUP, 3, 1);
    sem_wait(&parked_one);
    close(fd);
    sem_wait(&cancelled_one);
    sync_group_response response;
    sync_group_response_init(&response);
    request_answer(parked[0], 3, &response);
    sem_wait(&sent_one);
    end();
}

TEST(requests_that_are_parked_at_the_end_can_still_be_answered)
{
    begin(2);
    int fd = connect_client();
    send_request(fd, API_SYNC_GROUP, 3, 1);
    sem_wait(&parked_one);
    net_server_close(server);
    check_closed(fd);
    request_answer_nothing(parked[0]);
    end();
    CHECK_INT(sem_trywait(&sent_one), 0);
}

TEST(a_request_above_the_limit_closes_the_connection)
{
    begin(1);
    int fd = connect_client();
    uint8_t size[4];
    wire_put_32(size, request_max + 1);
    send_all(fd, size, sizeof size);
    check_closed(fd);
    end();
}

TEST(a_request_without_a_whole_header_closes_the_connection)
{
    begin(1);
    int fd = connect_client();
    static const uint8_t frame[] = {0, 0, 0, 5, 0, 3, 0, 1, 0};
    send_all(fd, frame, sizeof frame);
    check_closed(fd);
    end();
}

TEST(an_address_that_is_taken_is_named)
{
    begin(1);
    net_listener listener = {"127.0.0.1", net_server_port(server, 0)};
    net_options options = {.listeners = &listener, .listener_count = 1, .threads = 1};
    net_server *other;
    sluice_error *err = sluice_error_new();
    CHECK(net_server_new(&options, &other, err) == SLUICE_BAD_CONFIG);
    CHECK(strstr(sluice_error_text(err), "Address already in use") != NULL);
    sluice_error_free(err);
    end();
}

TEST_MAIN
