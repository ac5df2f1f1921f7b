/* bench/load/client.c - connections, prebuilt frames, and what a run prints. */
#include "base/memory.h"
#include "base/text.h"
#include "broker/log/record_batch.h"
#include "load.h"
#include "protocol/header.h"
#include "protocol/messages.h"
#include "protocol/wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char client_id[] = "load";

void load_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("bench-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(1);
}

double load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double load_cpu_seconds(int64_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    FILE *file = pid == 0 ? NULL : fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = '\0';
    const char *at = strrchr(text, ')');
    for (int word = 0; at != NULL && word < 12; word++) {
        at = strchr(at + 1, ' ');
    }
    int64_t user = 0, system = 0;
    if (at == NULL || sscanf(at, "%" SCNd64 " %" SCNd64, &user, &system) != 2) {
        return 0;
    }
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

int load_connect(int64_t port, bool blocking)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        load_die("cannot connect to 127.0.0.1:%" PRId64 ": %s", port, strerror(errno));
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!blocking) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}

/* ---- One request, one answer ----------------------------------------------------- */

static void receive_all(int fd, void *base, size_t len)
{
    for (size_t got = 0; got < len;) {
        ssize_t more = recv(fd, (char *)base + got, len - got, 0);
        if (more <= 0) {
            load_die("the broker closed a connection");
        }
        got += (size_t)more;
    }
}

/* Sends a request and decodes its answer, which lives as long as the program. */
static void call(int64_t port, int16_t key, int version, const void *request,
                 void *ret_response)
{
    const message_api *api = message_api_find(key);
    sluice_error *err = sluice_error_new();
    output out;
    output_init(&out);
    if (request_encode(api, version, 1, message_text_of(client_id), request, &out,
                       err) != SLUICE_OK) {
        load_die("%s", sluice_error_text(err));
    }
    int fd = load_connect(port, true);
    if (send(fd, out.bytes.base, out.bytes.len, 0) != (ssize_t)out.bytes.len) {
        load_die("cannot send a request: %s", strerror(errno));
    }
    uint8_t size[4];
    receive_all(fd, size, sizeof size);
    size_t len = wire_get_32(size), header;
    uint8_t *base = memory_take(len);
    receive_all(fd, base, len);
    int32_t correlation_id;
    if (response_header_decode(base, len, api, version, &correlation_id, &header,
                               err) != SLUICE_OK ||
        message_decode(api->response, version, base + header, len - header,
                       sluice_arena_new(), ret_response, err) != SLUICE_OK) {
        load_die("%s", sluice_error_text(err));
    }
    close(fd);
    output_done(&out);
    sluice_error_free(err);
}

static bool has_leaders(const load_options *options)
{
    metadata_request_topic one = metadata_request_topic_defaults;
    metadata_request asked;
    metadata_response answer;
    metadata_request_init(&asked);
    one.name = message_text_of(options->topic);
    asked.topics.items = &one;
    asked.topics.count = 1;
    call(options->port, 3, 8, &asked, &answer);
    if (answer.topics.count != 1 || answer.topics.items[0].error_code != 0) {
        return false;
    }
    size_t leaders = 0;
    for (size_t i = 0; i < answer.topics.items[0].partitions.count; i++) {
        leaders += answer.topics.items[0].partitions.items[i].error_code == 0;
    }
    return leaders == (size_t)options->partitions;
}

void load_create_topic(const load_options *options)
{
    create_topics_request_config config = create_topics_request_config_defaults;
    create_topics_request_topic one = create_topics_request_topic_defaults;
    create_topics_request asked;
    create_topics_response answer;
    create_topics_request_init(&asked);
    one.name = message_text_of(options->topic);
    one.num_partitions = (int32_t)options->partitions;
    one.replication_factor = 1;
    if (options->flush_messages != NULL) {
        config.name = message_text_of("flush.messages");
        config.value = message_text_of(options->flush_messages);
        one.configs.items = &config;
        one.configs.count = 1;
    }
    asked.topics.items = &one;
    asked.topics.count = 1;
    asked.timeout_ms = 30000;
    call(options->port, 19, 4, &asked, &answer);
    if (answer.topics.count != 1 || answer.topics.items[0].error_code != 0) {
        load_die("cannot create topic '%s': error %d", options->topic,
                 answer.topics.count == 1 ? answer.topics.items[0].error_code : -1);
    }
    double until = load_now() + 30;
    while (!has_leaders(options)) {
        if (load_now() > until) {
            load_die("topic '%s' has no leaders after 30 s", options->topic);
        }
    }
}

