/* Committed offsets: commit, delete, expire. */
#include "broker/group/offsets.h"
#include "base/memory.h"
#include "broker/group/answer.h"
#include "broker/group/rebalance.h"
#include "broker/group/subscription.h"
#include <stdlib.h>
#include <string.h>

/* ---- The book ------------------------------------------------------------------- */

static size_t place_of(const group_topic *topic, int32_t partition)
{
    size_t low = 0, high = topic->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic->partitions[middle]->partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static group_committed *find_in(const group_topic *topic, int32_t partition)
{
    size_t place = place_of(topic, partition);
    if (place == topic->count || topic->partitions[place]->partition != partition) {
        return NULL;
    }
    return topic->partitions[place];
}

group_committed *group_offsets_find(const group *self, sluice_bytes topic,
                                    int32_t partition)
{
    const group_topic *found = map_get(&self->topics, topic.base, topic.len);
    return found == NULL ? NULL : find_in(found, partition);
}

static group_topic *topic_make(group *self, sluice_bytes name)
{
    group_topic *topic = map_get(&self->topics, name.base, name.len);
    if (topic == NULL) {
        topic = memory_zero(sizeof *topic);
        topic->name = group_bytes_copy(name);
        map_put(&self->topics, name.base, name.len, topic);
    }
    return topic;
}

void group_offsets_announce(group *self, const group_offset_write *write)
{
    group_topic *topic = topic_make(self, write->topic);
    group_committed *committed = find_in(topic, write->partition);
    if (committed == NULL) {
        if (topic->count == topic->room) {
            topic->room = topic->room == 0 ? 4 : 2 * topic->room;
            topic->partitions =
                memory_resize(topic->partitions, topic->room * sizeof committed);
        }
        committed = memory_zero(sizeof *committed);
        committed->partition = write->partition;
        size_t place = place_of(topic, write->partition);
        memmove(&topic->partitions[place + 1], &topic->partitions[place],
                (topic->count - place) * sizeof committed);
        topic->partitions[place] = committed;
        topic->count++;
    }
    committed->writes++;
}

static void topic_free(group_topic *topic)
{
    for (size_t i = 0; i < topic->count; i++) {
        group_bytes_free(&topic->partitions[i]->metadata);
        free(topic->partitions[i]);
    }
    free(topic->partitions);
    group_bytes_free(&topic->name);
    free(topic);
}

/* Takes an entry out that has neither a value nor a write under way. */
static void entry_drop(group *self, sluice_bytes name, int32_t partition)
{
    group_topic *topic = map_get(&self->topics, name.base, name.len);
    size_t place = place_of(topic, partition);
    group_bytes_free(&topic->partitions[place]->metadata);
    free(topic->partitions[place]);
    topic->count--;
    memmove(&topic->partitions[place], &topic->partitions[place + 1],
            (topic->count - place) * sizeof(group_committed *));
    if (topic->count == 0) {
        map_remove(&self->topics, name.base, name.len);
        topic_free(topic);
    }
}

static void entry_set(group_committed *committed, const group_offset_write *write)
{
    group_bytes_free(&committed->metadata);
    committed->present = !write->tombstone;
    if (committed->present) {
        committed->offset = write->offset;
        committed->leader_epoch = write->leader_epoch;
        committed->metadata = group_bytes_copy(write->metadata);
        committed->commit_ms = write->commit_ms;
        committed->expire_ms = write->expire_ms;
    }
}

void group_offsets_apply(group *self, const group_offset_write *write, uint64_t token,
                         bool durable)
{
    group_committed *committed =
        group_offsets_find(self, write->topic, write->partition);
    committed->writes--;
    if (durable && token >= committed->newest) {
        committed->newest = token;
        entry_set(committed, write);
    }
    if (!committed->present && committed->writes == 0) {
        entry_drop(self, write->topic, write->partition);
    }
}

void group_offsets_free(group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        topic_free(entry->value);
    }
    map_done(&self->topics);
}

/* ---- Commit --------------------------------------------------------------------- */

