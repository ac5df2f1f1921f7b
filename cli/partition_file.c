/* Partitions from JSON. */
#include "partition_file.h"
#include <jansson.h>
#include <string.h>

static sluice_status read_line(const json_t *object, bool offsets, sluice_arena *arena,
                               partition_line *ret_line, sluice_error *err)
{
    static const char *const names[] = {"topic", "partition", "offset"};
    for (size_t i = 0; i < (offsets ? 3 : 2); i++) {
        const json_t *field = json_object_get(object, names[i]);
        if (field == NULL) {
            return sluice_fail(err, SLUICE_BAD_CONFIG, "No such field exists: `%s`",
                               names[i]);
        }
        if (i == 0 ? !json_is_string(field) : !json_is_integer(field)) {
            return sluice_fail(err, SLUICE_BAD_CONFIG, "field '%s' is not %s", names[i],
                               i == 0 ? "a text" : "a whole number");
        }
    }
    json_int_t partition = json_integer_value(json_object_get(object, "partition"));
    if (partition < 0 || partition > INT32_MAX) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "partition is %lld: must be 0 to %d",
                           (long long)partition, INT32_MAX);
    }
    const char *topic = json_string_value(json_object_get(object, "topic"));
    ret_line->topic = sluice_arena_copy(arena, topic, strlen(topic));
    ret_line->partition = (int32_t)partition;
    ret_line->offset = json_integer_value(json_object_get(object, "offset"));
    return SLUICE_OK;
}

static sluice_status read_lines(const json_t *root, bool offsets, sluice_arena *arena,
                                partition_line **ret_lines, size_t *ret_count,
                                sluice_error *err)
{
    const json_t *partitions = json_object_get(root, "partitions");
    const json_t *version = json_object_get(root, "version");
    if (version != NULL && json_integer_value(version) != 1) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Not supported version field value %lld",
                           (long long)json_integer_value(version));
    }
    if (!json_is_array(partitions)) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           partitions == NULL ? "Missing partitions field"
                                              : "field 'partitions' is not a list");
    }
    size_t count = json_array_size(partitions);
    partition_line *lines = sluice_arena_take(arena, (count + 1) * sizeof *lines);
    for (size_t i = 0; i < count; i++) {
        sluice_status status =
            read_line(json_array_get(partitions, i), offsets, arena, &lines[i], err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    *ret_lines = lines;
    *ret_count = count;
    return SLUICE_OK;
}

sluice_status partition_file_read(const char *path, bool offsets, sluice_arena *arena,
                                  partition_line **ret_lines, size_t *ret_count,
                                  sluice_error *err)
{
    json_error_t fault;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &fault);
    if (root == NULL && json_error_code(&fault) == json_error_cannot_open_file) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "Unable to read file %s", path);
    }
    if (root == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "The input string is not a valid JSON");
    }
    sluice_status status = read_lines(root, offsets, arena, ret_lines, ret_count, err);
    json_decref(root);
    return status;
}

const partition_line *partition_file_duplicate(const partition_line *lines,
                                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (lines[i].partition == lines[j].partition &&
                strcmp(lines[i].topic, lines[j].topic) == 0) {
                return &lines[i];
            }
        }
    }
    return NULL;
}
