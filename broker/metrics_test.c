/* The page of metrics, asked for over HTTP while the broker works. */
#include "broker/in_process.h"
#include "broker/log/record_batch.h"

static void begin_with_metrics(void)
{
    begin();
    broker_stop(running);
    properties_set(given, "metrics.listener", "127.0.0.1:0");
    start();
}

/* What the server answers to `request`, until it closes; NUL-ended, in the arena. */
static char *http(const char *request)
{
    const char *colon = strrchr(broker_metrics_url(running), ':');
    int port = 0;
    for (const char *digit = colon + 1; *digit >= '0' && *digit <= '9'; digit++) {
        port = port * 10 + (*digit - '0');
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK_INT(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    enum { room = 1 << 20 };
    char *text = sluice_arena_take(arena, room);
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, text + len, room - 1 - len, 0)) > 0) {
        len += (size_t)got;
    }
    text[len] = '\0';
    close(fd);
    return text;
}

static char *scrape_page_now(void)
{
    char *answer = http("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
    return answer;
}

static void check_line(const char *page, const char *line)
{
    char *wanted = sluice_arena_print(arena, NULL, "\n%s\n", line);
    if (strstr(page, wanted) == NULL) {
        printf("# the page has no line '%s'\n", line);
    }
    CHECK(strstr(page, wanted) != NULL);
}

static int16_t produce(int fd, const char *topic_name, int records)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    for (int i = 0; i < records; i++) {
        record_batch_writer_add(&writer, 1700000000000, (sluice_bytes){NULL, 0},
                                (sluice_bytes){"value", 5});
    }
    record_batch_writer_finish(&writer);
    produce_request_partition asked_partition = {
        .index = 0, .records = {.base = writer.base, .len = writer.size}};
    produce_request_topic asked_topic = {.name = message_text_of(topic_name),
                                         .partitions = {&asked_partition, 1}};
    produce_request asked = {
        .acks = 1, .timeout_ms = 1000, .topics = {&asked_topic, 1}};
    produce_response got;
    ask(fd, API_PRODUCE, 9, &asked, &got);
    record_batch_writer_done(&writer);
    return got.responses.items[0].partition_responses.items[0].error_code;
}

TEST(what_producers_and_the_log_do_is_shown)
{
    begin_with_metrics();
    int fd = connect_client();
    create_topic(fd, "a", 2);
    CHECK_INT(produce(fd, "a", 3), ERROR_NONE);
    CHECK_INT(produce(fd, "a", 4), ERROR_NONE);
    const char *page = scrape_page_now();
    check_line(page, "kafka_server_brokertopicmetrics_messagesin_total{topic=\"a\"} 7");
    check_line(page, "kafka_server_brokertopicmetrics_totalproducerequests_total{topic="
                     "\"a\"} 2");
    check_line(page, "kafka_log_log_logendoffset{topic=\"a\",partition=\"0\"} 7");
    check_line(page, "kafka_log_log_size{topic=\"a\",partition=\"1\"} 0");
    check_line(page,
               "kafka_network_requestmetrics_requests_total{request=\"Produce\"} 2");
    check_line(page,
               "kafka_network_requestmetrics_totaltimems_count{request=\"Produce\"} 2");
    check_line(page, "kafka_server_socket_server_metrics_connection_count 1");
    check_line(page, "kafka_controller_kafkacontroller_globaltopiccount 2");
    CHECK(strstr(page, "\nprocess_resident_memory_bytes ") != NULL);
    close(fd);
    end();
}

TEST(the_sums_keep_what_deleted_topics_have_had)
{
    begin_with_metrics();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    CHECK_INT(produce(fd, "a", 5), ERROR_NONE);
    message_text name = message_text_of("a");
    delete_topics_request deletion = {.topic_names = {&name, 1}, .timeout_ms = 1000};
    delete_topics_response got;
    ask(fd, API_DELETE_TOPICS, 5, &deletion, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_NONE);
    const char *page = scrape_page_now();
    check_line(page, "kafka_server_brokertopicmetrics_messagesin_total 5");
    CHECK(strstr(page, "topic=\"a\"") == NULL);
    close(fd);
    end();
}

TEST(a_request_that_waits_is_in_the_purgatory)
{
    begin_with_metrics();
    int fd = connect_client();
    create_topic(fd, "a", 1);
    fetch_request_partition asked_partition = fetch_request_partition_defaults;
    asked_partition.partition_max_bytes = 1000;
    fetch_request_topic asked_topic = {.topic = message_text_of("a"),
                                       .partitions = {&asked_partition, 1}};
    fetch_request asked;
    fetch_request_init(&asked);
    asked.max_wait_ms = 60000;
    asked.min_bytes = 1;
    asked.topics.items = &asked_topic;
    asked.topics.count = 1;
    send_message(fd, API_FETCH, 12, &asked);
    const char *wanted =
        "kafka_server_delayedoperationpurgatory_purgatorysize{delayedOperation="
        "\"Fetch\"} 1\n";
    int tries = 1000;
    while (strstr(scrape_page_now(), wanted) == NULL && tries > 0) {
        sluice_arena_reset(arena);
        tries--;
    }
    CHECK(tries > 0);
    close(fd);
    end();
}

TEST(fetch_sessions_are_counted)
{
    begin_with_metrics();
    int fd = connect_client();
    create_topic(fd, "a", 3);
    fetch_request_partition partitions[3];
    for (int32_t i = 0; i < 3; i++) {
        partitions[i] = fetch_request_partition_defaults;
        partitions[i].partition = i;
    }
    fetch_request_topic asked_topic = {.topic = message_text_of("a"),
                                       .partitions = {partitions, 3}};
    fetch_request asked;
    fetch_request_init(&asked);
    asked.session_epoch = 0;
    asked.topics.items = &asked_topic;
    asked.topics.count = 1;
    fetch_response got;
    ask(fd, API_FETCH, 12, &asked, &got);
    const char *page = scrape_page_now();
    check_line(page, "kafka_server_fetchsessioncache_numincrementalfetchsessions 1");
    check_line(page,
               "kafka_server_fetchsessioncache_numincrementalfetchpartitionscached 3");
    check_line(
        page,
        "kafka_server_fetchsessioncache_incrementalfetchsessionevictions_total 0");
    close(fd);
    end();
}

TEST(other_requests_are_refused_and_harm_nothing)
{
    begin_with_metrics();
    CHECK(strncmp(http("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404", 12) == 0);
    CHECK(strncmp(http("POST /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405", 12) == 0);
    CHECK(strncmp(http("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200", 12) == 0);
    char *huge = sluice_arena_take(arena, 4097);
    memset(huge, 'x', 4095);
    huge[4095] = '\0';
    CHECK(strncmp(http(huge), "HTTP/1.1 431", 12) == 0);
    const char *head = http("HEAD /metrics HTTP/1.1\r\n\r\n");
    CHECK(strncmp(head, "HTTP/1.1 200", 12) == 0);
    CHECK_TEXT(strstr(head, "\r\n\r\n"), "\r\n\r\n");
    end();
}

TEST_MAIN
