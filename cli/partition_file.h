/* cli/partition_file.h - the JSON file in which Kafka's tools take partitions:
 * {"partitions": [{"topic": "t", "partition": 0, "offset": 3}], "version": 1}.
 *
 * Threads: any. */
#ifndef CLI_PARTITION_FILE_H
#define CLI_PARTITION_FILE_H

#include <sluice/arena.h>
#include <stdbool.h>

typedef struct partition_line {
    const char *topic;
    int32_t partition;
    int64_t offset; /* Where offsets are asked for. */
} partition_line;

/* Reads a file of at most 16 MiB; everything is taken from `arena`. SLUICE_BAD_CONFIG
 * says what is wrong with it, where Kafka's tools have a sentence in their words. */
sluice_status partition_file_read(const char *path, bool offsets, sluice_arena *arena,
                                  partition_line **ret_lines, size_t *ret_count,
                                  sluice_error *err);

/* The first partition that stands there twice, or NULL. */
const partition_line *partition_file_duplicate(const partition_line *lines,
                                               size_t count);

#endif
