/* An epoll loop with a heap of timers and a list of tasks posted by other threads. */
#include "broker/net/loop.h"
#include "base/memory.h"
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    events_max = 256,
    scratch_bytes = 256 * 1024,
    task_rounds_max = 8, /* Until descriptors are looked at. */
};

struct loop {
    int epoll_fd, wake_fd;
    pthread_t thread;
    char name[16];
    bool started;
    atomic_bool stopping;
    atomic_int posters; /* Threads inside loop_post(). */

    pthread_mutex_t lock; /* Guards the three below. */
    loop_task *posted_first, **posted_last;
    bool awake; /* A posted task will be seen without a wake-up. */

    loop_task *deferred_first, **deferred_last;
    loop_timer **timers; /* A heap from place 1 on. */
    size_t timer_count, timer_room;
    struct epoll_event events[events_max];
    int event_at, event_count; /* Of the round that runs. */
    uint8_t *scratch;
};

static _Thread_local const loop *loop_of_thread;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t loop_now_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t loop_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

/* ---- Timers: a binary heap ------------------------------------------------------- */

static void timer_put(loop *self, size_t place, loop_timer *timer)
{
    self->timers[place] = timer;
    timer->place = place;
}

static void timer_rise(loop *self, size_t place, loop_timer *timer)
{
    while (place > 1 && self->timers[place / 2]->at_ms > timer->at_ms) {
        timer_put(self, place, self->timers[place / 2]);
        place /= 2;
    }
    timer_put(self, place, timer);
}

static void timer_sink(loop *self, size_t place, loop_timer *timer)
{
    for (size_t child; (child = 2 * place) <= self->timer_count; place = child) {
        if (child < self->timer_count &&
            self->timers[child + 1]->at_ms < self->timers[child]->at_ms) {
            child++;
        }
        if (self->timers[child]->at_ms >= timer->at_ms) {
            break;
        }
        timer_put(self, place, self->timers[child]);
    }
    timer_put(self, place, timer);
}

void loop_timer_remove(loop *self, loop_timer *timer)
{
    size_t place = timer->place;
    if (place == 0) {
        return;
    }
    timer->place = 0;
    loop_timer *last = self->timers[self->timer_count--];
    if (last == timer) {
        return;
    }
    if (place > 1 && self->timers[place / 2]->at_ms > last->at_ms) {
        timer_rise(self, place, last);
    } else {
        timer_sink(self, place, last);
    }
}

void loop_timer_set(loop *self, loop_timer *timer, int64_t at_ms)
{
    loop_timer_remove(self, timer);
    if (self->timer_count + 2 > self->timer_room) {
        self->timer_room = self->timer_room == 0 ? 64 : 2 * self->timer_room;
        self->timers =
            memory_resize(self->timers, self->timer_room * sizeof *self->timers);
    }
    timer->at_ms = at_ms;
    timer_rise(self, ++self->timer_count, timer);
}

static void timers_run(loop *self)
{
    if (self->timer_count == 0) {
        return;
    }
    int64_t now = loop_now_ms();
    while (self->timer_count > 0 && self->timers[1]->at_ms <= now) {
        loop_timer *due = self->timers[1];
        loop_timer_remove(self, due);
        due->run(due);
    }
}

static int timeout_ms(const loop *self)
{
    if (self->timer_count == 0) {
        return -1;
    }
    int64_t left = self->timers[1]->at_ms - loop_now_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* ---- Tasks ----------------------------------------------------------------------- */

void loop_post(loop *self, loop_task *task)
{
    task->next = NULL;
    atomic_fetch_add_explicit(&self->posters, 1, memory_order_relaxed);
    pthread_mutex_lock(&self->lock);
    *self->posted_last = task;
    self->posted_last = &task->next;
    bool wake = !self->awake;
    self->awake = true;
    pthread_mutex_unlock(&self->lock);
    if (wake) {
        uint64_t one = 1;
        ssize_t written = write(self->wake_fd, &one, sizeof one);
        (void)written;
    }
    atomic_fetch_sub_explicit(&self->posters, 1, memory_order_release);
}

/* A task may have been run, and all have ended, before its poster has woken anybody. */
static void wait_for_posters(loop *self)
{
    while (atomic_load_explicit(&self->posters, memory_order_acquire) > 0) {
        sched_yield();
    }
}

typedef struct call {
    loop_task task;
    loop_task *inner;
    sem_t over;
} call;

static void call_run(loop_task *task)
{
    call *self = (call *)task;
    self->inner->run(self->inner);
    sem_post(&self->over);
}

void loop_call(loop *self, loop_task *task)
{
    call waiting = {.task.run = call_run, .inner = task};
    assert(!loop_is_here(self));
    sem_init(&waiting.over, 0, 0);
    loop_post(self, &waiting.task);
    while (sem_wait(&waiting.over) != 0) {
        assert(errno == EINTR);
    }
    sem_destroy(&waiting.over);
}

void loop_defer(loop *self, loop_task *task)
{
    task->next = NULL;
    *self->deferred_last = task;
    self->deferred_last = &task->next;
}

static void tasks_run(loop_task *first)
{
    while (first != NULL) {
        loop_task *task = first;
        first = task->next; /* Before the run, which may post or free it. */
        task->run(task);
    }
}

/* Takes what was posted. With `sleeping`, and if there is nothing, the next post wakes
 * the loop. */
static loop_task *posted_take(loop *self, bool sleeping)
{
    pthread_mutex_lock(&self->lock);
    loop_task *first = self->posted_first;
    self->posted_first = NULL;
    self->posted_last = &self->posted_first;
    self->awake = !(sleeping && first == NULL);
    pthread_mutex_unlock(&self->lock);
    return first;
}

static void deferred_run(loop *self)
{
    while (self->deferred_first != NULL) {
        loop_task *first = self->deferred_first;
        self->deferred_first = NULL;
        self->deferred_last = &self->deferred_first;
        tasks_run(first);
    }
}

/* ---- Descriptors ----------------------------------------------------------------- */

bool loop_watch_set(loop *self, loop_watch *watch, uint32_t events)
{
    bool known = watch->events != 0;
    uint32_t wanted = events | EPOLLRDHUP;
    if (known && watch->events == wanted) {
        return true;
    }
    struct epoll_event event = {.events = wanted, .data.ptr = watch};
    int operation = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(self->epoll_fd, operation, watch->fd, &event) != 0) {
        return false;
    }
    watch->events = wanted;
    return true;
}