/* Whether the group takes this commit; its member, if it is one's. */
static int16_t commit_check(const group *self, const group_commit *commit,
                            group_member **ret_member)
{
    bool simple = commit->generation < 0;
    *ret_member = NULL;
    if (simple && self->state == GROUP_EMPTY) {
        return ERROR_NONE; /* A tool, or a consumer that assigns its partitions. */
    }
    if (simple && commit->member_id.len == 0 && commit->instance_id.base == NULL) {
        return ERROR_UNKNOWN_MEMBER_ID; /* It would undo what members commit. */
    }
    int16_t error_code =
        group_check_member(self, commit->member_id, commit->instance_id, ret_member);
    if (error_code != ERROR_NONE) {
        return error_code;
    }
    if (commit->generation != self->generation) {
        return ERROR_ILLEGAL_GENERATION;
    }
    return self->state == GROUP_COMPLETING_REBALANCE ? ERROR_REBALANCE_IN_PROGRESS
                                                     : ERROR_NONE;
}

/* All partitions get `error_code`, except those that have one already. */
static void commit_refuse(group_core *core, group_request request,
                          const group_commit *commit, int16_t error_code)
{
    int16_t *codes = group_codes(core, commit->partition_count);
    for (size_t i = 0; i < commit->partition_count; i++) {
        int16_t own = commit->partitions[i].error_code;
        codes[i] = own != ERROR_NONE ? own : error_code;
    }
    group_answer_codes(core, GROUP_COMMIT, request, ERROR_NONE, codes,
                       commit->partition_count);
}

static group_offset_write write_of(const group_core *core, const group_commit *commit,
                                   const group_commit_partition *partition)
{
    int64_t now_ms = core->now.wall_ms;
    bool own_expiry = commit->retention_ms >= 0;
    if (own_expiry && commit->retention_ms > INT64_MAX - now_ms) {
        own_expiry = false; /* So long that it is the same. */
    }
    group_offset_write write = {
        .topic = partition->topic,
        .partition = partition->partition,
        .leader_epoch = partition->leader_epoch,
        .offset = partition->offset,
        .metadata = partition->metadata,
        .commit_ms = now_ms,
        .expire_ms = own_expiry ? now_ms + commit->retention_ms : -1,
    };
    if (write.metadata.base == NULL) {
        write.metadata = (sluice_bytes){"", 0}; /* As Kafka stores it. */
    }
    return write;
}

static int16_t commit_partition_check(const group_core *core,
                                      const group_commit_partition *partition)
{
    if (partition->topic.len > INT16_MAX) {
        return ERROR_INVALID_TOPIC_EXCEPTION;
    }
    return partition->metadata.len > (size_t)core->config.offset_metadata_bytes_max
               ? ERROR_OFFSET_METADATA_TOO_LARGE
               : ERROR_NONE;
}

static void commit_store(group *self, group_request request, const group_commit *commit)
{
    group_core *core = self->core;
    size_t count = commit->partition_count, kept = 0;
    int16_t *codes = group_codes(core, count);
    group_offset_write *writes =
        sluice_arena_take(core->actions->arena, count * sizeof *writes);
    for (size_t i = 0; i < count; i++) {
        const group_commit_partition *partition = &commit->partitions[i];
        codes[i] = partition->error_code;
        if (codes[i] == ERROR_NONE) {
            codes[i] = commit_partition_check(core, partition);
        }
        if (codes[i] == ERROR_NONE) {
            writes[kept++] = write_of(core, commit, partition);
        }
    }
    if (kept == 0) {
        group_answer_codes(core, GROUP_COMMIT, request, ERROR_NONE, codes, count);
        group_forget_if_void(self);
        return;
    }
    group_append_offsets(self, GROUP_COMMIT, request, codes, count, writes, kept);
    group_expire_later(core);
}

