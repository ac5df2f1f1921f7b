/* tests/tsan/c11_threads.c - C11's threads made of POSIX's, for LD_PRELOAD: librdkafka
 * uses the former, ThreadSanitizer knows only the latter, and would see none of the
 * locks under which librdkafka hands messages from thread to thread.
 *
 * glibc's own types are the same size as POSIX's, and zero is what initialises both. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mutex has room");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a condition has room");
_Static_assert(sizeof(once_flag) >= sizeof(pthread_once_t), "a flag has room");
_Static_assert(sizeof(thrd_t) >= sizeof(pthread_t), "a thread has room");

#define EXPORTED __attribute__((visibility("default")))

/* --- Threads. --- */

typedef struct beginning {
    thrd_start_t run;
    void *argument;
} beginning;

static void *run(void *argument)
{
    beginning begin = *(beginning *)argument;
    free(argument);
    return (void *)(intptr_t)begin.run(begin.argument);
}

static int answer(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    case ENOMEM:
        return thrd_nomem;
    default:
        return thrd_error;
    }
}

EXPORTED int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
    beginning *begin = malloc(sizeof *begin);
    if (begin == NULL) {
        return thrd_nomem;
    }
    *begin = (beginning){start, argument};
    int error = pthread_create(thread, NULL, run, begin);
    if (error != 0) {
        free(begin);
    }
    return answer(error);
}

EXPORTED int thrd_join(thrd_t thread, int *result)
{
    void *ended;
    int error = pthread_join(thread, &ended);
    if (error == 0 && result != NULL) {
        *result = (int)(intptr_t)ended;
    }
    return answer(error);
}

EXPORTED int thrd_detach(thrd_t thread)
{
    return answer(pthread_detach(thread));
}

/* --- Locks. --- */

EXPORTED int mtx_init(mtx_t *lock, int kind)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, (kind & mtx_recursive) != 0
                                               ? PTHREAD_MUTEX_RECURSIVE
                                               : PTHREAD_MUTEX_NORMAL);
    int error = pthread_mutex_init((pthread_mutex_t *)lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return answer(error);
}

EXPORTED void mtx_destroy(mtx_t *lock)
{
    pthread_mutex_destroy((pthread_mutex_t *)lock);
}

EXPORTED int mtx_lock(mtx_t *lock)
{
    return answer(pthread_mutex_lock((pthread_mutex_t *)lock));
}

EXPORTED int mtx_trylock(mtx_t *lock)
{
    return answer(pthread_mutex_trylock((pthread_mutex_t *)lock));
}

EXPORTED int mtx_timedlock(mtx_t *restrict lock, const struct timespec *restrict end)
{
    return answer(pthread_mutex_timedlock((pthread_mutex_t *)lock, end));
}

EXPORTED int mtx_unlock(mtx_t *lock)
{
    return answer(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

/* --- Conditions. --- */

EXPORTED int cnd_init(cnd_t *condition)
{
    return answer(pthread_cond_init((pthread_cond_t *)condition, NULL));
}

EXPORTED void cnd_destroy(cnd_t *condition)
{
    pthread_cond_destroy((pthread_cond_t *)condition);
}

EXPORTED int cnd_signal(cnd_t *condition)
{
    return answer(pthread_cond_signal((pthread_cond_t *)condition));
}

EXPORTED int cnd_broadcast(cnd_t *condition)
{
    return answer(pthread_cond_broadcast((pthread_cond_t *)condition));
}

EXPORTED int cnd_wait(cnd_t *condition, mtx_t *lock)
{
    return answer(
        pthread_cond_wait((pthread_cond_t *)condition, (pthread_mutex_t *)lock));
}

EXPORTED int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict lock,
                           const struct timespec *restrict end)
{
    return answer(pthread_cond_timedwait((pthread_cond_t *)condition,
                                         (pthread_mutex_t *)lock, end));
}

/* --- Once. --- */

EXPORTED void call_once(once_flag *flag, void (*function)(void))
{
    pthread_once((pthread_once_t *)flag, function);
}