void load_delete_topic(const load_options *options)
{
    message_text name = message_text_of(options->topic);
    delete_topics_request asked;
    delete_topics_response answer;
    delete_topics_request_init(&asked);
    asked.topic_names.items = &name;
    asked.topic_names.count = 1;
    asked.timeout_ms = 30000;
    call(options->port, 20, 3, &asked, &answer);
    if (answer.responses.count != 1 || answer.responses.items[0].error_code != 0) {
        load_die("cannot delete topic '%s'", options->topic);
    }
}

int64_t load_find_offset(const load_options *options, int32_t partition, bool earliest)
{
    list_offsets_request_partition one = list_offsets_request_partition_defaults;
    list_offsets_request_topic its = list_offsets_request_topic_defaults;
    list_offsets_request asked;
    list_offsets_response answer;
    list_offsets_request_init(&asked);
    one.partition_index = partition;
    one.timestamp = earliest ? -2 : -1;
    its.name = message_text_of(options->topic);
    its.partitions.items = &one;
    its.partitions.count = 1;
    asked.replica_id = -1;
    asked.topics.items = &its;
    asked.topics.count = 1;
    call(options->port, 2, 3, &asked, &answer);
    if (answer.topics.count != 1 || answer.topics.items[0].partitions.count != 1 ||
        answer.topics.items[0].partitions.items[0].error_code != 0) {
        load_die("cannot list the offsets of '%s-%d'", options->topic, partition);
    }
    return answer.topics.items[0].partitions.items[0].offset;
}

/* ---- Frames ---------------------------------------------------------------------- */

static uint8_t *frames_of(const output *out, size_t count, size_t *ret_size)
{
    size_t size = output_size(out);
    uint8_t *frames = memory_take(count * size);
    output_copy(out, frames);
    for (size_t i = 1; i < count; i++) {
        memcpy(frames + i * size, frames, size);
    }
    *ret_size = size;
    return frames;
}

/* Letters, which a compressing client could shrink and nobody here does. */
static void write_batch(record_batch_writer *writer, const load_options *options)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
    size_t len = (size_t)options->record_bytes;
    char *value = memory_take(len + 1);
    record_batch_writer_init(writer, NULL);
    for (int64_t i = 0; i < options->records; i++) {
        for (size_t at = 0; at < len; at++) {
            value[at] = (char)('a' + (at * 7 + (size_t)i * 13) % 26);
        }
        record_batch_writer_add(writer, now_ms, (sluice_bytes){NULL, 0},
                                (sluice_bytes){value, len});
    }
    record_batch_writer_finish(writer);
    free(value);
}

uint8_t *load_produce_frames(const load_options *options, int32_t partition,
                             size_t count, size_t *ret_size, size_t *ret_batch)
{
    record_batch_writer writer;
    write_batch(&writer, options);
    produce_request_partition one = produce_request_partition_defaults;
    produce_request_topic its = produce_request_topic_defaults;
    produce_request asked;
    produce_request_init(&asked);
    one.index = partition;
    one.records.base = writer.base;
    one.records.len = writer.size;
    its.name = message_text_of(options->topic);
    its.partitions.items = &one;
    its.partitions.count = 1;
    asked.acks = (int16_t)options->acks;
    asked.timeout_ms = 30000;
    asked.topics.items = &its;
    asked.topics.count = 1;
    output out;
    output_init(&out);
    if (request_encode(message_api_find(0), load_produce_version, 1,
                       message_text_of(client_id), &asked, &out, NULL) != SLUICE_OK) {
        load_die("cannot encode a Produce request");
    }
    uint8_t *frames = frames_of(&out, count, ret_size);
    *ret_batch = writer.size;
    output_done(&out);
    record_batch_writer_done(&writer);
    return frames;
}

