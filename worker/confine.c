/* What a connector host may do to the machine. */
#include "worker/confine.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

/* struct landlock_ruleset_attr of Linux 6.12, which Debian 12's headers do not have. */
typedef struct scope {
    uint64_t files, network, scoped;
} scope;

enum { scope_of_signals = 2 }; /* LANDLOCK_SCOPE_SIGNAL */

/* A plugin that has its process ids wrong, or means it, reaches its own process and
 * what that has started: not the nursery, the worker or another connector, neither by a
 * signal nor as a debugger. Older kernels do not know it, and do without. */
static void keep_to_its_own(void)
{
    const scope own = {.scoped = scope_of_signals};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &own, sizeof own, 0U);
    if (rules >= 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        syscall(SYS_landlock_restrict_self, rules, 0U);
        close(rules);
    }
}

void confine_host(const nursery_limits *limits)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keep_to_its_own();
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
