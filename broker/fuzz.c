/* The fuzz target of the whole broker: the frames of one client, one connection after
 * the other, into a broker in this process with a log in a temporary folder.
 *
 * An input is frames behind their sizes (u16). Each starts from the same state: a topic
 * 't' of two partitions with a few records. The next frame is sent when the one before
 * is answered or is not going to be for a while, so that an input does the same each
 * time. What is answered must be readable; the broker must stop, and must start again
 * from what it has left behind.
 *
 * As a fuzzer (see CONTRIBUTING.md) it makes its own inputs: requests of every API and
 * version, put together, repeated, taken out, with bytes changed. Otherwise it is a
 * test that runs over the corpus. */
#include "base/memory.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/log/record_batch.h"
#include "broker/request/handler.h"
#include "protocol/random_message.h"
#include "protocol/wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    frames_max = 24,
    wait_ms_max = 5, /* For an answer, until the next frame is sent. */
    answer_bytes_max = 1 << 24,
    frame_bytes_max = UINT16_MAX,
};

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void demand(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "not so: %s\n", what);
        abort();
    }
}

/* ---- The broker ------------------------------------------------------------------ */

static char data_folder[64];
static properties *given; /* Borrowed by the broker. */
static broker *running;

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *where)
{
    return remove(path);
}

static void start(void)
{
    given = properties_new();
    properties_set(given, "listeners", "PLAINTEXT://127.0.0.1:0");
    properties_set(given, "log.dirs", data_folder);
    properties_set(given, "num.network.threads", "1");
    properties_set(given, "acks.all.sync", "none");
    properties_set(given, "group.min.session.timeout.ms", "1");
    properties_set(given, "offsets.topic.num.partitions", "1");
    sluice_error *err = sluice_error_new();
    if (broker_start(given, &running, err) != SLUICE_OK) {
        demand(false, sluice_error_text(err));
    }
    sluice_error_free(err);
}

static void stop(void)
{
    broker_stop(running);
    properties_free(given);
}

static int connect_client(void)
{
    const char *colon = strrchr(broker_address(running, 0), ':');
    int64_t port = 0;
    demand(colon != NULL && text_to_int64(colon + 1, &port), "the address has a port");
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    demand(connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "connected");
    return fd;
}

