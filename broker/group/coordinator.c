/* A lock around a core, and answers behind the lock. */
#include "broker/group/coordinator.h"
#include "base/memory.h"
#include "protocol/error_code.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

/* The actions of one step, until their answers are given. */
typedef struct answer_round answer_round;
struct answer_round {
    group_actions actions;
    answer_round *next;
};

typedef struct report {
    group_appended appended;
    struct report *next;
} report;

struct group_coordinator {
    const group_coordinator_ops *ops;
    void *context;

    pthread_mutex_t lock; /* Guards what follows. */
    group_core *core;
    answer_round *spare;
    int64_t wake_at_ms; /* What was asked for; INT64_MAX: nothing. */
    bool stopped;

    pthread_mutex_t reports_lock; /* Guards the list; taken inside `lock` too. */
    report *reports, **reports_end;
};

group_coordinator *group_coordinator_new(const group_config *config,
                                         const group_coordinator_ops *ops,
                                         void *context)
{
    group_coordinator *self = memory_zero(sizeof *self);
    uint64_t seed[2] = {(uint64_t)(uintptr_t)self, 0};
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        seed[1] = (uint64_t)ops->now(context).wall_ms;
    }
    self->ops = ops;
    self->context = context;
    self->core = group_core_new(config, seed);
    self->wake_at_ms = INT64_MAX;
    self->reports_end = &self->reports;
    pthread_mutex_init(&self->lock, NULL);
    pthread_mutex_init(&self->reports_lock, NULL);
    return self;
}

static void rounds_free(answer_round *first)
{
    while (first != NULL) {
        answer_round *next = first->next;
        group_actions_done(&first->actions);
        free(first);
        first = next;
    }
}

void group_coordinator_free(group_coordinator *self)
{
    if (self == NULL) {
        return;
    }
    group_core_free(self->core);
    rounds_free(self->spare);
    while (self->reports != NULL) {
        report *next = self->reports->next;
        free(self->reports);
        self->reports = next;
    }
    pthread_mutex_destroy(&self->lock);
    pthread_mutex_destroy(&self->reports_lock);
    free(self);
}

/* ---- Rounds: with the lock ------------------------------------------------------ */

static answer_round *round_take(group_coordinator *self)
{
    answer_round *made = self->spare;
    if (made == NULL) {
        made = memory_zero(sizeof *made);
        group_actions_init(&made->actions);
        return made;
    }
    self->spare = made->next;
    made->next = NULL;
    return made;
}

/* Appends and the timer; answers have to wait. */
static void round_perform(group_coordinator *self, answer_round *done)
{
    for (size_t i = 0; i < done->actions.count; i++) {
        if (done->actions.items[i].type == GROUP_APPEND) {
            self->ops->append(self->context, &done->actions.items[i].append);
        }
    }
    if (done->actions.wake_at_ms < self->wake_at_ms) {
        self->wake_at_ms = done->actions.wake_at_ms;
        self->ops->wake_at(self->context, self->wake_at_ms);
    }
}

static answer_round **step(group_coordinator *self, const group_event *event,
                           answer_round **end)
{
    answer_round *made = round_take(self);
    group_core_step(self->core, event, self->ops->now(self->context), &made->actions);
    round_perform(self, made);
    *end = made;
    return &made->next;
}

static report *reports_take(group_coordinator *self)
{
    pthread_mutex_lock(&self->reports_lock);
    report *first = self->reports;
    self->reports = NULL;
    self->reports_end = &self->reports;
    pthread_mutex_unlock(&self->reports_lock);
    return first;
}

static bool reports_wait(group_coordinator *self)
{
    pthread_mutex_lock(&self->reports_lock);
    bool wait = self->reports != NULL;
    pthread_mutex_unlock(&self->reports_lock);
    return wait;
}