uint8_t *load_fetch_frame(const load_options *options, int32_t partition,
                          size_t *ret_size)
{
    fetch_request_partition one = fetch_request_partition_defaults;
    fetch_request_topic its = fetch_request_topic_defaults;
    fetch_request asked;
    fetch_request_init(&asked);
    one.partition = partition;
    one.current_leader_epoch = -1;
    one.partition_max_bytes = (int32_t)options->fetch_bytes;
    its.topic = message_text_of(options->topic);
    its.partitions.items = &one;
    its.partitions.count = 1;
    asked.replica_id = -1;
    asked.max_wait_ms = (int32_t)options->wait_ms;
    asked.min_bytes = 1;
    asked.max_bytes = (int32_t)options->fetch_bytes;
    asked.session_id = 0;
    asked.session_epoch = -1;
    asked.topics.items = &its;
    asked.topics.count = 1;
    output out;
    output_init(&out);
    if (request_encode(message_api_find(1), load_fetch_version, 1,
                       message_text_of(client_id), &asked, &out, NULL) != SLUICE_OK) {
        load_die("cannot encode a Fetch request");
    }
    uint8_t *frame = frames_of(&out, 1, ret_size);
    output_done(&out);
    return frame;
}

/* Behind the offset: log start 8, max bytes 4, forgotten 4, rack id 2. */
void load_fetch_patch(uint8_t *frame, size_t size, int64_t offset)
{
    wire_put_64(frame + size - 26, (uint64_t)offset);
}

/* Size 4, correlation id 4, topics 4, name 2 and its text, partitions 4, index 4. */
size_t load_produce_error_at(const load_options *options)
{
    return 22 + strlen(options->topic);
}

/* Size 4, correlation id 4, throttle 4, error 2, session 4, topics 4, name, partitions
 * 4, index 4. */
size_t load_fetch_error_at(const load_options *options)
{
    return 32 + strlen(options->topic);
}

/* Error 2, watermark 8, stable 8, log start 8, aborted 4 (null), replica 4. */
size_t load_fetch_records_at(const load_options *options)
{
    return load_fetch_error_at(options) + 34;
}

/* ---- Results --------------------------------------------------------------------- */

void load_note_latency(load_result *self, double seconds)
{
    if (self->latency_count == self->latency_room) {
        self->latency_room = self->latency_room * 2 + 65536;
        self->latencies = memory_resize(self->latencies,
                                        self->latency_room * sizeof *self->latencies);
    }
    double tenths = seconds * 1e7;
    self->latencies[self->latency_count++] = tenths < 0            ? 0
                                             : tenths > UINT32_MAX ? UINT32_MAX
                                                                   : (uint32_t)tenths;
}

static int compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

static double percentile_ms(const load_result *self, double part)
{
    if (self->latency_count == 0) {
        return 0;
    }
    size_t at = (size_t)(part * (double)(self->latency_count - 1) + 0.5);
    return self->latencies[at] / 1e4;
}

void load_report(load_result *self, const char *title)
{
    if (self->latency_count > 0) {
        qsort(self->latencies, self->latency_count, sizeof *self->latencies, compare);
    }
    printf("{\"run\": \"%s\", \"requests\": %" PRId64 ", \"records\": %" PRId64
           ", \"bytes\": %" PRId64 ", \"errors\": %" PRId64
           ", \"seconds\": %.6f, \"cpu\": %.3f, \"p50\": %.4f, \"p99\": %.4f, "
           "\"p999\": %.4f, \"max\": %.4f}\n",
           title, self->requests, self->records, self->bytes, self->errors,
           self->seconds, self->cpu_seconds, percentile_ms(self, 0.5),
           percentile_ms(self, 0.99), percentile_ms(self, 0.999),
           percentile_ms(self, 1));
    free(self->latencies);
}