void loop_watch_remove(loop *self, loop_watch *watch)
{
    if (watch->events != 0) {
        epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
        watch->events = 0;
    }
    for (int i = self->event_at; i < self->event_count; i++) {
        if (self->events[i].data.ptr == watch) {
            self->events[i].data.ptr = NULL;
        }
    }
}

static void events_run(loop *self)
{
    for (self->event_at = 0; self->event_at < self->event_count;) {
        struct epoll_event *event = &self->events[self->event_at++];
        loop_watch *watch = event->data.ptr;
        if (watch != NULL && watch != (loop_watch *)self) {
            watch->ready(watch, event->events);
        }
    }
    self->event_at = self->event_count = 0;
}

static void *loop_main(void *argument)
{
    loop *self = argument;
    loop_of_thread = self;
    pthread_setname_np(pthread_self(), self->name);
    for (int round = 0;;) {
        loop_task *posted = posted_take(self, true);
        bool stopping = atomic_load(&self->stopping);
        tasks_run(posted);
        timers_run(self);
        deferred_run(self);
        if (stopping) {
            return NULL;
        }
        if (posted != NULL && ++round < task_rounds_max) {
            continue; /* More may have come, which costs no system call to see. */
        }
        round = 0;
        int wait = posted == NULL ? timeout_ms(self) : 0;
        int count = epoll_wait(self->epoll_fd, self->events, events_max, wait);
        self->event_count = count > 0 ? count : 0;
        events_run(self);
        deferred_run(self);
    }
}

/* ---- Life ------------------------------------------------------------------------ */

static sluice_status refuse(sluice_error *err, const char *what)
{
    return sluice_fail(err, SLUICE_FATAL, "cannot make %s for a network thread: %s",
                       what, strerror(errno));
}

sluice_status loop_new(const char *name, loop **ret_loop, sluice_error *err)
{
    loop *self = memory_zero(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->posted_last = &self->posted_first;
    self->deferred_last = &self->deferred_first;
    strncpy(self->name, name, sizeof self->name - 1);
    self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    self->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* By its edge: what was written need not be read. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = self};
    if (self->epoll_fd < 0 || self->wake_fd < 0 ||
        epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, self->wake_fd, &event) != 0) {
        sluice_status status = refuse(err, "an epoll");
        loop_free(self);
        return status;
    }
    *ret_loop = self;
    return SLUICE_OK;
}

void loop_free(loop *self)
{
    if (self == NULL) {
        return;
    }
    assert(!self->started);
    for (loop_task *first; (first = posted_take(self, false)) != NULL;) {
        tasks_run(first); /* They may post again. */
    }
    wait_for_posters(self);
    close(self->epoll_fd);
    close(self->wake_fd);
    pthread_mutex_destroy(&self->lock);
    free(self->timers);
    free(self->scratch);
    free(self);
}

sluice_status loop_start(loop *self, sluice_error *err)
{
    atomic_store(&self->stopping, false);
    errno = pthread_create(&self->thread, NULL, loop_main, self);
    if (errno != 0) {
        return refuse(err, "the thread");
    }
    self->started = true;
    return SLUICE_OK;
}

static void nothing(loop_task *task)
{
}

void loop_stop(loop *self)
{
    if (!self->started) {
        return;
    }
    loop_task wake = {.run = nothing};
    atomic_store(&self->stopping, true);
    loop_post(self, &wake);
    pthread_join(self->thread, NULL);
    self->started = false;
}

bool loop_is_here(const loop *self)
{
    return loop_of_thread == self;
}

uint8_t *loop_scratch(loop *self, size_t *ret_size)
{
    if (self->scratch == NULL) {
        self->scratch = memory_take(scratch_bytes);
    }
    *ret_size = scratch_bytes;
    return self->scratch;
}