static answer_round **steps_for_reports(group_coordinator *self, answer_round **end)
{
    report *first;
    while ((first = reports_take(self)) != NULL) {
        while (first != NULL) {
            report *next = first->next;
            if (!self->stopped) {
                group_event event = {.type = GROUP_APPENDED,
                                     .appended = first->appended};
                end = step(self, &event, end);
            }
            free(first);
            first = next;
        }
    }
    return end;
}

/* ---- Answers: without the lock -------------------------------------------------- */

static void rounds_answer(group_coordinator *self, answer_round *first)
{
    answer_round **end = &first;
    for (; *end != NULL; end = &(*end)->next) {
        const group_actions *actions = &(*end)->actions;
        for (size_t i = 0; i < actions->count; i++) {
            if (actions->items[i].type == GROUP_ANSWER) {
                self->ops->answer(self->context, &actions->items[i].answer);
            }
        }
    }
    if (first == NULL) {
        return;
    }
    pthread_mutex_lock(&self->lock);
    *end = self->spare;
    self->spare = first;
    pthread_mutex_unlock(&self->lock);
}

/* Reports that came while others had the lock and were about to let it go are nobody's
 * unless somebody looks after letting it go. */
static void reports_handle(group_coordinator *self)
{
    while (reports_wait(self) && pthread_mutex_trylock(&self->lock) == 0) {
        answer_round *first = NULL;
        steps_for_reports(self, &first);
        pthread_mutex_unlock(&self->lock);
        rounds_answer(self, first);
    }
}

/* ---- From outside --------------------------------------------------------------- */

static void refuse(group_coordinator *self, const group_event *event)
{
    if (event->request != NULL) {
        group_answer answer = {.type = event->type,
                               .request = event->request,
                               .error_code = ERROR_NOT_COORDINATOR,
                               .generation = -1};
        self->ops->answer(self->context, &answer);
    }
}

void group_coordinator_submit(group_coordinator *self, const group_event *event)
{
    answer_round *first = NULL;
    pthread_mutex_lock(&self->lock);
    bool stopped = self->stopped;
    if (!stopped) {
        steps_for_reports(self, step(self, event, &first));
    }
    pthread_mutex_unlock(&self->lock);
    if (stopped) {
        refuse(self, event);
    }
    rounds_answer(self, first);
    reports_handle(self);
}

void group_coordinator_appended(group_coordinator *self, uint64_t token,
                                int16_t error_code)
{
    report *made = memory_zero(sizeof *made);
    made->appended = (group_appended){token, error_code};
    pthread_mutex_lock(&self->reports_lock);
    *self->reports_end = made;
    self->reports_end = &made->next;
    pthread_mutex_unlock(&self->reports_lock);
    reports_handle(self);
}

void group_coordinator_wake(group_coordinator *self)
{
    pthread_mutex_lock(&self->lock);
    self->wake_at_ms = INT64_MAX; /* What was asked for is used up. */
    pthread_mutex_unlock(&self->lock);
    group_coordinator_submit(self, &(group_event){.type = GROUP_WAKE});
}

void group_coordinator_stop(group_coordinator *self)
{
    pthread_mutex_lock(&self->lock);
    self->stopped = true;
    answer_round *made = round_take(self);
    group_core_stop(self->core, self->ops->now(self->context), &made->actions);
    pthread_mutex_unlock(&self->lock);
    rounds_answer(self, made);
}

sluice_status group_coordinator_load(group_coordinator *self, sluice_bytes key,
                                     sluice_bytes value, sluice_error *err)
{
    return group_core_load(self->core, key, value, err);
}

void group_coordinator_loaded(group_coordinator *self)
{
    pthread_mutex_lock(&self->lock);
    answer_round *made = round_take(self);
    group_core_loaded(self->core, self->ops->now(self->context), &made->actions);
    round_perform(self, made);
    pthread_mutex_unlock(&self->lock);
    rounds_answer(self, made);
    reports_handle(self);
}

const group_core *group_coordinator_read(group_coordinator *self)
{
    pthread_mutex_lock(&self->lock);
    return self->core;
}

void group_coordinator_read_end(group_coordinator *self)
{
    pthread_mutex_unlock(&self->lock);
}
