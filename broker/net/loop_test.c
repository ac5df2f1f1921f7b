/* A loop: tasks from other threads, timers in order, descriptors. */
#include "broker/net/rest.h"
#include "test.h"
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct step {
    union {
        loop_task task;
        loop_timer timer;
    };
    int number;
    sem_t *over;
} step;

static int order[16], order_count;

static void note(step *self)
{
    order[order_count++] = self->number;
    if (self->over != NULL) {
        sem_post(self->over);
    }
}

static void run_task(loop_task *task)
{
    note((step *)task);
}

static void run_timer(loop_timer *timer)
{
    note((step *)timer);
}

TEST(tasks_run_in_the_order_in_which_they_were_posted)
{
    loop *one;
    CHECK(loop_new("test", &one, NULL) == SLUICE_OK);
    CHECK(loop_start(one, NULL) == SLUICE_OK);
    step steps[3];
    order_count = 0;
    for (int i = 0; i < 3; i++) {
        steps[i] = (step){.task.run = run_task, .number = i};
        i < 2 ? loop_post(one, &steps[i].task) : loop_call(one, &steps[i].task);
    }
    CHECK_INT(order_count, 3);
    CHECK(order[0] == 0 && order[1] == 1 && order[2] == 2);
    CHECK(!loop_is_here(one));
    loop_stop(one);
    loop_free(one);
}

TEST(timers_run_by_their_time_and_not_when_removed)
{
    loop *one;
    CHECK(loop_new("test", &one, NULL) == SLUICE_OK);
    sem_t over;
    sem_init(&over, 0, 0);
    static const int delays[] = {9, 3, 12, 6, 1, 15};
    step steps[6];
    int64_t now = loop_now_ms();
    order_count = 0;
    for (int i = 0; i < 6; i++) {
        steps[i] = (step){.timer.run = run_timer, .number = delays[i]};
        loop_timer_set(one, &steps[i].timer, now + delays[i]);
    }
    steps[5].over = &over;
    loop_timer_remove(one, &steps[3].timer);
    loop_timer_set(one, &steps[4].timer, now + 10);
    CHECK(loop_start(one, NULL) == SLUICE_OK);
    sem_wait(&over);
    loop_stop(one);
    static const int wanted[] = {3, 9, 1, 12, 15};
    CHECK_INT(order_count, 5);
    for (int i = 0; i < 5; i++) {
        CHECK_INT(order[i], wanted[i]);
    }
    loop_free(one);
    sem_destroy(&over);
}

static void count_wake(loop_task *task)
{
    order_count++;
}

TEST(who_rests_is_woken_once_by_what_happens)
{
    loop *one;
    CHECK(loop_new("test", &one, NULL) == SLUICE_OK);
    rest self;
    rest_init(&self, one, count_wake);
    step ended = {.task.run = run_task};
    order_count = 0;
    rest_disturb(&self);
    CHECK(!rest_begin(&self)); /* Something has happened before, ... */
    CHECK(!rest_is_on(&self));
    CHECK(rest_begin(&self)); /* ... and nothing since. */
    CHECK(rest_is_on(&self));
    CHECK(loop_start(one, NULL) == SLUICE_OK);
    rest_disturb(&self);
    rest_disturb(&self);
    loop_call(one, &ended.task);
    CHECK_INT(order_count, 2);
    CHECK(!rest_is_on(&self));
    CHECK(!rest_begin(&self));
    CHECK(rest_begin(&self));
    loop_stop(one);
    loop_free(one);
}

typedef struct reader {
    loop_watch watch;
    sem_t over;
    char got[8];
} reader;

static void on_ready(loop_watch *watch, uint32_t events)
{
    reader *self = (reader *)watch;
    ssize_t len = read(watch->fd, self->got, sizeof self->got);
    CHECK_INT(len, 3);
    sem_post(&self->over);
}

TEST(a_descriptor_that_can_be_read_wakes_its_watch)
{
    loop *one;
    CHECK(loop_new("test", &one, NULL) == SLUICE_OK);
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    reader self = {.watch = {.fd = pair[0], .ready = on_ready}};
    sem_init(&self.over, 0, 0);
    CHECK(loop_watch_set(one, &self.watch, EPOLLIN));
    CHECK(loop_start(one, NULL) == SLUICE_OK);
    CHECK(write(pair[1], "abc", 3) == 3);
    sem_wait(&self.over);
    CHECK(memcmp(self.got, "abc", 3) == 0);
    loop_stop(one);
    loop_watch_remove(one, &self.watch);
    loop_free(one);
    close(pair[0]);
    close(pair[1]);
    sem_destroy(&self.over);
}

TEST_MAIN
