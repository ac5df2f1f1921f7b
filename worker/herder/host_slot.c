/* A host's life as the herder sees it: begun, asked to stop, asked whether it still
 * answers, killed when it does not, and what is written on its grave. */
#include "base/memory.h"
#include "base/text.h"
#include "state.h"
#include "worker/control/control.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    ping_often_ms = 1000,   /* While somebody looks at what hosts report … */
    looking_ms = 60 * 1000, /* … which is so long after each look. */
    ping_seldom_ms = 10 * 1000,
    ping_ms_min = 100,
    last_words_ms = 2000,   /* Between the end of its channel and its own. */
    last_offsets_ms = 1000, /* Beyond the tasks' grace time: storing what they did. */
};

void host_slot_tell_levels(herder *self, uint64_t host)
{
    const char *name;
    json_t *logger;
    json_object_foreach(self->loggers, name, logger)
    {
        json_t *level = json_object_get(logger, "level");
        if (json_is_null(json_object_get(logger, "last_modified"))) {
            continue; /* As it is from the beginning. */
        }
        act_send(self, host,
                 json_pack("{s:{s:s, s:O}}", "logger", "name",
                           strcmp(name, "root") == 0 ? "" : name, "level", level));
    }
}

void host_slot_begin(herder *self, host_slot *host, const char *title,
                     const herder_limits *limits)
{
    free(host->reason);
    *host = (host_slot){.id = ++self->last_id,
                        .pinged_at = self->now,
                        .started_at = self->now,
                        .kill_at = INT64_MAX,
                        .limits = *limits};
    act_fork(self, host->id, title, limits, host == &self->inspector);
}

void host_slot_stop(herder *self, host_slot *host)
{
    if (host->id == 0 || host->stopping) {
        return;
    }
    host->stopping = true;
    host->kill_at = self->now + self->settings.graceful_ms + last_offsets_ms;
    act_send(self, host->id, json_pack("{s:b}", "stop", 1));
}

static void kill_host(herder *self, host_slot *host, char *reason_taken)
{
    host->killed = true;
    free(host->reason);
    host->reason = reason_taken;
    act_kill(self, host->id, SIGKILL);
}

void host_slot_closed(herder *self, host_slot *host, const char *fault)
{
    host->closed_at = self->now;
    if (fault != NULL && !host->killed) {
        kill_host(self, host, memory_print("was killed: %s", fault));
    }
}

void host_slot_stuck(herder *self, host_slot *host, int64_t number, const char *call,
                     int64_t stuck_ms)
{
    int64_t limit = host->limits.call_ms;
    if (limit > 0 && stuck_ms > limit && !host->killed && !host->stopping) {
        kill_host(self, host,
                  memory_print("was killed because %s of task %lld did not return "
                               "within %lld ms (host.call.timeout.ms)",
                               call == NULL ? "a call" : call, (long long)number,
                               (long long)limit));
    }
}

void host_slot_looked_at(herder *self)
{
    self->looked_at = self->now;
}

/* How often it is asked whether it lives, and how it fares: as often as anybody wants
 * to know, and as the limits on its silence need. */
static int64_t ping_every_ms(const herder *self, const host_slot *host)
{
    bool looking = self->looked_at != 0 && self->now < self->looked_at + looking_ms;
    int64_t every = looking ? ping_often_ms : ping_seldom_ms;
    int64_t liveness = self->settings.liveness_ms / 3, call = host->limits.call_ms / 3;
    every = liveness < every ? liveness : every;
    every = call > 0 && call < every ? call : every;
    return every < ping_ms_min ? ping_ms_min : every;
}

/* All hosts are asked together, so that the worker wakes up once for all. */
static int64_t next_ping(const herder *self, const host_slot *host)
{
    int64_t every = ping_every_ms(self, host);
    return (host->pinged_at / every + 1) * every;
}

/* When it is killed whatever it says; INT64_MAX: not yet. */
static int64_t kill_time(const host_slot *host)
{
    int64_t last = host->closed_at == 0 ? INT64_MAX : host->closed_at + last_words_ms;
    return last < host->kill_at ? last : host->kill_at;
}

void host_slot_tick(herder *self, host_slot *host, bool asked_to_answer)
{
    if (host->id == 0 || host->killed) {
        return;
    }
    if (self->now >= host->kill_at) {
        kill_host(self, host,
                  memory_print("did not stop within %lld ms and was killed",
                               (long long)self->settings.graceful_ms));
        return;
    }
    if (self->now >= kill_time(host)) {
        kill_host(self, host, memory_text("closed its control channel and was killed"));
        return;
    }
    if (!asked_to_answer || host->stopping || host->closed_at != 0 ||
        self->now < next_ping(self, host)) {
        return;
    }
    if (self->now - next_ping(self, host) > self->settings.liveness_ms / 3) {
        host->unanswered_since = 0; /* Held up itself, it has not listened either. */
    }
    int64_t silence =
        host->unanswered_since == 0 ? 0 : self->now - host->unanswered_since;
    if (silence > self->settings.liveness_ms) {
        kill_host(self, host,
                  memory_print("did not answer for %lld ms and was killed",
                               (long long)silence));
        return;
    }
    host->pinged_at = self->now;
    if (host->unanswered_since == 0) {
        host->unanswered_since = self->now;
    }
    act_send(self, host->id, json_pack("{s:I}", "ping", (json_int_t)self->now));
}

int64_t host_slot_deadline(const herder *self, const host_slot *host,
                           bool asked_to_answer)
{
    if (host->id == 0 || host->killed) {
        return INT64_MAX;
    }
    if (!asked_to_answer || host->stopping || host->closed_at != 0) {
        return kill_time(host);
    }
    return next_ping(self, host);
}

void host_slot_forget(host_slot *host)
{
    free(host->reason);
    *host = (host_slot){0};
}

/* How near it was to its limit, where it has one and died of a signal. */
static char *memory_words(const host_slot *host, const herder_event *event)
{
    int64_t limit = host->limits.memory_bytes;
    if (limit <= 0 || event->data_bytes <= 0 || host->reason != NULL) {
        return memory_text("");
    }
    return memory_print(" with %lld of %lld bytes of host.memory.max.bytes allocated",
                        (long long)event->data_bytes, (long long)limit);
}

static char *how_it_died(const host_slot *host, const herder_event *event)
{
    if (event->exit_code < 0 && event->exit_signal == 0) {
        return memory_text("could not be started");
    }
    if (host->reason != NULL) {
        return memory_text(host->reason);
    }
    if (event->exit_signal != 0) {
        const char *words = sigdescr_np(event->exit_signal);
        return memory_print("was killed by signal %d (%s)", event->exit_signal,
                            words == NULL ? "unknown" : words);
    }
    if (event->exit_code == HOST_EXIT_DAMAGED) {
        return memory_text("ended because a file descriptor of its own was closed");
    }
    return memory_print("exited with code %d", event->exit_code);
}

char *host_slot_obituary(const host_slot *host, const char *what,
                         const herder_event *event)
{
    char *how = how_it_died(host, event), *memory = memory_words(host, event);
    bool doing = event->doing != NULL && event->doing[0] != '\0';
    bool log = event->log != NULL && event->log[0] != '\0';
    char *text = memory_print("%s %s%s%s%s%s%s", what, how, doing ? " " : "",
                              doing ? event->doing : "", memory,
                              log ? "; last log lines:\n" : "", log ? event->log : "");
    free(how);
    free(memory);
    text_make_utf8(text); /* The page and the lines are a plugin's. */
    return text;
}
