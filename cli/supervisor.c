/* Keeps child processes of this program running. */
#include "supervisor.h"
#include "base/memory.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    backoff_first_ms = 100,
    backoff_max_ms = 10000,
    long_life_ms = 60000,
    stop_ms = 30000,
    probe_ms = 2, /* Between two looks whether a child is up. */
    arguments_max = 4096,
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void signal_set(sigset_t *ret_signals)
{
    sigemptyset(ret_signals);
    sigaddset(ret_signals, SIGCHLD);
    sigaddset(ret_signals, SIGINT);
    sigaddset(ret_signals, SIGTERM);
}

void supervisor_init(supervisor *self)
{
    sigset_t signals;
    *self = (supervisor){0};
    signal_set(&signals);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* This program by the path it was started from, so that `ps` shows its name; or by what
 * works even when that was replaced. The caller's. */
static char *own_path(void)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    path[len < 0 ? 0 : len] = '\0';
    return memory_text(access(path, X_OK) == 0 ? path : "/proc/self/exe");
}

/* In the child; does not return. A terminal's Ctrl-C reaches only the supervisor, which
 * stops the children in their order. */
static void become(const char *const *arguments, pid_t supervisor_pid)
{
    const char *line[arguments_max] = {"sluice"};
    sigset_t none;
    for (size_t i = 0; arguments[i] != NULL && i < arguments_max - 2; i++) {
        line[i + 1] = arguments[i];
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == supervisor_pid) {
        execv(own_path(), (char *const *)line);
    }
    fprintf(stderr, "the program cannot be started: %s\n", strerror(errno));
    _exit(127);
}

static void spawn(supervisor_child *child, const char *const *arguments)
{
    pid_t self = getpid();
    child->started_at = now_ms();
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        become(arguments, self);
    }
    if (child->pid < 0) {
        sluice_log(SLUICE_ERROR, "up", "the %s cannot be forked: %s", child->name,
                   strerror(errno));
        child->pid = 0;
    }
}

/* The child whose process has ended since the last look, or NULL. */
static supervisor_child *reap(supervisor *self, int *ret_status)
{
    for (size_t i = 0; i < self->count; i++) {
        supervisor_child *child = self->children[i];
        if (child->pid > 0 && waitpid(child->pid, ret_status, WNOHANG) == child->pid) {
            child->pid = 0;
            return child;
        }
    }
    return NULL;
}

static const char *describe(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        const char *words = sigdescr_np(WTERMSIG(status));
        snprintf(text, size, "was killed by signal %d (%s)", WTERMSIG(status),
                 words == NULL ? "unknown" : words);
    } else {
        snprintf(text, size, "exited with code %d", WEXITSTATUS(status));
    }
    return text;
}

/* Waits for a signal, or at most `ms`. */
static void wait_signal(supervisor *self, int64_t ms)
{
    sigset_t signals;
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    signal_set(&signals);
    int got =
        ms < 0 ? sigwaitinfo(&signals, NULL) : sigtimedwait(&signals, NULL, &time);
    if (got == SIGINT || got == SIGTERM) {
        self->asked_to_stop = true;
    }
}

static bool is_up(const supervisor_child *child)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)child->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return up;
}

bool supervisor_start(supervisor *self, supervisor_child *child)
{
    int status;
    char text[128];
    self->children[self->count++] = child;
    child->backoff_ms = backoff_first_ms;
    if (is_up(child)) {
        fprintf(stderr, "port %d, the %s's, is in use by another program\n",
                child->port, child->name);
        return false;
    }
    spawn(child, child->first);
    while (child->pid > 0 && !self->asked_to_stop && !is_up(child)) {
        wait_signal(self, probe_ms);
        supervisor_child *ended = reap(self, &status);
        if (ended != NULL) {
            fprintf(stderr, "the %s %s before everything was ready\n", ended->name,
                    describe(status, text, sizeof text));
            return false;
        }
    }
    return child->pid > 0 && !self->asked_to_stop;
}

static void plan(supervisor_child *child, int status)
{
    char text[128];
    int64_t now = now_ms();
    if (now - child->started_at >= long_life_ms) {
        child->backoff_ms = backoff_first_ms;
    }
    sluice_log(SLUICE_ERROR, "up", "the %s %s; it is started again in %lld ms",
               child->name, describe(status, text, sizeof text),
               (long long)child->backoff_ms);
    child->start_at = now + child->backoff_ms;
    child->backoff_ms *= 2;
    if (child->backoff_ms > backoff_max_ms) {
        child->backoff_ms = backoff_max_ms;
    }
}

/* Starts what is due; how long the next one has to wait, -1: there is none. */
static int64_t start_due(supervisor *self)
{
    int64_t wait = -1, now = now_ms();
    for (size_t i = 0; i < self->count; i++) {
        supervisor_child *child = self->children[i];
        if (child->pid > 0) {
            continue;
        }
        if (child->start_at <= now) {
            spawn(child, child->again);
            child->start_at = now + backoff_max_ms; /* Where fork() was refused. */
        }
        if (child->pid == 0 && (wait < 0 || child->start_at - now < wait)) {
            wait = child->start_at - now;
        }
    }
    return wait;
}

bool supervisor_run(supervisor *self)
{
    while (!self->asked_to_stop) {
        int status;
        supervisor_child *ended;
        while ((ended = reap(self, &status)) != NULL) {
            plan(ended, status);
        }
        wait_signal(self, start_due(self));
    }
    return true;
}

static void stop_child(supervisor *self, supervisor_child *child)
{
    int64_t until = now_ms() + stop_ms;
    int status;
    kill(child->pid, SIGTERM);
    while (child->pid > 0 && now_ms() < until) {
        if (waitpid(child->pid, &status, WNOHANG) == child->pid) {
            child->pid = 0;
        } else {
            wait_signal(self, until - now_ms());
        }
    }
    if (child->pid > 0) {
        sluice_log(SLUICE_WARN, "up", "the %s did not stop within %d ms and is killed",
                   child->name, stop_ms);
        kill(child->pid, SIGKILL);
        waitpid(child->pid, &status, 0);
        child->pid = 0;
    }
}

void supervisor_stop(supervisor *self)
{
    for (size_t i = self->count; i > 0; i--) {
        if (self->children[i - 1]->pid > 0) {
            stop_child(self, self->children[i - 1]);
        }
    }
}