/* The fuzzer's clock interrupts system calls. */
static bool receive_whole(int fd, uint8_t *base, size_t size)
{
    while (size > 0) {
        ssize_t got = recv(fd, base, size, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return false;
        }
        base += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* ---- Frames ---------------------------------------------------------------------- */

static size_t encode_frame(const message_api *api, int version, const void *asked,
                           uint8_t *ret_frame, size_t room)
{
    output out;
    output_init(&out);
    bool good = request_encode(api, version, 1, message_text_of("fuzz"), asked, &out,
                               NULL) == SLUICE_OK &&
                output_size(&out) <= room;
    size_t size = good ? output_size(&out) : 0;
    if (good) {
        output_copy(&out, ret_frame);
    }
    output_done(&out);
    return size;
}

/* Whoever waits, waits for a moment only. */
static void shorten_waits(api_key key, void *asked)
{
    if (key == API_FETCH) {
        ((fetch_request *)asked)->max_wait_ms &= 1;
    } else if (key == API_JOIN_GROUP) {
        ((join_group_request *)asked)->session_timeout_ms &= 15;
        ((join_group_request *)asked)->rebalance_timeout_ms &= 15;
    }
}

/* Sends a frame, its waits shortened if it can be read. */
static bool send_frame(int fd, const uint8_t *frame, size_t size,
                       request_header *ret_header)
{
    static uint8_t bytes[frame_bytes_max + 1024];
    sluice_arena *arena = sluice_arena_new();
    *ret_header = (request_header){0};
    size_t len = 0;
    if (request_header_decode(frame, size, ret_header, NULL) == SLUICE_OK &&
        ret_header->api != NULL) {
        const message_schema *schema = ret_header->api->request;
        void *asked = sluice_arena_take(arena, schema->body->size);
        if (message_decode(schema, ret_header->api_version, frame + ret_header->size,
                           size - ret_header->size, arena, asked, NULL) == SLUICE_OK) {
            shorten_waits((api_key)ret_header->api_key, asked);
            ret_header->correlation_id = 1;
            len = encode_frame(ret_header->api, ret_header->api_version, asked, bytes,
                               sizeof bytes);
        }
    }
    if (len == 0) {
        wire_put_32(bytes, (uint32_t)size);
        memcpy(bytes + 4, frame, size);
        len = size + 4;
    }
    sluice_arena_free(arena);
    return send(fd, bytes, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* ---- Answers --------------------------------------------------------------------- */

static void check_answer(const request_header *asked, const uint8_t *frame, size_t size)
{
    int version = asked->api_version;
    const message_schema *shape = asked->api->response;
    if (asked->api_key == API_API_VERSIONS &&
        (version < 0 || version > shape->version_max)) {
        version = 0; /* As Kafka answers a version that is not known. */
    }
    int32_t id;
    size_t at;
    sluice_error *err = sluice_error_new();
    sluice_arena *arena = sluice_arena_new();
    void *answer = sluice_arena_take(arena, shape->body->size);
    if (response_header_decode(frame, size, asked->api, version, &id, &at, err) !=
            SLUICE_OK ||
        message_decode(shape, version, frame + at, size - at, arena, answer, err) !=
            SLUICE_OK) {
        demand(false, sluice_error_text(err));
    }
    demand(id == asked->correlation_id, "it is the answer to what was asked");
    sluice_arena_free(arena);
    sluice_error_free(err);
}

typedef enum outcome { ANSWERED, SILENT, CLOSED } outcome;

/* Receives the answer, if one comes soon. Frames that could not be read are refused. */
static outcome receive_answer(int fd, const request_header *asked)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    if (poll(&ready, 1, wait_ms_max) <= 0) {
        return SILENT;
    }
    uint8_t head[4];
    if (!receive_whole(fd, head, sizeof head)) {
        return CLOSED;
    }
    size_t size = wire_get_32(head);
    demand(size <= answer_bytes_max, "an answer has a size");
    uint8_t *frame = memory_take(size + 1);
    bool whole = receive_whole(fd, frame, size);
    if (whole && asked->api != NULL) {
        check_answer(asked, frame, size);
    }
    free(frame);
    return whole ? ANSWERED : CLOSED;
}

/* What was not answered soon may be answered later: its connection is given up. */
static void send_frames(const uint8_t *base, size_t size)
{
    int fd = connect_client();
    for (int i = 0; i < frames_max && size >= 2; i++) {
        size_t len = wire_get_16(base);
        len = len < size - 2 ? len : size - 2;
        request_header header;
        outcome came = CLOSED;
        if (send_frame(fd, base + 2, len, &header)) {
            came = receive_answer(fd, &header);
        }
        if (came != ANSWERED) {
            close(fd);
            fd = connect_client();
        }
        base += len + 2;
        size -= len + 2;
    }
    close(fd);
}

/* ---- One input ------------------------------------------------------------------- */

static size_t produce_frame(uint64_t random, uint8_t *ret_frame, size_t room);

static void make_topic(void)
{
    create_topics_request_topic made = create_topics_request_topic_defaults;
    made.name = message_text_of("t");
    made.num_partitions = 2;
    made.replication_factor = -1;
    create_topics_request asked = {.topics = {&made, 1}, .timeout_ms = 1000};
    static uint8_t frames[8192];
    const message_api *api = message_api_find(API_CREATE_TOPICS);
    int fd = connect_client();
    size_t size = encode_frame(api, 7, &asked, frames, sizeof frames);
    size += produce_frame(0, frames + size, sizeof frames - size);
    demand(send(fd, frames, size, MSG_NOSIGNAL) == (ssize_t)size, "sent");
    for (int i = 0; i < 2; i++) {
        uint8_t head[4];
        demand(receive_whole(fd, head, sizeof head), "the topic is made");
        size = wire_get_32(head);
        demand(size <= sizeof frames && receive_whole(fd, frames, size),
               "the answer fits");
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    bool memory = access("/dev/shm", W_OK) == 0;
    snprintf(data_folder, sizeof data_folder, "%s/sluice-fuzz-XXXXXX",
             memory ? "/dev/shm" : "/tmp");
    demand(mkdtemp(data_folder) != NULL, "a folder");
    sluice_log_set_level("broker", SLUICE_OFF);
    start();
    make_topic();
    send_frames(base, size);
    stop();
    if (size % 4 == 0) { /* Each time it would halve the rate. */
        start();
        stop();
    }
    nftw(data_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* ---- Inputs ---------------------------------------------------------------------- */

/* A batch that can be stored, of an idempotent producer more often than not. */
static size_t produce_frame(uint64_t random, uint8_t *ret_frame, size_t room)
{
    record_batch_header header = {
        .producer_id = -1, .producer_epoch = -1, .base_sequence = -1};
    if (random % 4 != 0) {
        header.producer_id = (int64_t)(random >> 4) % 3;
        header.producer_epoch = (int16_t)((random >> 8) % 2);
        header.base_sequence = (int32_t)((random >> 12) % 4);
    }
    record_batch_writer writer;
    record_batch_writer_init(&writer, &header);
    for (uint64_t i = 0; i <= (random >> 16) % 3; i++) {
        record_batch_writer_add(&writer, 1700000000000, (sluice_bytes){"k", 1},
                                (sluice_bytes){"value", 5});
    }
    record_batch_writer_finish(&writer);
    produce_request_partition its = {
        .index = (int32_t)((random >> 20) % 2),
        .records = {.base = writer.base, .len = writer.size}};
    produce_request_topic to = {.name = message_text_of("t"), .partitions = {&its, 1}};
    static const int16_t acks[] = {-1, 1, 0, -1};
    produce_request asked = {
        .acks = acks[(random >> 24) % 4], .timeout_ms = 1000, .topics = {&to, 1}};
    size_t size = encode_frame(message_api_find(API_PRODUCE),
                               3 + (int)((random >> 28) % 9), &asked, ret_frame, room);
    record_batch_writer_done(&writer);
    return size;
}

#ifndef FUZZ_CORPUS_MAIN

size_t LLVMFuzzerMutate(uint8_t *base, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *base, size_t size, size_t max, unsigned seed);

static size_t random_frame(random_message *self, uint8_t *ret_frame, size_t room)
{
    if (random_next(self) % 6 == 0) {
        return produce_frame(random_next(self), ret_frame, room);
    }
    const served_api *api = &served_apis[random_next(self) % served_api_count];
    self->version =
        api->served_min +
        (int)(random_next(self) % (uint64_t)(api->version_max - api->served_min + 1));
    const message_api *shape = message_api_find(api->key);
    void *asked = sluice_arena_take(self->arena, shape->request->body->size);
    random_fill(self, shape->request->body, asked);
    return encode_frame(shape, self->version, asked, ret_frame, room);
}

/* Where the frames of an input begin; returns how many there are. */
static size_t find_frames(const uint8_t *base, size_t size, size_t *ret_at)
{
    size_t count = 0;
    for (size_t at = 0; at + 2 <= size && count < frames_max; count++) {
        ret_at[count] = at;
        at += 2 + (size_t)wire_get_16(base + at);
    }
    return count;
}

/* Puts `len` bytes in at `at`. */
static size_t put_in(uint8_t *base, size_t size, size_t max, size_t at,
                     const uint8_t *frame, size_t len)
{
    if (len == 0 || size + len > max || at > size) {
        return size;
    }
    memmove(base + at + len, base + at, size - at);
    memcpy(base + at, frame, len);
    return size + len;
}

static size_t put_new(random_message *self, uint8_t *base, size_t size, size_t max,
                      size_t at)
{
    static uint8_t frame[frame_bytes_max];
    size_t len = random_frame(self, frame, sizeof frame);
    if (len < 4 || len - 4 > UINT16_MAX) {
        return size;
    }
    frame[2] = (uint8_t)((len - 4) >> 8); /* Two bytes of size instead of four. */
    frame[3] = (uint8_t)(len - 4);
    return put_in(base, size, max, at, frame + 2, len - 2);
}

static size_t change(random_message *self, uint8_t *base, size_t size, size_t max)
{
    size_t at[frames_max], count = find_frames(base, size, at);
    size_t which = count == 0 ? 0 : random_next(self) % count;
    size_t begin = count == 0 ? 0 : at[which];
    size_t end = which + 1 < count ? at[which + 1] : size;
    switch (random_next(self) % 8) {
    case 0: /* Taken out. */
        memmove(base + begin, base + end, size - end);
        return size - (end - begin);
    case 1: { /* Repeated. */
        static uint8_t copy[frame_bytes_max + 2];
        size_t len = end - begin;
        if (len > sizeof copy) {
            return size;
        }
        memcpy(copy, base + begin, len);
        return put_in(base, size, max, size, copy, len);
    }
    case 2: /* Bytes of it changed, its size kept. */
        if (end > begin + 2) {
            LLVMFuzzerMutate(base + begin + 2, end - begin - 2, end - begin - 2);
        }
        return size;
    case 3: /* Anything. */
        return LLVMFuzzerMutate(base, size, max);
    default:
        return put_new(self, base, size, max, random_next(self) % 2 ? size : begin);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *base, size_t size, size_t max, unsigned seed)
{
    random_message self = {.arena = sluice_arena_new(),
                           .random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1,
                           .plausible = true};
    for (uint64_t left = 1 + random_next(&self) % 3; left > 0; left--) {
        size = change(&self, base, size, max);
    }
    size = size > 0 ? size : put_new(&self, base, 0, max, 0);
    sluice_arena_free(self.arena);
    return size;
}

#else
#include "tests/lib/corpus.h"
#endif