void group_handle_commit(group_core *core, group_request request,
                         const group_commit *commit)
{
    if (commit->group_id.len > INT16_MAX) {
        commit_refuse(core, request, commit, ERROR_INVALID_GROUP_ID);
        return;
    }
    group *self = group_find(core, commit->group_id);
    if (self == NULL && commit->generation >= 0) {
        commit_refuse(core, request, commit,
                      commit->names_missing_group ? ERROR_GROUP_ID_NOT_FOUND
                                                  : ERROR_ILLEGAL_GENERATION);
        return;
    }
    if (self == NULL) {
        self = group_create(core, commit->group_id);
    }
    group_member *member;
    int16_t error_code = commit_check(self, commit, &member);
    if (error_code != ERROR_NONE) {
        commit_refuse(core, request, commit, error_code);
        return;
    }
    if (member != NULL) {
        group_touch(member);
    }
    commit_store(self, request, commit);
}

/* ---- Delete --------------------------------------------------------------------- */

static int16_t delete_check(const group *self)
{
    if (self == NULL) {
        return ERROR_GROUP_ID_NOT_FOUND;
    }
    return self->state == GROUP_EMPTY ? ERROR_NONE : ERROR_NON_EMPTY_GROUP;
}

static void forget_with_tombstones(group *self, group_deletion *deletion, size_t index)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->invited, &at)) != NULL;) {
        group_uninvite(entry->value);
    }
    group_append_tombstones(self, deletion, index);
    group_forget(self);
}

void group_handle_delete(group_core *core, group_request request,
                         const group_delete *wanted)
{
    group_deletion *deletion = memory_zero(sizeof *deletion);
    deletion->request = request;
    deletion->count = wanted->count;
    deletion->error_codes = memory_zero(wanted->count * sizeof(int16_t));
    for (size_t i = 0; i < wanted->count; i++) {
        group *self = group_find(core, wanted->group_ids[i]);
        deletion->error_codes[i] = delete_check(self);
        if (deletion->error_codes[i] == ERROR_NONE) {
            deletion->under_way++;
            forget_with_tombstones(self, deletion, i);
        }
    }
    if (deletion->under_way > 0) {
        return;
    }
    int16_t *codes = group_codes(core, wanted->count);
    memcpy(codes, deletion->error_codes, wanted->count * sizeof *codes);
    group_answer_codes(core, GROUP_DELETE, request, ERROR_NONE, codes, wanted->count);
    free(deletion->error_codes);
    free(deletion);
}

static int16_t delete_offsets_check(const group *self)
{
    static const sluice_bytes consumer = {"consumer", 8};
    if (self == NULL) {
        return ERROR_GROUP_ID_NOT_FOUND;
    }
    if (self->state == GROUP_EMPTY) {
        return ERROR_NONE;
    }
    return group_bytes_equal(self->protocol_type, consumer) ? ERROR_NONE
                                                            : ERROR_NON_EMPTY_GROUP;
}

void group_handle_delete_offsets(group_core *core, group_request request,
                                 const group_delete_offsets *deletion)
{
    group *self = group_find(core, deletion->group_id);
    int16_t refusal = deletion->group_id.len == 0 ? ERROR_INVALID_GROUP_ID
                                                  : delete_offsets_check(self);
    if (refusal != ERROR_NONE) {
        group_answer_codes(core, GROUP_DELETE_OFFSETS, request, refusal, NULL, 0);
        return;
    }
    size_t count = deletion->partition_count, kept = 0;
    int16_t *codes = group_codes(core, count);
    group_offset_write *writes =
        sluice_arena_take(core->actions->arena, count * sizeof *writes);
    for (size_t i = 0; i < count; i++) {
        const group_delete_partition *partition = &deletion->partitions[i];
        bool known;
        codes[i] = partition->error_code;
        if (codes[i] == ERROR_NONE &&
            group_reads_topic(self, partition->topic, &known)) {
            codes[i] = ERROR_GROUP_SUBSCRIBED_TO_TOPIC;
        }
        if (codes[i] == ERROR_NONE &&
            group_offsets_find(self, partition->topic, partition->partition) != NULL) {
            writes[kept++] = (group_offset_write){.topic = partition->topic,
                                                  .partition = partition->partition,
                                                  .tombstone = true};
        }
    }
    if (kept == 0) {
        group_answer_codes(core, GROUP_DELETE_OFFSETS, request, ERROR_NONE, codes,
                           count);
        return;
    }
    group_append_offsets(self, GROUP_DELETE_OFFSETS, request, codes, count, writes,
                         kept);
}

