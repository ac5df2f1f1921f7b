/* All that a plugin should not do, on request. */
#include "misbehave.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { megabyte = 1024 * 1024, descriptors = 4096, lines = 2000 };

static volatile unsigned sink_of_results; /* Which may wrap around. */

/* A crash leaves no file of the test's memory behind. */
static void no_core(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

/* No debugger or sanitizer of the test's is to have a say. */
static void raise_plainly(int number)
{
    no_core();
#if defined(__SANITIZE_ADDRESS__)
    signal(number, SIG_DFL);
#endif
    raise(number);
}

static void crash(void)
{
    raise_plainly(SIGSEGV);
}

static void abort_plainly(void)
{
    raise_plainly(SIGABRT);
}

static void leave(void)
{
    exit(3);
}

static void leave_at_once(void)
{
    _exit(0);
}

static void spin(void)
{
    for (;;) {
        sink_of_results++;
    }
}

static void block(void)
{
    for (;;) {
        pause();
    }
}

static void leak(void)
{
    no_core();
    for (;;) {
        char *more = malloc(megabyte);
        memset(more, 1, megabyte); /* Without a look whether there is any. */
        sink_of_results += (unsigned)more[sink_of_results & 1];
    }
}

static void print(void)
{
    for (int i = 0; i < lines; i++) {
        printf("{\"task\":0,\"state\":\"FAILED\",\"trace\":\"printed\"}\n");
        fprintf(stderr, "line %d of a plugin\n", i);
    }
    fflush(stdout);
}

static void eat_descriptors(void)
{
    for (int i = 0; i < descriptors && open("/dev/null", O_RDONLY) >= 0; i++) {
    }
}

static void close_descriptors(void)
{
    for (int i = 3; i < descriptors; i++) {
        close(i);
    }
}

static void write_everywhere(void)
{
    for (int i = 3; i < 64; i++) {
        (void)!write(i, "garbage\n", 8);
    }
}

static void *run_for_ever(void *nothing)
{
    for (;;) {
        pause();
    }
    return nothing;
}

static void leave_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run_for_ever, NULL);
}

/* A daemon in a session of its own, which holds all descriptors. */
static void leave_child(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            run_for_ever(NULL);
        }
        _exit(0);
    }
}

static void leave_child_and_crash(void)
{
    leave_child();
    crash();
}

static void ignore_signal(int number)
{
    (void)number;
}

static void change_process(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    for (int i = 1; i < 32; i++) {
        signal(i, ignore_signal);
    }
    (void)!chdir("/");
    umask(0777);
    signal(SIGCHLD, SIG_IGN);
}

static const struct {
    const char *name;
    void (*run)(void);
} deeds[] = {
    {"crash", crash},
    {"abort", abort_plainly},
    {"exit", leave},
    {"_exit", leave_at_once},
    {"spin", spin},
    {"block", block},
    {"leak", leak},
    {"print", print},
    {"descriptors", eat_descriptors},
    {"close", close_descriptors},
    {"write", write_everywhere},
    {"thread", leave_thread},
    {"child", leave_child},
    {"child-crash", leave_child_and_crash},
    {"process", change_process},
    {"nonsense", hostile_say_nonsense},
    {"flood", hostile_flood},
    {"much", hostile_say_much},
    {"tasks", hostile_many_tasks},
    {"page", hostile_damage_page},
    {"prints", hostile_print_without_end},
    {"stop", hostile_stop},
    {"processes", hostile_many_processes},
    {"parent", hostile_attack_parent},
    {"limits", hostile_take_away_limits},
    {"channel", hostile_replace_channel},
};

static bool is_first_time(const misbehaviour *self)
{
    int fd = self->once == NULL
                 ? -1
                 : open(self->once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return self->once == NULL || fd >= 0;
}

void misbehave(const misbehaviour *self, const char *at)
{
    if (strcmp(self->at, at) != 0 || !is_first_time(self)) {
        return;
    }
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (strcmp(deeds[i].name, self->how) == 0) {
            deeds[i].run();
        }
    }
}
