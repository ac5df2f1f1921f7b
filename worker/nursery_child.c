/* The nursery process: forks hosts, waits for them, and tells how they ended. */
#include "worker/nursery_child.h"
#include "base/memory.h"
#include "worker/confine.h"
#include "worker/throttle.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    packet_bytes_max = 8 * 1024,
    fds_max = 3,
    socket_fd = 3,
    first_host_fd = 3,
    held_every_ms = 1000
};

typedef struct host_process {
    int64_t id;
    pid_t pid;
    throttle share;  /* Where its percent is not 0. */
    int64_t look_at; /* In ns; INT64_MAX: never. */
    int64_t held_ms; /* As it was told last … */
    int64_t told_ms; /* … and when. */
} host_process;

typedef struct state {
    int fd;
    int signal_fd;
    nursery_child child;
    host_process *hosts;
    size_t count;
    int64_t grace_ms; /* The longest that a host was given. */
    sigset_t before;
} state;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now_ms(void)
{
    return now_ns() / 1000000;
}

/* Moves `fds` to first, first + 1, … and closes every other one from there on. */
static void keep_only(const int *fds, size_t count, int first)
{
    int high[fds_max];
    for (size_t i = 0; i < count; i++) {
        high[i] = fcntl(fds[i], F_DUPFD, first + (int)count + 64);
    }
    for (size_t i = 0; i < count; i++) {
        dup2(high[i], first + (int)i);
    }
    close_range((unsigned)first + (unsigned)count, ~0U, 0);
}

static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        signal(ignored[i], SIG_IGN);
    }
}

static void tell(state *self, json_t *packet)
{
    char text[packet_bytes_max];
    size_t len = json_dumpb(packet, text, sizeof text, JSON_COMPACT);
    json_decref(packet);
    while (send(self->fd, text, len, MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

static int64_t number_of(const json_t *packet, const char *name)
{
    return json_integer_value(json_object_get(packet, name));
}

/* In the new process: becomes a host and ends with it. */
static void become_host(state *self, const json_t *packet, int *fds, size_t count)
    __attribute__((noreturn));

static void become_host(state *self, const json_t *packet, int *fds, size_t count)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &self->before, NULL);
    signal(SIGCHLD, SIG_DFL);
    dup2(fds[1], STDOUT_FILENO);
    dup2(fds[1], STDERR_FILENO);
    int kept[2] = {fds[0], count > 2 ? fds[2] : -1};
    keep_only(kept, count > 2 ? 2 : 1, first_host_fd);
    char name[16];
    snprintf(name, sizeof name, "sluice:%s",
             json_string_value(json_object_get(packet, "title")));
    prctl(PR_SET_NAME, name);
    confine_host(
        &(nursery_limits){number_of(packet, "memory"), number_of(packet, "files"),
                          number_of(packet, "nice"), number_of(packet, "cpu")});
    int code = self->child(first_host_fd, count > 2 ? first_host_fd + 1 : -1);
    fflush(NULL);
    _exit(code);
}

static void add_host(state *self, int64_t id, pid_t pid, int64_t percent)
{
    self->hosts = memory_resize(self->hosts, (self->count + 1) * sizeof *self->hosts);
    host_process *host = &self->hosts[self->count++];
    *host = (host_process){.id = id, .pid = pid, .look_at = INT64_MAX};
    if (percent > 0) {
        throttle_init(&host->share, percent, now_ns());
        host->look_at = 0;
    }
}

static void handle_fork(state *self, const json_t *packet, int *fds, size_t fd_count)
{
    json_int_t id = json_integer_value(json_object_get(packet, "fork"));
    if (fd_count < 2 || !json_is_string(json_object_get(packet, "title"))) {
        tell(self, json_pack("{s:I,s:s}", "refused", id, "reason",
                             "the request has no title or no descriptors"));
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become_host(self, packet, fds, fd_count);
    }
    if (pid < 0) {
        tell(self, json_pack("{s:I,s:s}", "refused", id, "reason", strerror(errno)));
        return;
    }
    setpgid(pid, pid); /* Both sides: whoever comes first. */
    add_host(self, id, pid, number_of(packet, "cpu"));
    int64_t grace = number_of(packet, "grace");
    self->grace_ms = grace > self->grace_ms ? grace : self->grace_ms;
    tell(self, json_pack("{s:I,s:i}", "forked", id, "pid", (int)pid));
}

static void handle_kill(state *self, const json_t *packet)
{
    int64_t id = json_integer_value(json_object_get(packet, "kill"));
    int number = (int)json_integer_value(json_object_get(packet, "signal"));
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].id == id) {
            kill(-self->hosts[i].pid, number);
        }
    }
}

static void reap_one(state *self, pid_t pid, int status)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].pid != pid) {
            continue;
        }
        json_t *packet = json_pack("{s:I,s:i}", "exited", (json_int_t)self->hosts[i].id,
                                   "pid", (int)pid);
        if (WIFSIGNALED(status)) {
            json_object_set_new(packet, "signal", json_integer(WTERMSIG(status)));
            json_object_set_new(packet, "core", json_boolean(WCOREDUMP(status)));
        } else {
            json_object_set_new(packet, "code", json_integer(WEXITSTATUS(status)));
        }
        self->hosts[i] = self->hosts[--self->count];
        tell(self, packet);
        return;
    }
}

static bool is_host(const state *self, pid_t pid)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].pid == pid) {
            return true;
        }
    }
    return false;
}

