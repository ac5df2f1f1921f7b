/* What every Kafka client is told, and where its log lines go. */
#include "worker/host/kafka_common.h"
#include <sluice/log.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static sluice_level level_of(int syslog_level)
{
    return syslog_level <= 3   ? SLUICE_ERROR
           : syslog_level == 4 ? SLUICE_WARN
           : syslog_level <= 6 ? SLUICE_INFO
                               : SLUICE_DEBUG;
}

static void log_line(const rd_kafka_t *client, int level, const char *facility,
                     const char *text)
{
    sluice_log(level_of(level), "worker.client", "%s: %s",
               client == NULL ? facility : rd_kafka_name(client), text);
}

/* reconnect.backoff.*: Java's; librdkafka would wait up to 10 s for a broker that is
 * back. socket.nagle.disable: librdkafka leaves Nagle on, at 40 ms a round trip.
 * log.connection.close: brokers close idle connections, which is no news. */
static const char *const always[] = {"socket.nagle.disable",
                                     "true",
                                     "log.connection.close",
                                     "false",
                                     "socket.keepalive.enable",
                                     "true",
                                     "reconnect.backoff.ms",
                                     "50",
                                     "reconnect.backoff.max.ms",
                                     "1000",
                                     NULL};

static void set_all(rd_kafka_conf_t *conf, const char *const *pairs)
{
    for (; *pairs != NULL; pairs += 2) {
        char reason[256];
        if (rd_kafka_conf_set(conf, pairs[0], pairs[1], reason, sizeof reason) !=
            RD_KAFKA_CONF_OK) {
            sluice_log(SLUICE_ERROR, "worker.client", "%s", reason);
        }
    }
}

rd_kafka_conf_t *kafka_conf_new(client_kind kind, const char *const *ours,
                                const sluice_props *settings, sluice_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, log_line);
    set_all(conf, always);
    set_all(conf, ours);
    if (client_settings_apply(kind, settings, conf, err) != SLUICE_OK) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    return conf;
}

int kafka_queue_fd(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void kafka_queue_join(rd_kafka_queue_t *queue, int fd)
{
    static const uint64_t one = 1;
    if (fd >= 0) {
        rd_kafka_queue_io_event_enable(queue, fd, &one, sizeof one);
        /* What is there already has rung no bell, and nothing behind it would. */
        (void)!write(fd, &one, sizeof one);
    }
}

void kafka_queue_fd_clear(int fd)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof count);
}
