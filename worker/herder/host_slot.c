/* A host's life as the herder sees it: begun, asked to stop, asked whether it still
 * answers, killed when it does not, and what is written on its grave. */
#include "base/memory.h"
#include "state.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    ping_every_ms = 1000,
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

void host_slot_begin(herder *self, host_slot *host, const char *title)
{
    free(host->reason);
    *host = (host_slot){.id = ++self->last_id,
                        .pinged_at = self->now,
                        .answered_at = self->now,
                        .started_at = self->now};
    act_fork(self, host->id, title);
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

void host_slot_tick(herder *self, host_slot *host, bool asked_to_answer)
{
    if (host->id == 0 || host->killed) {
        return;
    }
    if (host->stopping) {
        if (self->now >= host->kill_at) {
            kill_host(self, host,
                      memory_print("did not stop within %lld ms and was killed",
                                   (long long)self->settings.graceful_ms));
        }
        return;
    }
    if (!asked_to_answer || self->now < host->pinged_at + ping_every_ms) {
        return;
    }
    if (self->now - host->answered_at > self->settings.liveness_ms) {
        kill_host(self, host,
                  memory_print("did not answer for %lld ms and was killed",
                               (long long)(self->now - host->answered_at)));
        return;
    }
    host->pinged_at = self->now;
    act_send(self, host->id, json_pack("{s:I}", "ping", (json_int_t)self->now));
}

int64_t host_slot_deadline(const herder *self, const host_slot *host,
                           bool asked_to_answer)
{
    if (host->id == 0 || host->killed) {
        return INT64_MAX;
    }
    if (host->stopping) {
        return host->kill_at;
    }
    return asked_to_answer ? host->pinged_at + ping_every_ms : INT64_MAX;
}

void host_slot_forget(host_slot *host)
{
    free(host->reason);
    *host = (host_slot){0};
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
    return memory_print("exited with code %d", event->exit_code);
}

char *host_slot_obituary(const host_slot *host, const char *what,
                         const herder_event *event)
{
    char *how = how_it_died(host, event);
    bool doing = event->doing != NULL && event->doing[0] != '\0';
    bool log = event->log != NULL && event->log[0] != '\0';
    char *text = memory_print("%s %s%s%s%s%s", what, how, doing ? " " : "",
                              doing ? event->doing : "",
                              log ? "; last log lines:\n" : "", log ? event->log : "");
    free(how);
    return text;
}