/* Tombstones for those entries of the topic that `gone` names, or all. */
static void topic_clear(group *self, const group_topic *topic,
                        bool (*gone)(const group *, const group_topic *,
                                     const group_committed *))
{
    size_t kept = 0;
    group_offset_write *writes =
        sluice_arena_take(self->core->actions->arena, topic->count * sizeof *writes);
    for (size_t i = 0; i < topic->count; i++) {
        if (gone == NULL || gone(self, topic, topic->partitions[i])) {
            writes[kept++] =
                (group_offset_write){.topic = topic->name,
                                     .partition = topic->partitions[i]->partition,
                                     .tombstone = true};
        }
    }
    if (kept > 0) {
        group_append_offsets(self, GROUP_DELETE_OFFSETS, NULL, NULL, 0, writes, kept);
    }
}

void group_handle_topic_deleted(group_core *core, sluice_bytes topic)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&core->groups, &at)) != NULL;) {
        group *self = entry->value;
        const group_topic *found = map_get(&self->topics, topic.base, topic.len);
        if (found != NULL) {
            topic_clear(self, found, NULL);
        }
    }
}

/* ---- Subscriptions -------------------------------------------------------------- */

bool group_reads_topic(const group *self, sluice_bytes topic, bool *ret_known)
{
    static const sluice_bytes consumer = {"consumer", 8};
    *ret_known = group_bytes_equal(self->protocol_type, consumer) &&
                 self->protocol_name.base != NULL;
    const map_entry *entry;
    for (size_t at = 0;
         *ret_known && (entry = map_next(&self->members, &at)) != NULL;) {
        sluice_bytes metadata =
            group_member_metadata(entry->value, self->protocol_name);
        if (group_subscription_has(metadata, topic, ret_known)) {
            return true;
        }
    }
    return false;
}

/* ---- Expiry --------------------------------------------------------------------- */

/* When the time of an offset begins to run, or INT64_MAX: not now. */
static int64_t idle_since(const group *self, const group_topic *topic,
                          const group_committed *committed)
{
    if (self->protocol_type.base == NULL) {
        return committed->commit_ms; /* Nobody ever joined. */
    }
    if (self->state == GROUP_EMPTY) {
        return self->state_since_ms > committed->commit_ms ? self->state_since_ms
                                                           : committed->commit_ms;
    }
    bool known;
    if (self->state == GROUP_STABLE && !group_reads_topic(self, topic->name, &known) &&
        known) {
        return committed->commit_ms;
    }
    return INT64_MAX;
}

static bool expired(const group *self, const group_topic *topic,
                    const group_committed *committed)
{
    int64_t now_ms = self->core->now.wall_ms;
    int64_t since_ms = idle_since(self, topic, committed);
    if (committed->writes > 0 || since_ms == INT64_MAX) {
        return false;
    }
    return committed->expire_ms >= 0
               ? now_ms >= committed->expire_ms
               : now_ms - since_ms >= self->core->config.offsets_retention_ms;
}

static bool all_expired(const group *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        const group_topic *topic = entry->value;
        for (size_t i = 0; i < topic->count; i++) {
            if (!expired(self, topic, topic->partitions[i])) {
                return false;
            }
        }
    }
    return true;
}

static void group_expire(group *self)
{
    if (self->state == GROUP_EMPTY && map_count(&self->invited) == 0 &&
        self->appends == 0 && all_expired(self)) {
        forget_with_tombstones(self, NULL, 0);
        return;
    }
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->topics, &at)) != NULL;) {
        topic_clear(self, entry->value, expired);
    }
}

void group_expire_offsets(group_core *core)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&core->groups, &at)) != NULL;) {
        group_expire(entry->value);
    }
    group_expire_later(core);
}

void group_expire_later(group_core *core)
{
    if (core->expiry.place == 0 && map_count(&core->groups) > 0) {
        group_timers_set(&core->timers, &core->expiry,
                         core->now.monotonic_ms +
                             core->config.offsets_retention_check_interval_ms);
    }
}
