/* The herder's thread: waits for events, and does what the herder says. */
#include "worker/herder/loop.h"
#include "base/map.h"
#include "base/memory.h"
#include "lib/log_line.h"
#include "worker/herder/journal.h"
#include "worker/herder/link.h"
#include "worker/herder/measure.h"
#include "worker/herder/metrics.h"
#include "worker/store/writer.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    events_max = 64,
    quiet_ms = 50, /* With the bounds of link.c: 5 MB/s, or 160 kB/s of prints. */
    last_readings_max = 8, /* More than a socket holds. */
    lines_max = 512, /* Of a control channel at once: 10,000 a second are nobody's. */
    orphan_extra_ms = 2000, /* Beyond the tasks' grace time, when the worker is gone. */
};

/* What other threads put into the mailbox. */
typedef enum letter_type {
    letter_request,
    letter_stored,
    letter_measured, /* A snapshot is to be freed. */
    letter_stop
} letter_type;

typedef struct letter {
    letter_type type;
    herder_request request; /* Its name and body are the letter's. */
    herder_loop_answer *answer;
    void *context;
    uint64_t stored;
    herder *snapshot;
    herder_loop *loop; /* measured */
    struct letter *next;
} letter;

struct herder_loop {
    herder_loop_settings settings;
    pthread_t thread;
    herder *herder;
    writer *writer;
    int epoll, wake;
    map links;    /* id -> host_link */
    map requests; /* id -> letter, until it is answered */
    map journals; /* of connectors */
    uint64_t last_request;
    measures measures;
    size_t quiet; /* Channels that are not read for a moment. */
    bool finished;
    pthread_mutex_t lock; /* Guards the mailbox. */
    letter *first;
    letter **end;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void step(herder_loop *self, const herder_event *event);
static void write_log(herder_loop *self, const herder_action *action);

/* --- The mailbox. --- */

static void post(herder_loop *self, letter *l)
{
    uint64_t one = 1;
    pthread_mutex_lock(&self->lock);
    *self->end = l;
    self->end = &l->next;
    pthread_mutex_unlock(&self->lock);
    while (write(self->wake, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void letter_free(letter *l)
{
    free((char *)l->request.name);
    free((char *)l->request.version);
    json_decref(l->request.body);
    herder_free(l->snapshot);
    free(l);
}

void herder_loop_ask(herder_loop *self, const herder_request *request,
                     herder_loop_answer *answer, void *context)
{
    letter *l = memory_zero(sizeof *l);
    l->type = letter_request;
    l->request = *request;
    l->request.name = memory_text(request->name);
    l->request.version = memory_text(request->version);
    l->answer = answer;
    l->context = context;
    post(self, l);
}

static void on_stored(void *context, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        letter *l = memory_zero(sizeof *l);
        l->type = letter_stored;
        l->stored = ids[i];
        post(context, l);
    }
}

static void on_trouble(void *context, const char *text)
{
    (void)context;
    sluice_log(SLUICE_ERROR, "worker.store",
               "offsets cannot be stored: %s; trying again each second", text);
}

static void take_request(herder_loop *self, letter *l)
{
    l->request.id = ++self->last_request;
    map_put(&self->requests, &l->request.id, sizeof l->request.id, l);
    herder_event event = {.type = herder_event_request, .request = &l->request};
    step(self, &event);
}

static void take_letter(herder_loop *self, letter *l)
{
    herder_event event = {.type = herder_event_stop};
    if (l->type == letter_request) {
        take_request(self, l);
        return;
    }
    if (l->type == letter_stored) {
        event.type = herder_event_stored;
        event.store = l->stored;
    }
    bool over = l->type == letter_measured;
    letter_free(l);
    if (!over) {
        step(self, &event);
    }
}

static void take_mail(herder_loop *self)
{
    uint64_t count;
    while (read(self->wake, &count, sizeof count) < 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&self->lock);
    letter *l = self->first;
    self->first = NULL;
    self->end = &self->first;
    pthread_mutex_unlock(&self->lock);
    while (l != NULL) {
        letter *next = l->next;
        take_letter(self, l);
        l = next;
    }
}

/* --- Hosts. --- */

static host_link *link_of(const herder_loop *self, uint64_t id)
{
    return map_get(&self->links, &id, sizeof id);
}

/* In epoll a link is its id, doubled: odd for its stderr. Ids begin at 1, so that 0 and
 * 1 are free for the mailbox and the nursery. */
enum { key_mailbox = 0, key_nursery = 1 };

static bool watch(herder_loop *self, int fd, uint64_t key, uint32_t events,
                  int operation)
{
    struct epoll_event event = {.events = events, .data.u64 = key};
    return epoll_ctl(self->epoll, operation, fd, &event) == 0;
}

static void unwatch(herder_loop *self, int fd, bool *watched)
{
    if (*watched) {
        epoll_ctl(self->epoll, EPOLL_CTL_DEL, fd, NULL);
        *watched = false;
    }
}

static void not_forked(herder_loop *self, uint64_t id, const char *reason)
{
    herder_event event = {
        .type = herder_event_exited, .host = id, .exit_code = -1, .log = reason};
    step(self, &event);
}

static nursery_request request_of(const herder_loop *self, const herder_action *action)
{
    return (nursery_request){
        .id = (int64_t)action->id,
        .title = action->text,
        .limits = {action->limits.memory_bytes, action->limits.files,
                   action->limits.nice, action->limits.cpu_percent},
        .grace_ms = self->settings.herder.graceful_ms + orphan_extra_ms};
}

static void fork_host(herder_loop *self, const herder_action *action)
{
    host_link *link;
    uint64_t id = action->id;
    sluice_error *err = sluice_error_new();
    nursery_request request = request_of(self, action);
    if (link_open(self->settings.nursery, &request, &link, err) != SLUICE_OK) {
        not_forked(self, id, sluice_error_text(err));
    } else {
        map_put(&self->links, &id, sizeof id, link);
        link->is_inspector = action->number != 0;
        if (!link->is_inspector) {
            journals_begin(&self->journals, link->title);
            link->journals = &self->journals;
        }
        link->control_watched =
            watch(self, link->control.fd, 2 * id, EPOLLIN, EPOLL_CTL_ADD);
        link->stderr_watched =
            watch(self, link->stderr_fd, 2 * id + 1, EPOLLIN, EPOLL_CTL_ADD);
    }
    sluice_error_free(err);
}

static void watch_output(herder_loop *self, host_link *link, bool waiting)
{
    if (link->control_watched) {
        watch(self, link->control.fd, 2 * link->id, EPOLLIN | (waiting ? EPOLLOUT : 0),
              EPOLL_CTL_MOD);
    }
}

static void send_line(herder_loop *self, uint64_t id, const json_t *line)
{
    host_link *link = link_of(self, id);
    if (link == NULL) {
        return;
    }
    bool waited = link->out.len > 0;
    bool waits = link_send(link, line);
    if (waits != waited) {
        watch_output(self, link, waits);
    }
}

/* Gives all lines that have arrived to the herder. The link is there as long as its
 * process is, whatever the herder does. */
static void read_lines(herder_loop *self, host_link *link)
{
    json_t *message;
    sluice_error *err = sluice_error_new();
    bool open = channel_read(&link->control, err) == SLUICE_OK;
    size_t count = 0;
    sluice_status status;
    while ((status = channel_next(&link->control, &message, err)) == SLUICE_OK &&
           message != NULL) {
        herder_event event = {
            .type = herder_event_message, .host = link->id, .message = message};
        step(self, &event);
        json_decref(message);
        count++;
    }
    bool broken = status != SLUICE_OK || (!open && link->control.too_long);
    if (!open || broken) {
        unwatch(self, link->control.fd, &link->control_watched);
        step(self, &(herder_event){.type = herder_event_closed,
                                   .host = link->id,
                                   .log = broken ? sluice_error_text(err) : NULL});
    } else if (count > lines_max && link->control_watched) {
        unwatch(self, link->control.fd, &link->control_watched);
        link->control_quiet_until = now_ms() + quiet_ms;
        self->quiet++;
    }
    sluice_error_free(err);
}

static void read_log(herder_loop *self, host_link *link)
{
    link_log_state state = link_read_log(link);
    if (state != LINK_LOG_READ) {
        unwatch(self, link->stderr_fd, &link->stderr_watched);
    }
    if (state == LINK_LOG_MUCH) {
        link->quiet_until = now_ms() + quiet_ms;
        self->quiet++;
    }
}

/* Those who have been quiet for long enough are heard again. */
static void hear_again(herder_loop *self)
{
    const map_entry *entry;
    for (size_t at = 0; self->quiet > 0 && (entry = map_next(&self->links, &at));) {
        host_link *link = entry->value;
        if (link->quiet_until != 0 && link->quiet_until <= now_ms()) {
            link->quiet_until = 0;
            self->quiet--;
            link->stderr_watched =
                watch(self, link->stderr_fd, 2 * link->id + 1, EPOLLIN, EPOLL_CTL_ADD);
        }
        if (link->control_quiet_until != 0 && link->control_quiet_until <= now_ms()) {
            link->control_quiet_until = 0;
            self->quiet--;
            link->control_watched =
                watch(self, link->control.fd, 2 * link->id,
                      EPOLLIN | (link->out.len > 0 ? EPOLLOUT : 0), EPOLL_CTL_ADD);
        }
    }
}

static void host_event(herder_loop *self, uint64_t key, uint32_t events)
{
    host_link *link = link_of(self, key / 2);
    if (link == NULL) {
        return;
    }
    if (key % 2 == 1) {
        read_log(self, link);
        return;
    }
    if ((events & EPOLLOUT) != 0 && !link_flush(link)) {
        watch_output(self, link, false);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        read_lines(self, link);
    }
}

/* What it said before its end comes before its end. */
static void host_exited(herder_loop *self, const nursery_event *event)
{
    char doing[256] = "";
    uint64_t id = (uint64_t)event->id;
    host_link *link = link_of(self, id);
    if (link == NULL) {
        return;
    }
    for (int i = 0; i < last_readings_max && !link->control.ended; i++) {
        read_lines(self, link);
    }
    link_read_log(link);
    unwatch(self, link->control.fd, &link->control_watched);
    unwatch(self, link->stderr_fd, &link->stderr_watched);
    self->quiet -= (link->quiet_until != 0) + (link->control_quiet_until != 0);
    map_remove(&self->links, &id, sizeof id);
    char *log = link_log(link);
    if (link->doing != NULL) {
        control_doing_text(link->doing, doing, sizeof doing);
    }
    int64_t data_bytes =
        link->doing == NULL ? 0 : 1024 * (int64_t)link->doing->data_kib;
    link_free(link);
    if (event->kind == NURSERY_REFUSED) {
        not_forked(self, id, event->reason);
    } else {
        step(self, &(herder_event){.type = herder_event_exited,
                                   .host = id,
                                   .exit_code = event->code,
                                   .exit_signal = event->signal,
                                   .doing = doing,
                                   .log = log,
                                   .data_bytes = data_bytes});
    }
    free(log);
}

/* The first time is news; how long it has been is a metric. */
static void host_held(herder_loop *self, const nursery_event *event)
{
    host_link *link = link_of(self, (uint64_t)event->id);
    if (link != NULL && link->held_ms == 0) {
        herder_action action = {.number = SLUICE_INFO,
                                .json = json_string(link->title)};
        action.text =
            (char *)"its processes have used up their share of the processor "
                    "(host.cpu.max.percent) and are held back from now on; the metric "
                    "sluice_host_held_seconds_total says for how long";
        write_log(self, &action);
        json_decref(action.json);
    }
    if (link != NULL) {
        link->held_ms = event->held_ms;
    }
}

static void nursery_events(herder_loop *self)
{
    nursery_event event;
    while (!self->finished && nursery_next(self->settings.nursery, &event)) {
        if (event.kind == NURSERY_GONE) {
            sluice_log(SLUICE_ERROR, "worker",
                       "the nursery is gone, so no connector can be started any more; "
                       "the worker ends");
            self->finished = true;
        } else if (event.kind == NURSERY_FORKED) {
            host_link *link = link_of(self, (uint64_t)event.id);
            if (link != NULL) {
                link->pid = event.pid;
            }
        } else if (event.kind == NURSERY_HELD) {
            host_held(self, &event);
        } else {
            host_exited(self, &event);
        }
    }
}

/* --- Deeds. --- */

static void answer(herder_loop *self, const herder_action *action, const char *text)
{
    letter *l = map_remove(&self->requests, &action->id, sizeof action->id);
    if (l != NULL) {
        l->answer(l->context, action->number, action->json, text);
        letter_free(l);
    }
}

/* The request's letter goes back with the snapshot. */
static void on_measured(void *context, const char *text, herder *snapshot)
{
    letter *l = context;
    herder_loop *self = l->loop;
    l->answer(l->context, 200, NULL, text);
    l->type = letter_measured;
    l->snapshot = snapshot;
    l->next = NULL;
    post(self, l);
}

/* The metrics, with what only the processes know behind them. */
static void answer_metrics(herder_loop *self, herder_action *action)
{
    letter *l = map_remove(&self->requests, &action->id, sizeof action->id);
    if (l == NULL) {
        return;
    }
    const map_entry *entry;
    size_t count = 0;
    measured_host *hosts =
        memory_zero((map_count(&self->links) + 1) * sizeof(measured_host));
    for (size_t at = 0; (entry = map_next(&self->links, &at)) != NULL;) {
        const host_link *link = entry->value;
        hosts[count++] = (measured_host){link->id, memory_text(link->title), link->pid,
                                         link->held_ms, link->is_inspector};
    }
    herder *snapshot = action->snapshot;
    action->snapshot = NULL;
    l->loop = self;
    measures_begin(&self->measures, snapshot, hosts, count, on_measured, l);
}

static void answer_logs(herder_loop *self, herder_action *action)
{
    const json_t *asked = action->json;
    json_t *body = journals_json(&self->journals, action->text,
                                 json_integer_value(json_object_get(asked, "lines")),
                                 json_integer_value(json_object_get(asked, "after")));
    json_decref(action->json);
    action->json = body;
    answer(self, action, NULL);
}

/* What is about a connector stands among its lines too. */
static void write_log(herder_loop *self, const herder_action *action)
{
    char line[LOG_LINE_BYTES_MAX];
    const char *connector = json_string_value(action->json);
    if (!sluice_log_enabled((sluice_level)action->number, "worker")) {
        return;
    }
    size_t len = log_line_make(line, (sluice_level)action->number, "worker", connector,
                               LOG_NO_TASK, action->text);
    fprintf(stderr, "%.*s", (int)len, line);
    if (connector != NULL) {
        journals_add(&self->journals, connector, line, len - 1);
    }
}

static void carry_out(herder_loop *self, herder_action *action)
{
    switch (action->type) {
    case herder_fork:
        fork_host(self, action);
        break;
    case herder_send:
        send_line(self, action->id, action->json);
        break;
    case herder_kill:
        nursery_kill(self->settings.nursery, (int64_t)action->id, action->number, NULL);
        break;
    case herder_store_offsets:
        writer_put(self->writer, WRITER_OFFSETS, action->id, action->text,
                   action->json);
        break;
    case herder_store_config:
        writer_put(self->writer, WRITER_CONFIG, action->id, action->text, action->json);
        if (action->json == NULL) {
            journals_forget(&self->journals, action->text);
        }
        break;
    case herder_answer:
        answer(self, action, NULL);
        break;
    case herder_answer_metrics:
        answer_metrics(self, action);
        break;
    case herder_answer_logs:
        answer_logs(self, action);
        break;
    case herder_log:
        write_log(self, action);
        break;
    case herder_set_level:
        sluice_log_set_level(action->text, (sluice_level)action->number);
        break;
    case herder_finished:
        self->finished = true;
        break;
    }
}

static void step(herder_loop *self, const herder_event *event)
{
    herder_actions actions = {0};
    herder_step(self->herder, event, now_ms(), &actions);
    for (size_t i = 0; i < actions.count; i++) {
        carry_out(self, &actions.items[i]);
    }
    herder_actions_done(&actions);
}

/* --- The thread. --- */

static int wait_time(const herder_loop *self)
{
    int64_t deadline = herder_deadline(self->herder);
    if (self->quiet > 0 && deadline > now_ms() + quiet_ms) {
        deadline = now_ms() + quiet_ms;
    }
    if (deadline == INT64_MAX) {
        return -1;
    }
    int64_t wait = deadline - now_ms();
    return wait < 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

static void wait_once(herder_loop *self)
{
    struct epoll_event events[events_max];
    int count = epoll_wait(self->epoll, events, events_max, wait_time(self));
    for (int i = 0; i < count && !self->finished; i++) {
        uint64_t key = events[i].data.u64;
        if (key == key_mailbox) {
            take_mail(self);
        } else if (key == key_nursery) {
            nursery_events(self);
        } else {
            host_event(self, key, events[i].events);
        }
    }
    hear_again(self);
    if (!self->finished && herder_deadline(self->herder) <= now_ms()) {
        step(self, &(herder_event){.type = herder_event_tick});
    }
}

static void refuse(letter *l)
{
    json_t *body = json_pack("{s:i, s:s}", "error_code", 500, "message",
                             "Worker is shutting down");
    l->answer(l->context, 500, body, NULL);
    json_decref(body);
    letter_free(l);
}

/* After the thread's end: whoever still waits gets an answer. */
static void refuse_rest(herder_loop *self)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(&self->requests, &at)) != NULL;) {
        refuse(entry->value);
    }
    while (self->first != NULL) {
        letter *l = self->first;
        self->first = l->next;
        if (l->type == letter_request) {
            refuse(l);
        } else {
            letter_free(l);
        }
    }
}

static void *herder_loop_run(void *context)
{
    herder_loop *self = context;
    size_t index;
    json_t *stored;
    step(self, &(herder_event){.type = herder_event_start});
    json_array_foreach(self->settings.restored, index, stored)
    {
        step(self, &(herder_event){.type = herder_event_restore, .message = stored});
    }
    while (!self->finished) {
        wait_once(self);
    }
    self->settings.failed(self->settings.context);
    return NULL;
}

static void herder_loop_free(herder_loop *self)
{
    const map_entry *entry;
    measures_done(&self->measures);
    for (size_t at = 0; (entry = map_next(&self->links, &at)) != NULL;) {
        link_free(entry->value);
    }
    map_done(&self->links);
    map_done(&self->requests);
    journals_done(&self->journals);
    herder_free(self->herder);
    json_decref(self->settings.restored);
    if (self->epoll >= 0) {
        close(self->epoll);
    }
    if (self->wake >= 0) {
        close(self->wake);
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static sluice_status start_threads(herder_loop *self, sluice_error *err)
{
    writer_settings store = {self->settings.offsets, self->settings.configs, on_stored,
                             on_trouble, self};
    sluice_status status = writer_start(&store, &self->writer, err);
    if (status != SLUICE_OK) {
        return status;
    }
    int refused = pthread_create(&self->thread, NULL, herder_loop_run, self);
    if (refused != 0) {
        writer_stop(self->writer);
        return sluice_fail(err, SLUICE_FATAL, "cannot start the herder's thread: %s",
                           strerror(refused));
    }
    return SLUICE_OK;
}

sluice_status herder_loop_start(const herder_loop_settings *settings,
                                herder_loop **ret_loop, sluice_error *err)
{
    herder_loop *self = memory_zero(sizeof *self);
    self->settings = *settings;
    json_incref(self->settings.restored);
    self->end = &self->first;
    pthread_mutex_init(&self->lock, NULL);
    measures_init(&self->measures);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->herder = herder_new(&settings->herder);
    bool ready =
        self->epoll >= 0 && self->wake >= 0 &&
        watch(self, self->wake, key_mailbox, EPOLLIN, EPOLL_CTL_ADD) &&
        watch(self, nursery_fd(settings->nursery), key_nursery, EPOLLIN, EPOLL_CTL_ADD);
    sluice_status status =
        ready ? start_threads(self, err)
              : sluice_fail(err, SLUICE_FATAL, "cannot wait for events: %s",
                            strerror(errno));
    if (status != SLUICE_OK) {
        herder_loop_free(self);
        return status;
    }
    *ret_loop = self;
    return SLUICE_OK;
}

void herder_loop_stop(herder_loop *self)
{
    letter *l = memory_zero(sizeof *l);
    l->type = letter_stop;
    post(self, l);
    pthread_join(self->thread, NULL);
    writer_stop(self->writer);
    measures_wait(&self->measures);
    refuse_rest(self);
    herder_loop_free(self);
}
