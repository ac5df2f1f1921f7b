/* Folders of partitions that nobody here has made. */
#include "broker/topic/found_topics.h"
#include "base/memory.h"
#include "base/text.h"
#include "broker/log/file.h"
#include "broker/log/partition.h"
#include "broker/topic/topic_image.h"
#include "broker/topic/topic_name.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { magic_position = 16, magic_known = 2 };

typedef struct scan {
    found_ask *ask;
    void *context;
    found_topics *found;
} scan;

/* "<topic>-<number>"; the name is the caller's. */
static bool parse_name(const char *entry, char **ret_name, int32_t *ret_number)
{
    const char *dash = strrchr(entry, '-');
    if (dash == NULL || dash[1] < '0' || dash[1] > '9' ||
        !text_to_int32(dash + 1, ret_number) || *ret_number >= topic_partitions_max ||
        !topic_name_is_legal(entry, (size_t)(dash - entry)) ||
        strncmp(entry, "__", 2) == 0) {
        return false;
    }
    *ret_name = memory_copy(entry, (size_t)(dash - entry));
    return true;
}

static bool read_magic(const char *folder, const char *name, int *ret_magic)
{
    char *path = file_path(folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t magic = magic_known;
    bool good = fd >= 0 && file_read_at(fd, &magic, 1, magic_position) >= 0;
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    *ret_magic = magic;
    return good;
}

/* Whether there are segments, all of the format that is known here: others would be
 * taken for torn, and cut off. */
static bool has_good_segments(const char *path)
{
    DIR *folder = opendir(path);
    bool good = folder != NULL;
    size_t count = 0;
    for (const struct dirent *entry; good && (entry = readdir(folder)) != NULL;) {
        int magic;
        if (!text_ends(entry->d_name, ".log")) {
            continue;
        }
        count++;
        good = read_magic(path, entry->d_name, &magic);
        if (good && magic != magic_known) {
            sluice_log(SLUICE_WARN, "broker.topic",
                       "'%s/%s' has records of the format %d, from before Apache Kafka "
                       "0.11: only format %d is read; the folder is left as it is",
                       path, entry->d_name, magic, magic_known);
            good = false;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return good && count > 0;
}

static void add(found_topics *self, const char *name, int32_t number, const uuid *id)
{
    for (size_t i = 0; i < self->count; i++) {
        found_topic *each = &self->items[i];
        if (uuid_equal(&each->id, id)) {
            each->partition_count =
                number < each->partition_count ? each->partition_count : number + 1;
            return;
        }
    }
    self->items = memory_resize(self->items, (self->count + 1) * sizeof *self->items);
    self->items[self->count++] = (found_topic){memory_text(name), *id, number + 1};
}

/* Either the process died while the topic was deleted, or somebody has copied it here
 * once more: that cannot be told, so nothing is removed. */
static void put_away(const char *path)
{
    uuid unique = uuid_random();
    char digits[2 * sizeof unique.bytes + 1];
    text_hex(digits, unique.bytes, sizeof unique.bytes);
    char *away = memory_print("%s.%s-stray", path, digits);
    const char *reason = rename(path, away) == 0 ? NULL : strerror(errno);
    sluice_log(SLUICE_WARN, "broker.topic",
               "'%s' is of a topic that was deleted; %s%s%s%s", path,
               reason == NULL ? "renamed to '"
                              : "it stays, since it cannot be renamed: ",
               reason == NULL ? away : reason, reason == NULL ? "'" : "",
               reason == NULL ? ", which may be removed" : "");
    free(away);
}

static void look_into(scan *self, const char *path, const char *name, int32_t number)
{
    uuid id;
    if (!partition_read_identity(path, &id)) {
        if (has_good_segments(path)) {
            sluice_log(SLUICE_WARN, "broker.topic",
                       "'%s' has no partition.metadata that says of which topic it is; "
                       "it is left as it is",
                       path);
        }
        return;
    }
    switch (self->ask(self->context, name, number, &id)) {
    case FOUND_KNOWN:
        break;
    case FOUND_REMOVED:
        put_away(path);
        break;
    case FOUND_NEW:
        if (has_good_segments(path)) {
            add(self->found, name, number, &id);
        }
        break;
    }
}

static void scan_dir(scan *self, const char *dir)
{
    DIR *folder = opendir(dir);
    if (folder == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *name;
        int32_t number;
        if (!parse_name(entry->d_name, &name, &number)) {
            continue;
        }
        if (self->ask(self->context, name, number, NULL) == FOUND_NEW) {
            char *path = file_path(dir, entry->d_name);
            look_into(self, path, name, number);
            free(path);
        }
        free(name);
    }
    closedir(folder);
}

void found_topics_scan(log_dir **dirs, size_t dir_count, found_ask *ask, void *context,
                       found_topics *ret_found)
{
    *ret_found = (found_topics){0};
    scan one = {ask, context, ret_found};
    for (size_t i = 0; i < dir_count; i++) {
        scan_dir(&one, log_dir_path(dirs[i]));
    }
}

void found_topics_done(found_topics *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].name);
    }
    free(self->items);
}
