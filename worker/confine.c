/* What a connector host may do to the machine. */
#include "worker/confine.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* RLIMIT_DATA counts a thread's whole stack, used or not: eight megabytes each would
 * leave nothing of a small limit. */
enum { limited_stack_bytes = 1024 * 1024, out_of_memory_score = 500 };

static void lower(__rlimit_resource_t what, int64_t limit)
{
    struct rlimit now;
    if (limit > 0 && getrlimit(what, &now) == 0 && (rlim_t)limit < now.rlim_max) {
        now.rlim_cur = now.rlim_max = (rlim_t)limit;
        setrlimit(what, &now);
    }
}

/* A sanitizer's shadow counts as data, and is larger than any limit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { memory_can_be_limited = false };
#else
enum { memory_can_be_limited = true };
#endif

static void shrink_stacks(void)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, limited_stack_bytes);
    pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}

static void volunteer_for_out_of_memory(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!dprintf(fd, "%d", out_of_memory_score);
        close(fd);
    }
}

void confine_host(const nursery_limits *limits)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    volunteer_for_out_of_memory();
    lower(RLIMIT_NOFILE, limits->files);
    if (limits->memory_bytes > 0 && memory_can_be_limited) {
        lower(RLIMIT_DATA, limits->memory_bytes);
        shrink_stacks();
    }
    if (limits->nice > 0) {
        (void)!nice((int)limits->nice);
    }
}