/* What is a child of the nursery and no host was left behind by one. */
static void kill_strays(const state *self)
{
    FILE *children = fopen("/proc/thread-self/children", "re");
    int pid;
    while (children != NULL && fscanf(children, "%d", &pid) == 1) {
        if (!is_host(self, pid)) {
            kill(pid, SIGKILL);
        }
    }
    if (children != NULL) {
        fclose(children);
    }
}

/* The group of a process that has ended is killed before the process is reaped: until
 * then no other group can have its number. */
static void reap(state *self)
{
    struct signalfd_siginfo info;
    while (read(self->signal_fd, &info, sizeof info) > 0) {
    }
    for (;;) {
        siginfo_t ended = {0};
        if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid == 0) {
            return;
        }
        kill(-ended.si_pid, SIGKILL);
        int status = 0;
        waitpid(ended.si_pid, &status, 0);
        reap_one(self, ended.si_pid, status);
        kill_strays(self);
    }
}

/* --- Shares of the processor. --- */

/* Its group, and what of its descendants has left that. */
static void signal_tree(const pid_t *tree, size_t count, int number)
{
    kill(-tree[0], number);
    for (size_t i = 1; i < count; i++) {
        kill(tree[i], number);
    }
}

static void tell_held(state *self, host_process *host)
{
    int64_t held_ms = host->share.held_ns / 1000000;
    if (held_ms > host->held_ms && now_ms() >= host->told_ms + held_every_ms) {
        host->held_ms = held_ms;
        host->told_ms = now_ms();
        tell(self, json_pack("{s:I,s:I}", "held", (json_int_t)host->id, "ms",
                             (json_int_t)held_ms));
    }
}

static void look_at(state *self, host_process *host)
{
    pid_t tree[THROTTLE_TREE_MAX];
    size_t count;
    uint64_t used = throttle_tree_used(host->pid, tree, &count);
    throttle_deed deed = throttle_look(&host->share, used, now_ns(), &host->look_at);
    if (deed != THROTTLE_NOTHING) {
        signal_tree(tree, count, deed == THROTTLE_STOP ? SIGSTOP : SIGCONT);
    }
    tell_held(self, host);
}

/* Looks at those whose time has come. Returns for how many milliseconds there is
 * nothing to be done; -1: for ever. */
static int look_at_all(state *self)
{
    int64_t next = INT64_MAX, now = now_ns();
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].look_at <= now) {
            look_at(self, &self->hosts[i]);
        }
        next = self->hosts[i].look_at < next ? self->hosts[i].look_at : next;
    }
    if (next == INT64_MAX) {
        return -1;
    }
    int64_t wait = next - now_ns();
    return wait <= 0 ? 0 : (int)(wait / 1000000) + 1;
}

/* Without a worker nobody has to wait for anybody. */
static void let_all_go(state *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->hosts[i].share.stopped) {
            pid_t tree[THROTTLE_TREE_MAX];
            size_t count;
            throttle_tree_used(self->hosts[i].pid, tree, &count);
            signal_tree(tree, count, SIGCONT);
        }
    }
}

static size_t take_fds(struct msghdr *message, int *fds)
{
    size_t count = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
            count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(head), count * sizeof(int));
        }
    }
    return count;
}

/* One request. Returns false at the end of the socket. */
static bool serve(state *self)
{
    char text[packet_bytes_max];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * fds_max)];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = sizeof text};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t got = recvmsg(self->fd, &message, MSG_CMSG_CLOEXEC);
    if (got <= 0) {
        return got < 0 && errno == EINTR;
    }
    int fds[fds_max];
    size_t fd_count = take_fds(&message, fds);
    json_t *packet = json_loadb(text, (size_t)got, 0, NULL);
    if (json_object_get(packet, "fork") != NULL) {
        handle_fork(self, packet, fds, fd_count);
    } else if (json_object_get(packet, "kill") != NULL) {
        handle_kill(self, packet);
    }
    json_decref(packet);
    for (size_t i = 0; i < fd_count; i++) {
        close(fds[i]);
    }
    return true;
}

static void prepare(state *self)
{
    keep_only(&self->fd, 1, socket_fd);
    self->fd = socket_fd;
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null_fd, STDIN_FILENO);
    close(null_fd);
    fcntl(self->fd, F_SETFD, FD_CLOEXEC);
    ignore_signals();
    prctl(PR_SET_NAME, "sluice:nursery");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, &self->before);
    sigaction(SIGCHLD,
              &(struct sigaction){.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP},
              NULL);
    self->signal_fd = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The worker is gone: hosts end by themselves, or are ended. */
static void wait_for_hosts(state *self)
{
    int64_t end = now_ms() + self->grace_ms;
    while (self->count > 0) {
        struct pollfd wait = {.fd = self->signal_fd, .events = POLLIN};
        int64_t left = end - now_ms();
        if (left <= 0) {
            for (size_t i = 0; i < self->count; i++) {
                kill(-self->hosts[i].pid, SIGKILL);
            }
        }
        poll(&wait, 1, left <= 0 ? -1 : (int)left);
        reap(self);
    }
}

void nursery_run(int fd, nursery_child child)
{
    state self = {.fd = fd, .child = child};
    prepare(&self);
    bool open = true;
    while (open) {
        struct pollfd waits[] = {{.fd = self.fd, .events = POLLIN},
                                 {.fd = self.signal_fd, .events = POLLIN}};
        if (poll(waits, 2, look_at_all(&self)) < 0) {
            continue;
        }
        if (waits[1].revents != 0) {
            reap(&self);
        }
        if (waits[0].revents != 0) {
            open = serve(&self);
        }
    }
    let_all_go(&self);
    wait_for_hosts(&self);
    _exit(0);
}
