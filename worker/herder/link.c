/* The worker's end of one host. */
#include "worker/herder/link.h"
#include "base/memory.h"
#include "lib/log_line.h"
#include "worker/herder/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char output_logger[] = "worker.output";

enum {
    /* Of one reading, before others get their turn: of all that it says, and of what is
     * no line of the log, which costs the worker a line of its own. */
    log_bytes_max = 256 * 1024,
    output_bytes_max = 8 * 1024,
    line_bytes_max = LOG_LINE_BYTES_MAX,
    out_bytes_max = 2 * CONTROL_LINE_BYTES_MAX, /* Then it is as good as dead. */
};

typedef struct ends {
    int ours[2];   /* The control channel's and the pipe's. */
    int theirs[3]; /* Control, stderr, doing. */
} ends;

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static bool make_ends(ends *e)
{
    int control[2], out[2];
    *e = (ends){{-1, -1}, {-1, -1, -1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0) {
        return false;
    }
    e->ours[0] = control[0];
    e->theirs[0] = control[1];
    if (pipe2(out, O_CLOEXEC) != 0) {
        return false;
    }
    e->ours[1] = out[0];
    e->theirs[1] = out[1];
    /* A page that is cut off under a reader would end it. */
    e->theirs[2] = memfd_create("sluice-doing", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return e->theirs[2] >= 0 && ftruncate(e->theirs[2], CONTROL_DOING_BYTES) == 0 &&
           fcntl(e->theirs[2], F_ADD_SEALS,
                 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
           fcntl(e->ours[1], F_SETFL, O_NONBLOCK) == 0;
}

static control_doing_page *map_page(int fd)
{
    void *page = mmap(NULL, CONTROL_DOING_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

sluice_status link_open(nursery *n, const nursery_request *wanted, host_link **ret_link,
                        sluice_error *err)
{
    ends e;
    if (!make_ends(&e)) {
        int reason = errno;
        close_all(e.ours, 2);
        close_all(e.theirs, 3);
        return sluice_fail(err, SLUICE_FATAL, "cannot make its channels: %s",
                           strerror(reason));
    }
    nursery_request request = *wanted;
    request.control_fd = e.theirs[0];
    request.stderr_fd = e.theirs[1];
    request.doing_fd = e.theirs[2];
    sluice_status status = nursery_fork(n, &request, err);
    if (status != SLUICE_OK) {
        close_all(e.ours, 2);
        close_all(e.theirs, 3);
        return status;
    }
    host_link *self = memory_zero(sizeof *self);
    self->id = (uint64_t)wanted->id;
    self->title = memory_text(wanted->title);
    channel_init(&self->control, e.ours[0], CONTROL_SAID_BYTES_MAX);
    buffer_init(&self->out, 0);
    buffer_init(&self->line, 0);
    self->stderr_fd = e.ours[1];
    self->doing = map_page(e.theirs[2]);
    close_all(e.theirs, 3);
    *ret_link = self;
    return SLUICE_OK;
}

void link_free(host_link *self)
{
    channel_done(&self->control);
    buffer_done(&self->out);
    buffer_done(&self->line);
    close(self->stderr_fd);
    free(self->title);
    for (size_t i = 0; i < link_log_lines; i++) {
        free(self->lines[i]);
    }
    if (self->doing != NULL) {
        munmap(self->doing, CONTROL_DOING_BYTES);
    }
    free(self);
}

/* --- Sending. --- */

bool link_flush(host_link *self)
{
    while (self->out.len > 0) {
        ssize_t sent = send(self->control.fd, self->out.base, self->out.len,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno != EAGAIN) {
            buffer_clear(&self->out); /* It is gone; its end will be told. */
            return false;
        }
        if (sent < 0) {
            return true;
        }
        buffer_consume(&self->out, (size_t)sent);
    }
    buffer_done(&self->out);
    return false;
}

static int gather(const char *base, size_t len, void *out)
{
    buffer_append(out, base, len);
    return 0;
}

bool link_send(host_link *self, const json_t *line)
{
    if (self->out.len < out_bytes_max) {
        json_dump_callback(line, gather, &self->out, JSON_COMPACT);
        buffer_append_byte(&self->out, '\n');
    }
    return link_flush(self);
}

/* --- What it says on stderr. --- */

/* What sluice_log() has written. A plugin that imitates it must do it well. */
static bool is_log_line(const char *text)
{
    json_t *object = NULL;
    bool is = log_line_is_one(text);
    if (is && text[0] == '{') {
        object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        is = json_is_object(object);
    }
    json_decref(object);
    return is;
}

static void write_line(host_link *self, const char *text, size_t len)
{
    fprintf(stderr, "%.*s\n", (int)len, text);
    if (self->journals != NULL) {
        journals_add(self->journals, self->title, text, len);
    }
}

/* What a plugin has written by itself gets a head, and the connector's name. */
static void end_line(host_link *self)
{
    const char *text = buffer_text(&self->line);
    if (is_log_line(text)) {
        write_line(self, text, strlen(text));
    } else if (sluice_log_enabled(SLUICE_INFO, output_logger)) {
        char made[LOG_LINE_BYTES_MAX];
        size_t len =
            log_line_make(made, SLUICE_INFO, output_logger,
                          self->is_inspector ? NULL : self->title, LOG_NO_TASK, text);
        self->output_bytes += len;
        write_line(self, made, len - 1);
    }
    free(self->lines[self->next_line]);
    self->lines[self->next_line] = memory_text(text);
    self->next_line = (self->next_line + 1) % link_log_lines;
    buffer_clear(&self->line);
}

static void take_bytes(host_link *self, const char *base, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (base[i] == '\n' || self->line.len == line_bytes_max) {
            end_line(self);
        }
        if (base[i] != '\n') {
            buffer_append_byte(&self->line, base[i] == '\0' ? ' ' : base[i]);
        }
    }
}

link_log_state link_read_log(host_link *self)
{
    char bytes[4096];
    ssize_t got = 0;
    self->output_bytes = 0;
    for (size_t all = 0; all < log_bytes_max && self->output_bytes < output_bytes_max;
         all += (size_t)got) {
        got = read(self->stderr_fd, bytes, sizeof bytes);
        if (got <= 0) {
            break;
        }
        take_bytes(self, bytes, (size_t)got);
    }
    if (got > 0) {
        return LINK_LOG_MUCH;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return LINK_LOG_READ;
    }
    if (self->line.len > 0) {
        end_line(self);
    }
    return LINK_LOG_ENDED;
}

char *link_log(const host_link *self)
{
    buffer text = BUFFER_INIT;
    size_t len;
    for (size_t i = 0; i < link_log_lines; i++) {
        const char *line = self->lines[(self->next_line + i) % link_log_lines];
        if (line != NULL) {
            buffer_print(&text, "%s%s", text.len > 0 ? "\n" : "", line);
        }
    }
    return buffer_take(&text, &len);
}
