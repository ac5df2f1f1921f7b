/* Scanning plugin files in a child: a JSON line for each, and what silence means. */
#include "catalog.h"
#include "../base/buffer.h"
#include "../base/memory.h"
#include "describe.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { line_bytes_max = 16 * 1024 * 1024 };

/* --- The child. --- */

static void write_all(int fd, const char *base, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, base, len);
        if (written <= 0) {
            _exit(1); /* Nobody listens any more. */
        }
        base += written;
        len -= (size_t)written;
    }
}

static void write_line(int fd, json_t *line)
{
    char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);
    if (text == NULL) { /* A text in the plugin that is not UTF-8. */
        text = memory_text("{\"reason\":\"its texts are not UTF-8\"}");
    }
    write_all(fd, text, strlen(text));
    write_all(fd, "\n", 1);
    free(text);
    json_decref(line);
}

/* A line for file `index`: {"features":[…]} or {"reason":"…"}. */
static json_t *load_line(plugin_files *loaded, size_t index, sluice_error *err)
{
    size_t before = plugin_files_feature_count(loaded);
    if (plugin_files_load(loaded, index, err) != SLUICE_OK) {
        return json_pack("{s:s}", "reason", sluice_error_text(err));
    }
    json_t *features = json_array();
    for (size_t i = before; i < plugin_files_feature_count(loaded); i++) {
        json_t *feature = describe_feature(plugin_files_feature(loaded, i));
        if (json_array_append_new(features, feature) < 0) {
            json_decref(features);
            return NULL;
        }
    }
    return json_pack("{s:o}", "features", features);
}

/* Loads the files from `first` on. Those before it were loaded by another child. */
static void child(const plugin_files *files, size_t first, int fd)
{
    dup2(STDERR_FILENO, STDOUT_FILENO); /* Whatever a plugin prints is no output. */
    plugin_files *loaded = plugin_files_new(); /* The same, at the same places. */
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < plugin_files_count(files); i++) {
        plugin_files_add_file(loaded, plugin_files_path(files, i));
    }
    for (size_t i = first; i < plugin_files_count(loaded); i++) {
        write_line(fd, load_line(loaded, i, err));
        sluice_error_clear(err);
    }
    _exit(0); /* No destructors of plugins, no buffers of the parent. */
}

/* --- The parent. --- */

typedef struct scan {
    const plugin_files *files;
    size_t next; /* The file whose line comes next. */
    int load_ms_max;
    json_t *offered, *refused;
} scan;

static void refuse(scan *self, const char *path, const char *reason)
{
    json_array_append_new(self->refused,
                          json_pack("{s:s, s:s}", "path", path, "reason", reason));
}

static const char *text_of(const json_t *feature, const char *key)
{
    const char *text = json_string_value(json_object_get(feature, key));
    return text == NULL ? "" : text;
}

/* The feature of that name which is listed already: a second child can't know. */
static const json_t *find_named(const scan *self, const char *name)
{
    size_t index;
    json_t *feature;
    json_array_foreach(self->offered, index, feature)
    {
        if (strcmp(text_of(feature, "name"), name) == 0) {
            return feature;
        }
    }
    return NULL;
}

static bool offered_twice(scan *self, const char *path, const json_t *features)
{
    size_t index;
    json_t *feature;
    json_array_foreach(features, index, feature)
    {
        const char *name = text_of(feature, "name");
        const json_t *known = find_named(self, name);
        if (known != NULL) {
            char *reason = memory_print("'%s' offers '%s', which is already in '%s'",
                                        path, name, text_of(known, "path"));
            refuse(self, path, reason);
            free(reason);
            return true;
        }
    }
    return false;
}

static void take_line(scan *self, const char *line, size_t len)
{
    const char *path = plugin_files_path(self->files, self->next++);
    json_t *parsed = json_loadb(line, len, 0, NULL);
    json_t *features = json_object_get(parsed, "features");
    const char *reason = json_string_value(json_object_get(parsed, "reason"));
    if (!json_is_array(features)) {
        refuse(self, path, reason == NULL ? "it can't be described" : reason);
    } else if (!offered_twice(self, path, features)) {
        json_array_extend(self->offered, features);
    }
    json_decref(parsed);
}

