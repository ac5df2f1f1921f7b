/* A coordinator under several threads, with a log that another thread makes durable. */
#include "base/memory.h"
#include "broker/group/coordinator.h"
#include "protocol/error_code.h"
#include "test.h"
#include <pthread.h>
#include <stdatomic.h>

#define B(text) ((sluice_bytes){(text), strlen(text)})

enum { threads_max = 4, commits_max = 500 };

static group_coordinator *coordinator;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t tokens[threads_max * commits_max + 16];
static size_t token_count, token_done;
static bool ended, synchronous;
static _Atomic int64_t wake_ms;

/* A request of these tests: what it was answered. */
typedef struct ask {
    int times;
    int16_t error_code;
    char member_id[80];
} ask;

static void append(void *context, const group_append *action)
{
    if (synchronous) {
        group_coordinator_appended(coordinator, action->token, ERROR_NONE);
        return;
    }
    pthread_mutex_lock(&lock);
    tokens[token_count++] = action->token;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void answer(void *context, const group_answer *action)
{
    ask *self = action->request;
    pthread_mutex_lock(&lock);
    self->times++;
    self->error_code =
        action->error_count > 0 ? action->error_codes[0] : action->error_code;
    if (action->member_id.base != NULL) {
        memcpy(self->member_id, action->member_id.base, action->member_id.len);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wake_at(void *context, int64_t at_ms)
{
    wake_ms = at_ms;
}

static group_time now(void *context)
{
    return (group_time){1000, 1700000000000};
}

static const group_coordinator_ops ops = {append, answer, wake_at, now};

static void *sync_thread(void *context)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        while (token_done == token_count && !ended) {
            pthread_cond_wait(&changed, &lock);
        }
        if (token_done == token_count) {
            break;
        }
        uint64_t token = tokens[token_done++];
        pthread_mutex_unlock(&lock);
        group_coordinator_appended(coordinator, token, ERROR_NONE);
        pthread_mutex_lock(&lock);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void wait_for(const ask *self)
{
    pthread_mutex_lock(&lock);
    while (self->times == 0) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void commit(ask *self, const char *group_id, int64_t offset)
{
    group_commit_partition one = {B("t"), 0, offset, -1, B(""), 0};
    group_event event = {.type = GROUP_COMMIT,
                         .request = self,
                         .commit = {.group_id = B(group_id),
                                    .generation = -1,
                                    .retention_ms = -1,
                                    .partitions = &one,
                                    .partition_count = 1}};
    group_coordinator_submit(coordinator, &event);
}

static void *commit_thread(void *context)
{
    char *group_id = context;
    for (int i = 1; i <= commits_max; i++) {
        ask self = {0};
        commit(&self, group_id, i);
        wait_for(&self);
    }
    return NULL;
}

static int64_t offset_of(const char *group_id)
{
    sluice_arena *arena = sluice_arena_new();
    const group_core *core = group_coordinator_read(coordinator);
    int64_t offset = group_core_offset(core, B(group_id), B("t"), 0, arena).offset;
    group_coordinator_read_end(coordinator);
    sluice_arena_free(arena);
    return offset;
}

TEST(commits_of_many_threads_are_all_answered_when_durable)
{
    static char names[threads_max][2] = {"a", "b", "c", "a"};
    coordinator =
        group_coordinator_new(&(group_config)GROUP_CONFIG_DEFAULT, &ops, NULL);
    synchronous = ended = false;
    pthread_t sync, threads[threads_max];
    pthread_create(&sync, NULL, sync_thread, NULL);
    for (int i = 0; i < threads_max; i++) {
        pthread_create(&threads[i], NULL, commit_thread, names[i]);
    }
    for (int i = 0; i < threads_max; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(sync, NULL);
    CHECK_INT(token_done, threads_max * commits_max);
    CHECK_INT(offset_of("a"), commits_max);
    CHECK_INT(offset_of("c"), commits_max);
    group_coordinator_free(coordinator);
}

TEST(a_log_that_is_durable_before_the_append_returns_is_no_deadlock)
{
    coordinator =
        group_coordinator_new(&(group_config)GROUP_CONFIG_DEFAULT, &ops, NULL);
    synchronous = true;
    ask self = {0};
    commit(&self, "g", 7);
    CHECK_INT(self.times, 1);
    CHECK_INT(offset_of("g"), 7);
    group_coordinator_free(coordinator);
}

static void join(ask *self, const char *member_id)
{
    group_protocol protocol = {B("range"), B("")};
    group_event event = {.type = GROUP_JOIN,
                         .request = self,
                         .join = {.group_id = B("g"),
                                  .member_id = B(member_id),
                                  .client_id = B("c"),
                                  .client_host = B("/h"),
                                  .protocol_type = B("consumer"),
                                  .session_timeout_ms = 10000,
                                  .rebalance_timeout_ms = 10000,
                                  .protocols = &protocol,
                                  .protocol_count = 1}};
    group_coordinator_submit(coordinator, &event);
}

TEST(the_soonest_timer_is_asked_for_and_a_stop_answers_who_is_parked)
{
    coordinator =
        group_coordinator_new(&(group_config)GROUP_CONFIG_DEFAULT, &ops, NULL);
    synchronous = true;
    wake_ms = 0;
    ask a = {0}, b = {0}, c = {0};
    join(&a, "");
    CHECK_INT(a.error_code, 0);
    CHECK_INT(wake_ms, 11000);
    join(&b, "");
    CHECK_INT(b.times, 0);
    group_coordinator_wake(coordinator);
    CHECK_INT(wake_ms, 11000);
    group_coordinator_stop(coordinator);
    CHECK_INT(b.error_code, ERROR_NOT_COORDINATOR);
    join(&c, "");
    CHECK_INT(c.error_code, ERROR_NOT_COORDINATOR);
    group_coordinator_free(coordinator);
}

TEST_MAIN
