/* Kafka's exceptions are named after its codes, but for some. */
#include "admin_error.h"
#include "base/text.h"
#include "protocol/error_code.h"
#include <ctype.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    int16_t code;
    const char *name;
} odd_classes[] = {
    {ERROR_UNKNOWN_SERVER_ERROR, "UnknownServer"},
    {ERROR_MESSAGE_TOO_LARGE, "RecordTooLarge"},
    {ERROR_REQUEST_TIMED_OUT, "Timeout"},
    {ERROR_TOPIC_ALREADY_EXISTS, "TopicExists"},
    {ERROR_INVALID_TOPIC_EXCEPTION, "InvalidTopic"},
    {ERROR_INVALID_CONFIG, "InvalidConfiguration"},
    {ERROR_NON_EMPTY_GROUP, "GroupNotEmpty"},
    {ERROR_CORRUPT_MESSAGE, "CorruptRecord"},
    {ERROR_NETWORK_EXCEPTION, "Network"},
    {ERROR_KAFKA_STORAGE_ERROR, "KafkaStorage"},
    {ERROR_OFFSET_METADATA_TOO_LARGE, "OffsetMetadataTooLarge"},
};

/* What Kafka's tools print where the broker sends a code and no sentence. */
static const struct {
    int16_t code;
    const char *text;
} texts[] = {
    {ERROR_UNKNOWN_TOPIC_OR_PARTITION,
     "This server does not host this topic-partition."},
    {ERROR_OFFSET_OUT_OF_RANGE, "The requested offset is not within the range of "
                                "offsets maintained by the server."},
    {ERROR_NON_EMPTY_GROUP, "The group is not empty."},
    {ERROR_GROUP_ID_NOT_FOUND, "The group id does not exist."},
    {ERROR_ELECTION_NOT_NEEDED, "Leader election not needed for topic partition."},
    {ERROR_PREFERRED_LEADER_NOT_AVAILABLE, "The preferred leader was not available."},
    {ERROR_GROUP_SUBSCRIBED_TO_TOPIC,
     "Deleting offsets of a topic is forbidden while the consumer group is actively "
     "subscribed to it."},
    {ERROR_POLICY_VIOLATION,
     "Request parameters do not satisfy the configured policy."},
    {ERROR_INVALID_TOPIC_EXCEPTION,
     "The request attempted to perform an operation on an invalid topic."},
    {ERROR_SECURITY_DISABLED, "Security features are disabled."},
};

const char *admin_code_text(int16_t code)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].code == code) {
            return texts[i].text;
        }
    }
    const char *text = rd_kafka_err2str((rd_kafka_resp_err_t)code);
    return text_starts(text, "Broker: ") ? text + strlen("Broker: ") : text;
}

/* UNKNOWN_TOPIC_ID becomes UnknownTopicId. */
static void camel(const char *name, char *out, size_t room)
{
    size_t len = 0;
    bool first = true;
    for (; *name != '\0' && len + 1 < room; name++) {
        if (*name == '_') {
            first = true;
            continue;
        }
        out[len++] = (char)(first ? *name : tolower((unsigned char)*name));
        first = false;
    }
    out[len] = '\0';
}

void admin_code_class(int16_t code, char ret_class[ADMIN_CLASS_SIZE])
{
    char name[64];
    camel(error_code_name(code), name, sizeof name);
    for (size_t i = 0; i < sizeof odd_classes / sizeof *odd_classes; i++) {
        if (odd_classes[i].code == code) {
            snprintf(name, sizeof name, "%s", odd_classes[i].name);
        }
    }
    if (code == ERROR_NONE) {
        snprintf(ret_class, ADMIN_CLASS_SIZE, "java.lang.IllegalArgumentException");
        return;
    }
    snprintf(ret_class, ADMIN_CLASS_SIZE, "org.apache.kafka.common.errors.%sException",
             name);
}

bool admin_code_passes(int16_t code)
{
    switch (code) {
    case ERROR_LEADER_NOT_AVAILABLE:
    case ERROR_NOT_LEADER_OR_FOLLOWER:
    case ERROR_REQUEST_TIMED_OUT:
    case ERROR_BROKER_NOT_AVAILABLE:
    case ERROR_COORDINATOR_LOAD_IN_PROGRESS:
    case ERROR_COORDINATOR_NOT_AVAILABLE:
    case ERROR_NOT_COORDINATOR:
    case ERROR_NOT_CONTROLLER:
        return true;
    default:
        return false;
    }
}

sluice_status admin_refused(sluice_error *err, int16_t code, message_text message)
{
    if (message.len > 0) {
        return sluice_fail(err, SLUICE_FATAL, "%.*s", (int)message.len, message.base);
    }
    return sluice_fail(err, SLUICE_FATAL, "%s", admin_code_text(code));
}

void admin_print_time(char ret_text[32])
{
    struct timespec now;
    struct tm parts;
    char whole[24];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(whole, sizeof whole, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(ret_text, 32, "%s,%03u", whole, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

void admin_log_refusal(const char *logger, int16_t code, const char *text)
{
    char time[32];
    char class[ADMIN_CLASS_SIZE];
    admin_print_time(time);
    admin_code_class(code, class);
    fprintf(stderr, "[%s] ERROR %s: %s\n (%s)\n", time, class, text, logger);
}