/* Takes the whole lines out of `text`. */
static void take_lines(scan *self, buffer *text)
{
    const char *base = text->base, *end = base + text->len, *line_end;
    while (self->next < plugin_files_count(self->files) &&
           (line_end = memchr(base, '\n', (size_t)(end - base))) != NULL) {
        take_line(self, base, (size_t)(line_end - base));
        base = line_end + 1;
    }
    buffer_consume(text, (size_t)(base - text->base));
}

/* Reads lines until the child is done or dead; whether it hung. */
static bool listen(scan *self, int fd)
{
    buffer text;
    buffer_init(&text, line_bytes_max);
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    bool hung = false;
    for (;;) {
        enum { step = 64 * 1024 };
        int ready = poll(&wait, 1, self->load_ms_max);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        char *place = ready <= 0 ? NULL : buffer_reserve(&text, step);
        ssize_t got = place == NULL ? -1 : read(fd, place, step);
        hung = ready == 0;
        if (got <= 0) {
            break;
        }
        buffer_advance(&text, (size_t)got);
        take_lines(self, &text);
    }
    buffer_done(&text);
    return hung;
}

/* Why the child ended before it had written the line of `self->next`. */
static void refuse_next(scan *self, bool hung, int wait_status)
{
    const char *path = plugin_files_path(self->files, self->next);
    char *reason;
    if (hung) {
        reason = memory_print("'%s' took longer than %d ms to load: the process was "
                              "killed",
                              path, self->load_ms_max);
    } else if (WIFSIGNALED(wait_status)) {
        int number = WTERMSIG(wait_status);
        reason = memory_print("'%s' crashed while it was loaded: signal %d (%s)", path,
                              number, strsignal(number));
    } else {
        reason = memory_print("'%s' ended the process while it was loaded, with exit "
                              "code %d",
                              path, WEXITSTATUS(wait_status));
    }
    refuse(self, path, reason);
    free(reason);
    self->next++;
}

/* One child: all files from `self->next` on, or up to the one it dies of. */
static sluice_status run(scan *self, sluice_error *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return sluice_fail(err, SLUICE_FATAL, "cannot list plugins: pipe: %s",
                           strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        child(self->files, self->next, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return sluice_fail(err, SLUICE_FATAL, "cannot list plugins: fork: %s",
                           strerror(errno));
    }
    bool hung = listen(self, fds[0]);
    close(fds[0]);
    if (self->next < plugin_files_count(self->files)) {
        kill(pid, SIGKILL); /* It is dead, or hangs, or said too much. */
    }
    int wait_status = 0;
    while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
    }
    if (self->next < plugin_files_count(self->files)) {
        refuse_next(self, hung, wait_status);
    }
    return SLUICE_OK;
}

sluice_status catalog_scan(const plugin_files *files, int load_ms_max,
                           json_t **ret_catalog, sluice_error *err)
{
    scan self = {.files = files,
                 .load_ms_max = load_ms_max,
                 .offered = json_array(),
                 .refused = json_array()};
    sluice_status status = SLUICE_OK;
    while (status == SLUICE_OK && self.next < plugin_files_count(files)) {
        status = run(&self, err);
    }
    if (status != SLUICE_OK) {
        json_decref(self.offered);
        json_decref(self.refused);
        return status;
    }
    *ret_catalog =
        json_pack("{s:o, s:o}", "plugins", self.offered, "refused", self.refused);
    return SLUICE_OK;
}

static bool is_called(const json_t *feature, const char *name)
{
    size_t index;
    json_t *alias;
    json_array_foreach(json_object_get(feature, "aliases"), index, alias)
    {
        if (plugin_alias_is(json_string_value(alias), name)) {
            return true;
        }
    }
    return strcmp(text_of(feature, "name"), name) == 0;
}

const json_t *catalog_find(const json_t *catalog, const char *name, size_t *at)
{
    const json_t *offered = json_object_get(catalog, "plugins");
    while (*at < json_array_size(offered)) {
        const json_t *feature = json_array_get(offered, (*at)++);
        if (is_called(feature, name)) {
            return feature;
        }
    }
    return NULL;
}
