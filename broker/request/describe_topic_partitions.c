/* DescribeTopicPartitions: topics in the order of their names, so many partitions at a
 * time; a cursor says where the next answer goes on. */
#include "broker/request/handler.h"
#include <stdlib.h>
#include <string.h>

enum { partitions_max = 2000 }; /* Kafka's max.request.partition.size.limit. */

typedef describe_topic_partitions_response_topic described_topic;

typedef struct description {
    request *owner;
    const describe_topic_partitions_request_cursor *from; /* NULL: the first topic. */
    describe_topic_partitions_response response;
    size_t left; /* Partitions that still fit. */
    bool over;   /* The next cursor is set. */
} description;

static int compare_texts(message_text a, message_text b)
{
    int order = memcmp(a.base, b.base, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b)
{
    return compare_texts(*(const message_text *)a, *(const message_text *)b);
}

static message_text name_of(const topic *self)
{
    return (message_text){self->name, self->name_len};
}

static void describe_partition(request *self, const topic *of, int32_t number,
                               describe_topic_partitions_response_partition *answer)
{
    *answer = describe_topic_partitions_response_partition_defaults;
    answer->partition_index = number;
    answer->leader_id = parts_of(self)->config->node_id;
    answer->leader_epoch = partition_leader_epoch(of->partitions[number]);
    RESPONSE_ARRAY(self, answer->replica_nodes, 1);
    answer->replica_nodes.items[0] = answer->leader_id;
    answer->isr_nodes.items = answer->replica_nodes.items;
    answer->isr_nodes.count = 1;
    RESPONSE_ARRAY(self, answer->eligible_leader_replicas, 0);
    RESPONSE_ARRAY(self, answer->last_known_elr, 0);
}

/* The next answer starts with this partition. */
static void stop_at(description *self, message_text name, int32_t number)
{
    RESPONSE_ARRAY(self->owner, self->response.next_cursor, 1);
    self->response.next_cursor.items->topic_name = request_copy_text(self->owner, name);
    self->response.next_cursor.items->partition_index = number;
    self->over = true;
}

static described_topic *add_topic(description *self, message_text name)
{
    described_topic *answer =
        &self->response.topics.items[self->response.topics.count++];
    *answer = describe_topic_partitions_response_topic_defaults;
    answer->name = request_copy_text(self->owner, name);
    answer->topic_authorized_operations = topic_operations;
    return answer;
}

static void describe_known(description *self, const topic *of)
{
    message_text name = name_of(of);
    int32_t first =
        self->from != NULL && message_text_equal(name, self->from->topic_name)
            ? self->from->partition_index
            : 0;
    if (self->left == 0) {
        stop_at(self, name, 0);
        return;
    }
    described_topic *answer = add_topic(self, name);
    answer->topic_id = message_uuid_of(&of->id);
    answer->is_internal = of->internal;
    if (first >= of->partition_count) {
        return;
    }
    size_t count = (size_t)(of->partition_count - first);
    if (count > self->left) {
        count = self->left;
        stop_at(self, name, first + (int32_t)count);
    }
    self->left -= count;
    RESPONSE_ARRAY(self->owner, answer->partitions, count);
    for (size_t i = 0; i < count; i++) {
        describe_partition(self->owner, of, first + (int32_t)i,
                           &answer->partitions.items[i]);
    }
}

static void describe_named(description *self, message_text name)
{
    int16_t code;
    topic *found = topic_asked_for(self->owner, name, NULL, &code);
    if (found != NULL) {
        describe_known(self, found);
        topic_unref(found);
    } else {
        add_topic(self, name)->error_code = topic_name_is_legal(name.base, name.len)
                                                ? code
                                                : ERROR_INVALID_TOPIC_EXCEPTION;
    }
}

static bool is_before_cursor(const description *self, message_text name)
{
    return self->from != NULL && compare_texts(name, self->from->topic_name) < 0;
}

static void describe_all(description *self)
{
    size_t count;
    topic **list = topic_set_list(parts_of(self->owner)->topics, &count);
    RESPONSE_ARRAY(self->owner, self->response.topics, count);
    self->response.topics.count = 0;
    for (size_t i = 0; i < count && !self->over; i++) {
        if (!is_before_cursor(self, name_of(list[i]))) {
            describe_known(self, list[i]);
        }
    }
    topic_list_free(list, count);
}

/* The names sorted; one that comes twice is described once. */
static void describe_some(description *self, message_text *names, size_t count)
{
    RESPONSE_ARRAY(self->owner, self->response.topics, count);
    self->response.topics.count = 0;
    for (size_t i = 0; i < count && !self->over; i++) {
        bool again = i > 0 && message_text_equal(names[i], names[i - 1]);
        if (!again && !is_before_cursor(self, names[i])) {
            describe_named(self, names[i]);
        }
    }
}

static bool cursor_is_good(const description *self, const message_text *names,
                           size_t count)
{
    bool named = self->from == NULL || count == 0;
    for (size_t i = 0; i < count && !named; i++) {
        named = message_text_equal(names[i], self->from->topic_name);
    }
    return named && (self->from == NULL || self->from->partition_index >= 0);
}

/* What Kafka does with a cursor that cannot be: each topic has the error. */
static void refuse_all(description *self, const message_text *names, size_t count)
{
    RESPONSE_ARRAY(self->owner, self->response.topics, count);
    self->response.topics.count = 0;
    for (size_t i = 0; i < count; i++) {
        described_topic *answer = add_topic(self, names[i]);
        answer->error_code = ERROR_INVALID_REQUEST;
        answer->topic_authorized_operations = INT32_MIN;
    }
}

void handle_describe_topic_partitions(request *self, const void *message)
{
    const describe_topic_partitions_request *asked = message;
    int32_t limit = asked->response_partition_limit;
    description one = {.owner = self,
                       .from = asked->cursor.items,
                       .left = limit < 1                ? 1
                               : limit > partitions_max ? partitions_max
                                                        : (size_t)limit};
    describe_topic_partitions_response_init(&one.response);
    size_t count = asked->topics.count;
    message_text *names = request_items(self, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = asked->topics.items[i].name;
    }
    qsort(names, count, sizeof *names, by_name);
    if (!cursor_is_good(&one, names, count)) {
        refuse_all(&one, names, count);
    } else if (count == 0) {
        describe_all(&one);
    } else {
        describe_some(&one, names, count);
    }
    request_answer(self, self->header.api_version, &one.response);
}
