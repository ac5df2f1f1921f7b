/* broker/in_process.h - a broker in the process of a test, and a client that speaks
 * with the protocol's codec.
 *
 *     begin();
 *     int fd = connect_client();
 *     ask(fd, API_HEARTBEAT, 4, &asked, &got);
 *     close(fd);
 *     end();
 */
#ifndef SLUICE_BROKER_IN_PROCESS_H
#define SLUICE_BROKER_IN_PROCESS_H

#include "broker/broker.h"
#include "protocol/error_code.h"
#include "protocol/header.h"
#include "protocol/messages.h"
#include "protocol/wire.h"
#include "test.h"
#include <arpa/inet.h>
#include <ftw.h>
#include <sluice/log.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[64];
static properties *given;
static broker *running;
static sluice_arena *arena;
static int32_t correlation;

__attribute__((unused)) static int
remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    return remove(path);
}

__attribute__((unused)) static void start(void)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = broker_start(given, &running, err);
    CHECK_TEXT(sluice_error_text(err), "");
    CHECK(status == SLUICE_OK);
    sluice_error_free(err);
}

__attribute__((unused)) static void begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/broker-test-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    given = properties_new();
    properties_set(given, "listeners", "PLAINTEXT://127.0.0.1:0");
    properties_set(given, "log.dirs", folder);
    sluice_log_set_level("broker", SLUICE_OFF);
    arena = sluice_arena_new();
    start();
}

__attribute__((unused)) static void end(void)
{
    broker_stop(running);
    properties_free(given);
    sluice_arena_free(arena);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static int connect_client(void)
{
    const char *colon = strrchr(broker_address(running, 0), ':');
    int port = 0;
    for (const char *digit = colon + 1; *digit != '\0'; digit++) {
        port = port * 10 + (*digit - '0');
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

__attribute__((unused)) static void send_message(int fd, api_key key, int version,
                                                 const void *asked)
{
    output out;
    output_init(&out);
    CHECK(request_encode(message_api_find((int16_t)key), version, ++correlation,
                         message_text_of("test"), asked, &out, NULL) == SLUICE_OK);
    uint8_t *bytes = sluice_arena_take(arena, output_size(&out));
    output_copy(&out, bytes);
    CHECK_INT(send(fd, bytes, output_size(&out), MSG_NOSIGNAL), output_size(&out));
    output_done(&out);
}

/* Receives the answer as `version` and leaves nothing over. */
__attribute__((unused)) static void receive_message(int fd, api_key key, int version,
                                                    void *ret_response)
{
    const message_api *api = message_api_find((int16_t)key);
    uint8_t head[4];
    CHECK_INT(recv(fd, head, sizeof head, MSG_WAITALL), 4);
    size_t size = wire_get_32(head), at;
    uint8_t *frame = sluice_arena_take(arena, size);
    CHECK_INT(recv(fd, frame, size, MSG_WAITALL), size);
    int32_t id;
    CHECK(response_header_decode(frame, size, api, version, &id, &at, NULL) ==
          SLUICE_OK);
    CHECK_INT(id, correlation);
    sluice_error *err = sluice_error_new();
    message_decode(api->response, version, frame + at, size - at, arena, ret_response,
                   err);
    CHECK_TEXT(sluice_error_text(err), "");
    sluice_error_free(err);
    output again;
    output_init(&again);
    CHECK(message_encode(api->response, version, ret_response, &again, NULL) ==
          SLUICE_OK);
    CHECK_INT(output_size(&again), size - at);
    output_done(&again);
}

__attribute__((unused)) static void ask(int fd, api_key key, int version,
                                        const void *asked, void *ret_response)
{
    send_message(fd, key, version, asked);
    receive_message(fd, key, version, ret_response);
}

__attribute__((unused)) static void create_topic(int fd, const char *name,
                                                 int32_t partitions)
{
    create_topics_request_topic asked_topic = create_topics_request_topic_defaults;
    asked_topic.name = message_text_of(name);
    asked_topic.num_partitions = partitions;
    asked_topic.replication_factor = -1;
    create_topics_request asked = {.topics = {&asked_topic, 1}, .timeout_ms = 1000};
    create_topics_response got;
    ask(fd, API_CREATE_TOPICS, 7, &asked, &got);
    CHECK_INT(got.topics.items[0].error_code, ERROR_NONE);
}

#endif
