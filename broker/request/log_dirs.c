/* DescribeLogDirs and AlterReplicaLogDirs: which partition lies in which directory. */
#include "base/memory.h"
#include "broker/request/handler.h"
#include <sys/statvfs.h>

/* ---- DescribeLogDirs ------------------------------------------------------------- */

typedef describe_log_dirs_response_topic described_topic;

/* Partitions of a topic, those that were asked for (NULL: all) and lie in `dir`. */
static void describe_topic(request *self, const topic *of, const log_dir *dir,
                           const describe_log_dirs_request_topic *wanted,
                           described_topic *answer)
{
    size_t count =
        wanted != NULL ? wanted->partitions.count : (size_t)of->partition_count;
    answer->name = request_copy_text(self, (message_text){of->name, of->name_len});
    RESPONSE_ARRAY(self, answer->partitions, count);
    answer->partitions.count = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t number = wanted != NULL ? wanted->partitions.items[i] : (int32_t)i;
        partition *log = topic_partition(of, number);
        if (log != NULL && partition_dir(log) == dir) {
            answer->partitions.items[answer->partitions.count++] =
                (describe_log_dirs_response_partition){
                    .partition_index = number, .partition_size = partition_size(log)};
        }
    }
}

typedef struct asked_topics {
    topic **found;                                 /* NULL: there is no such topic. */
    const describe_log_dirs_request_topic *wanted; /* One for each; NULL: all. */
    size_t count;
} asked_topics;

static void describe_dir(request *self, log_dir *dir, const asked_topics *asked,
                         describe_log_dirs_response_result *answer)
{
    const char *path = log_dir_path(dir);
    struct statvfs disk;
    answer->log_dir = message_text_of(path);
    if (statvfs(path, &disk) == 0) {
        answer->total_bytes = (int64_t)(disk.f_blocks * disk.f_frsize);
        answer->usable_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
    }
    RESPONSE_ARRAY(self, answer->topics, asked->count);
    answer->topics.count = 0;
    for (size_t i = 0; i < asked->count; i++) {
        described_topic *one = &answer->topics.items[answer->topics.count];
        if (asked->found[i] != NULL) {
            describe_topic(self, asked->found[i], dir,
                           asked->wanted != NULL ? &asked->wanted[i] : NULL, one);
            answer->topics.count += one->partitions.count > 0;
        }
    }
}

static asked_topics find_topics(request *self, const describe_log_dirs_request *asked)
{
    asked_topics found = {.count = asked->topics.count};
    if (asked->topics.items == NULL) {
        found.found = topic_set_list(parts_of(self)->topics, &found.count);
        return found;
    }
    found.wanted = asked->topics.items;
    found.found = memory_zero(found.count * sizeof *found.found);
    for (size_t i = 0; i < found.count; i++) {
        int16_t code;
        found.found[i] = topic_asked_for(self, found.wanted[i].topic, NULL, &code);
    }
    return found;
}

void handle_describe_log_dirs(request *self, const void *message)
{
    const broker_parts *parts = parts_of(self);
    asked_topics topics = find_topics(self, message);
    describe_log_dirs_response response;
    describe_log_dirs_response_init(&response);
    RESPONSE_ARRAY(self, response.results, parts->dir_count);
    for (size_t i = 0; i < parts->dir_count; i++) {
        response.results.items[i] = describe_log_dirs_response_result_defaults;
        describe_dir(self, parts->dirs[i], &topics, &response.results.items[i]);
    }
    topic_list_free(topics.found, topics.count);
    request_answer(self, self->header.api_version, &response);
}

/* ---- AlterReplicaLogDirs --------------------------------------------------------- */

/* A partition may be where it is to go; moving it while it is used is not done. */
static int16_t move(const request *self, const topic *found, int32_t number,
                    message_text path)
{
    const broker_parts *parts = parts_of(self);
    const log_dir *to = NULL;
    for (size_t i = 0; i < parts->dir_count; i++) {
        to = message_text_is(path, log_dir_path(parts->dirs[i])) ? parts->dirs[i] : to;
    }
    partition *log = found == NULL ? NULL : topic_partition(found, number);
    return to == NULL                 ? ERROR_LOG_DIR_NOT_FOUND
           : log == NULL              ? ERROR_UNKNOWN_TOPIC_OR_PARTITION
           : partition_dir(log) == to ? ERROR_NONE
                                      : ERROR_INVALID_REQUEST;
}

static void move_topic(request *self, message_text path,
                       const alter_replica_log_dirs_request_topic *wanted,
                       alter_replica_log_dirs_response_result *answer)
{
    int16_t code;
    topic *found = topic_asked_for(self, wanted->name, NULL, &code);
    answer->topic_name = wanted->name;
    RESPONSE_ARRAY(self, answer->partitions, wanted->partitions.count);
    for (size_t i = 0; i < wanted->partitions.count; i++) {
        int32_t number = wanted->partitions.items[i];
        answer->partitions.items[i] = (alter_replica_log_dirs_response_partition){
            .partition_index = number, .error_code = move(self, found, number, path)};
    }
    topic_unref(found);
}

void handle_alter_replica_log_dirs(request *self, const void *message)
{
    const alter_replica_log_dirs_request *asked = message;
    alter_replica_log_dirs_response response;
    alter_replica_log_dirs_response_init(&response);
    size_t count = 0;
    for (size_t i = 0; i < asked->dirs.count; i++) {
        count += asked->dirs.items[i].topics.count;
    }
    RESPONSE_ARRAY(self, response.results, count);
    count = 0;
    for (size_t i = 0; i < asked->dirs.count; i++) {
        const alter_replica_log_dirs_request_dir *dir = &asked->dirs.items[i];
        for (size_t j = 0; j < dir->topics.count; j++) {
            move_topic(self, dir->path, &dir->topics.items[j],
                       &response.results.items[count++]);
        }
    }
    request_answer(self, self->header.api_version, &response);
}
