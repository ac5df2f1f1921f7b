/* The main thread of a host: hears the worker, and keeps the tasks going. */
#include "worker/host/host.h"
#include "base/memory.h"
#include "base/text.h"
#include "worker/config/providers.h"
#include "worker/config/secrets.h"
#include "worker/host/alter_offsets.h"
#include "worker/host/common_config.h"
#include "worker/host/connector.h"
#include "worker/host/crash.h"
#include "worker/host/group_offsets.h"
#include "worker/host/inspect.h"
#include "worker/host/kafka_client.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static const char logger[] = "worker.host";

enum { grace_ms_default = 5000 };

void host_nudge(host *self)
{
    static const uint64_t one = 1;
    (void)!write(self->event_fd, &one, sizeof one);
}

static void share_page(host *self, int doing_fd)
{
    void *page = MAP_FAILED;
    if (doing_fd >= 0) {
        page = mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                    doing_fd, 0);
        close(doing_fd);
    }
    if (page == MAP_FAILED) {
        page = mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    self->page = page;
}

static host *host_new(int control_fd, int doing_fd)
{
    host *self = memory_zero(sizeof *self);
    channel_init(&self->control, control_fd, CONTROL_LINE_BYTES_MAX);
    share_page(self, doing_fd);
    self->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&self->topics_lock, NULL);
    map_init(&self->topics);
    return self;
}

static void host_free(host *self)
{
    if (self->asking) {
        pthread_join(self->asker, NULL);
    }
    connector_done(self);
    channel_done(&self->control);
    munmap(self->page, CONTROL_DOING_BYTES);
    close(self->event_fd);
    map_done(&self->topics);
    sluice_props_free(self->written);
    pthread_mutex_destroy(&self->topics_lock);
    free(self);
}

sluice_status host_resolve(const sluice_props *worker, sluice_props *config,
                           sluice_error *err)
{
    providers *from;
    secrets *found = secrets_new();
    sluice_props *written = props_below(config, "");
    sluice_status status = providers_new(worker, environ, &from, err);
    if (status == SLUICE_OK) {
        providers_tell(from, found);
        status = providers_resolve_props(from, config, err);
        providers_free(from);
    }
    secrets_add_named(found, config);
    secrets_add_named(found, worker);
    secrets_spare(found, NULL, written);
    secrets_watch(found);
    sluice_props_free(written);
    return status;
}

/* --- What the worker says. --- */

static void pong(host *self, const json_t *number)
{
    channel_send(&self->control, json_pack("{s:O,s:o}", "pong", number, "tasks",
                                           connector_figures(self)));
}

static void hear_first(host *self, const json_t *message)
{
    json_t *start = json_object_get(message, "start");
    if (start != NULL) {
        connector_start(self, start);
    } else if (json_object_get(message, "inspect") != NULL) {
        self->phase = HOST_INSPECT;
        inspect_begin(self, message);
    } else {
        self->exit_code = HOST_EXIT_REFUSED;
        self->phase = HOST_OVER;
    }
}

static void hear_inspecting(host *self, const json_t *message)
{
    const json_t *part;
    if ((part = json_object_get(message, "validate")) != NULL) {
        inspect_validate(self, part);
    } else if ((part = json_object_get(message, "cluster")) != NULL) {
        inspect_cluster(self, part);
    } else if ((part = json_object_get(message, "group_offsets")) != NULL) {
        group_offsets_answer(self, part);
    } else if ((part = json_object_get(message, "alter_offsets")) != NULL) {
        alter_offsets_answer(self, part);
    } else if ((part = json_object_get(message, "ping")) != NULL) {
        pong(self, part);
    } else if (json_object_get(message, "stop") != NULL) {
        self->phase = HOST_OVER;
    }
}

static void hear_running(host *self, const json_t *message)
{
    const json_t *part;
    if ((part = json_object_get(message, "ping")) != NULL) {
        pong(self, part);
    } else if ((part = json_object_get(message, "stored")) != NULL) {
        connector_stored(self, json_integer_value(part));
    } else if (json_object_get(message, "pause") != NULL) {
        connector_pause(self, true);
    } else if (json_object_get(message, "resume") != NULL) {
        connector_pause(self, false);
    } else if ((part = json_object_get(message, "restart_task")) != NULL) {
        connector_restart_task(self, (int)json_integer_value(part));
    } else if (json_object_get(message, "stop") != NULL &&
               self->phase == HOST_RUNNING) {
        connector_stop(self);
    }
}

