/* cli/groups/groups.h - what the files of `sluice groups` share: a group as the tools
 * see it, read from its coordinator.
 *
 * Threads: the main one. Memory: what is read lives until the client is closed. */
#ifndef CLI_GROUPS_GROUPS_H
#define CLI_GROUPS_GROUPS_H

#include "../admin.h"
#include "../admin_offsets.h"

typedef struct groups_options {
    cli_connection connection;
    bool list, describe, delete, reset_offsets, delete_offsets, validate_regex;
    cli_texts group;
    bool all_groups;
    const char *state, *type; /* Of list: what is wanted; "" all; NULL not shown. */
    bool members, offsets, verbose;
    cli_texts topic; /* "t" or "t:0,1" */
    bool all_topics;
    bool to_earliest, to_latest, to_current;
    int64_t to_offset, shift_by; /* INT64_MIN: not given. */
    const char *to_datetime, *by_duration, *from_file;
    bool dry_run, execute, export;
    int64_t timeout_ms;
    bool json;
    bool kafkas; /* Speaks as kafka-consumer-groups. */
} groups_options;

typedef struct groups_work {
    admin *client;
    const groups_options *given;
    const metadata_response *metadata; /* All topics. */
} groups_work;

/* A committed offset, or a partition that is to get one. */
typedef struct group_offset {
    const char *topic;
    int32_t partition;
    int64_t offset;       /* -1: none. */
    int32_t leader_epoch; /* -1: none. */
} group_offset;

typedef struct group_offsets {
    group_offset *items;
    size_t count;
} group_offsets;

typedef struct group_member {
    const char *id, *instance_id, *client_id, *host; /* instance_id "" for none. */
    group_offsets assigned;                          /* Offsets are -1. */
} group_member;

typedef struct group_view {
    const char *id, *state, *strategy; /* The strategy is "" for none. */
    int32_t coordinator;
    group_member *members;
    size_t member_count;
} group_view;

typedef struct group_line {
    const char *id, *state, *type;
} group_line;

/* All groups of consumers, by name. */
sluice_status groups_all(groups_work *self, group_line **ret_groups, size_t *ret_count,
                         sluice_error *err);

/* Those that are named, or all. */
sluice_status groups_chosen(groups_work *self, cli_texts *ret_ids, sluice_error *err);

/* A group as its coordinator has it. `ret_there` is false when there is none. */
sluice_status group_read(groups_work *self, const char *id, group_view *ret_group,
                         bool *ret_there, sluice_error *err);

/* The committed offsets of a group, by topic and partition. */
sluice_status group_read_offsets(groups_work *self, const char *id, int32_t coordinator,
                                 group_offsets *ret_offsets, sluice_error *err);

/* The offsets at the ends of partitions, or at a time: `timestamp` as for
 * admin_list_offsets(). `ret_found` has a place for each. */
sluice_status group_find_ends(groups_work *self, const group_offsets *partitions,
                              int64_t timestamp, partition_offset **ret_found,
                              sluice_error *err);

/* The topic's metadata, or NULL. */
const metadata_response_topic *groups_topic(const groups_work *self, const char *topic);

/* A text that lives as long as the work. */
const char *groups_text(groups_work *self, const char *base, size_t len);

/* The options --topic as partitions: "t" stands for all that there are. With `missing`
 * a topic that is not there has one entry of partition -1; else it fails. */
sluice_status groups_partitions(groups_work *self, bool missing,
                                group_offsets *ret_partitions, sluice_error *err);

void groups_sort(group_offsets *offsets);

/* ---- What the verbs do; each in its file -------------------------------------------
 */

sluice_status groups_list(groups_work *self, sluice_error *err);
sluice_status groups_describe(groups_work *self, sluice_error *err);
sluice_status groups_delete(groups_work *self, sluice_error *err);
sluice_status groups_delete_offsets(groups_work *self, sluice_error *err);
sluice_status groups_reset(groups_work *self, sluice_error *err);

/* The time that --to-datetime or --by-duration means, in milliseconds. */
sluice_status groups_datetime(const groups_work *self, int64_t *ret_ms,
                              sluice_error *err);
sluice_status groups_duration(const groups_work *self, int64_t *ret_ms,
                              sluice_error *err);

#endif
