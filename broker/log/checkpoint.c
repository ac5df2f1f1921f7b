/* broker/log/checkpoint.c - Kafka's checkpoint files are read. */
#include "broker/log/checkpoint.h"
#include "base/text.h"

#include <string.h>

/* The next line without its end; false when there is none. */
static bool next_line(const char **at, const char *end, const char **ret_line,
                      size_t *ret_len)
{
    if (*at == end) {
        return false;
    }
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    *ret_line = *at;
    *ret_len = (size_t)((stop == NULL ? end : stop) - *at);
    *at = stop == NULL ? end : stop + 1;
    return true;
}

bool checkpoint_parse(const char *text, size_t len,
                      bool (*take)(const char *line, size_t len, void *context),
                      void *context)
{
    const char *at = text, *end = text + len, *line;
    size_t line_len;
    int64_t version, count;
    if (!next_line(&at, end, &line, &line_len) ||
        !text_to_int64_of(line, line_len, &version) || version != 0 ||
        !next_line(&at, end, &line, &line_len) ||
        !text_to_int64_of(line, line_len, &count)) {
        return false;
    }
    for (; count > 0; count--) {
        if (!next_line(&at, end, &line, &line_len) || !take(line, line_len, context)) {
            return false;
        }
    }
    return count == 0 && at == end;
}

bool checkpoint_numbers(const char *line, size_t len, size_t count,
                        int64_t *ret_numbers)
{
    const char *end = line + len;
    for (size_t i = 0; i < count; i++) {
        const char *stop = memchr(line, ' ', (size_t)(end - line));
        if ((stop == NULL) != (i + 1 == count)) {
            return false;
        }
        stop = stop == NULL ? end : stop;
        if (!text_to_int64_of(line, (size_t)(stop - line), &ret_numbers[i])) {
            return false;
        }
        line = stop + (stop < end);
    }
    return true;
}

bool checkpoint_topic_line(const char *line, size_t len, size_t *ret_topic_len,
                           int32_t *ret_partition, int64_t *ret_offset)
{
    const char *space = memchr(line, ' ', len);
    int64_t numbers[2];
    if (space == NULL || space == line) {
        return false;
    }
    *ret_topic_len = (size_t)(space - line);
    if (!checkpoint_numbers(space + 1, len - *ret_topic_len - 1, 2, numbers) ||
        numbers[0] < 0 || numbers[0] > INT32_MAX) {
        return false;
    }
    *ret_partition = (int32_t)numbers[0];
    *ret_offset = numbers[1];
    return true;
}