static void set_level(const json_t *setting)
{
    sluice_level level;
    const char *name = json_string_value(json_object_get(setting, "name"));
    const char *word = json_string_value(json_object_get(setting, "level"));
    if (name != NULL && word != NULL && sluice_level_parse(word, &level)) {
        sluice_log_set_level(name, level);
    }
}

static void hear(host *self, const json_t *message)
{
    const json_t *setting = json_object_get(message, "logger");
    if (self->phase == HOST_NEW) {
        hear_first(self, message);
    } else if (setting != NULL) {
        set_level(setting);
    } else if (self->phase == HOST_INSPECT) {
        hear_inspecting(self, message);
    } else {
        hear_running(self, message);
    }
}

/* Without a worker the tasks stop, and have so long for it. */
static void orphan(host *self)
{
    if (self->orphaned) {
        return;
    }
    self->orphaned = true;
    if (self->phase != HOST_RUNNING && self->phase != HOST_STOPPING) {
        self->phase = HOST_OVER;
        return;
    }
    sluice_log(SLUICE_WARN, logger, "the worker is gone: stopping");
    const char *grace =
        sluice_props_get(self->worker, "task.shutdown.graceful.timeout.ms");
    int64_t wait = grace_ms_default;
    if (grace != NULL) {
        text_to_int64(grace, &wait);
    }
    self->stop_deadline = clock_ms() + wait;
    connector_stop(self);
}

static void hear_all(host *self)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = channel_read(&self->control, err);
    json_t *message = NULL;
    while (channel_next(&self->control, &message, err) == SLUICE_OK &&
           message != NULL) {
        hear(self, message);
        json_decref(message);
    }
    if (status != SLUICE_OK || self->control.ended) {
        orphan(self);
    }
    sluice_error_free(err);
}

/* --- The loop. --- */

static int patience(const host *self)
{
    int64_t end = connector_deadline(self);
    if (self->orphaned && (end < 0 || self->stop_deadline < end)) {
        end = self->stop_deadline;
    }
    if (end < 0) {
        return -1;
    }
    int64_t left = end - clock_ms();
    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* A plugin may close what it does not own: then nothing here works any more. */
static bool is_damaged(host *self, const struct pollfd *waits, size_t count)
{
    bool damaged =
        waits[1].revents != 0 && fcntl(waits[1].fd, F_GETFD) < 0 && errno == EBADF;
    for (size_t i = 0; i < count; i++) {
        damaged = damaged || (waits[i].revents & POLLNVAL) != 0;
    }
    self->damaged = damaged;
    return damaged;
}

static void wait_and_serve(host *self)
{
    struct pollfd waits[] = {
        {.fd = self->event_fd, .events = POLLIN},
        {.fd = self->orphaned ? -1 : self->control.fd, .events = POLLIN},
        {.fd = self->producer == NULL ? -1 : kafka_producer_fd(self->producer),
         .events = POLLIN}};
    if (poll(waits, 3, patience(self)) < 0 || is_damaged(self, waits, 3)) {
        return;
    }
    if (waits[0].revents != 0) {
        uint64_t count;
        (void)!read(self->event_fd, &count, sizeof count);
    }
    if (waits[2].revents != 0) {
        connector_serve_deliveries(self);
    }
    if (waits[1].revents != 0) {
        hear_all(self);
    }
    if (self->phase == HOST_RUNNING || self->phase == HOST_STOPPING) {
        connector_tend(self);
    }
}

int host_main(int control_fd, int doing_fd)
{
    host *self = host_new(control_fd, doing_fd);
    void *stack = crash_thread_begins(0);
    crash_watch(self->page);
    while (self->phase != HOST_OVER) {
        wait_and_serve(self);
        if (self->damaged) {
            sluice_log(SLUICE_ERROR, logger,
                       "a descriptor of the host was closed by code that does not own "
                       "it: the process ends");
            return HOST_EXIT_DAMAGED;
        }
        if (self->orphaned && self->phase != HOST_OVER &&
            clock_ms() >= self->stop_deadline) {
            sluice_log(SLUICE_ERROR, logger,
                       "a task did not stop in time: the process ends without it");
            return HOST_EXIT_GRACE_OVER;
        }
    }
    int code = self->exit_code;
    crash_thread_ends(stack);
    host_free(self);
    return code;
}
