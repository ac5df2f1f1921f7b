/* The nursery: hosts are forked, killed, and their ends told. */
#include "worker/control/control.h"
#include "worker/nursery.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <test.h>
#include <time.h>
#include <unistd.h>

static void tell_limits(int control_fd)
{
    struct rlimit memory, files;
    char score[16] = "";
    int fd = open("/proc/self/oom_score_adj", O_RDONLY);
    CHECK(read(fd, score, sizeof score - 1) > 0);
    close(fd);
    getrlimit(RLIMIT_DATA, &memory);
    getrlimit(RLIMIT_NOFILE, &files);
    int64_t has[4] = {(int64_t)memory.rlim_cur, (int64_t)files.rlim_cur,
                      getpriority(PRIO_PROCESS, 0),
                      strcmp(score, "500\n") == 0 ? 500 : -1};
    (void)!write(control_fd, has, sizeof has);
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum { burn_ms = 60, burn_long_ms = 400 };

static void burn(int64_t ms)
{
    int64_t end = clock_ms(CLOCK_PROCESS_CPUTIME_ID) + ms;
    while (clock_ms(CLOCK_PROCESS_CPUTIME_ID) < end) {
    }
}

/* Whether its own child could be killed, and the nursery could not. */
static bool kill_others(void)
{
    pid_t child = fork();
    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    int ended;
    bool own = kill(child, SIGKILL) == 0 && waitpid(child, &ended, 0) == child;
    return kill(getppid(), SIGKILL) != 0 && errno == EPERM && own;
}

/* A child that does what the bytes on its control channel say, until its end. */
static int obedient(int control_fd, int doing_fd)
{
    char order = 0;
    while (read(control_fd, &order, 1) == 1) {
        switch (order) {
        case 'p': /* Says something on all ways out. */
            printf("out ");
            fflush(stdout);
            fprintf(stderr, "err");
            (void)!write(control_fd, "done", 4);
            break;
        case 'c': {
            struct rlimit none = {0, 0};
            setrlimit(RLIMIT_CORE, &none);
            signal(SIGSEGV, SIG_DFL); /* A sanitizer's stays out of this. */
            raise(SIGSEGV);
            break;
        }
        case 'e':
            return 7;
        case 'f': /* A plugin's own child, which outlives it. */
            if (fork() == 0) {
                for (;;) {
                    pause();
                }
            }
            (void)!write(control_fd, "done", 4);
            break;
        case 's': /* The same as a daemon: another session, no parent. */
            if (fork() == 0) {
                setsid();
                if (fork() == 0) {
                    (void)!write(control_fd, "done", 4);
                    for (;;) {
                        pause();
                    }
                }
                _exit(0);
            }
            break;
        case 'k': /* Ends its parent, if it can, and its own child, which it must. */
            (void)!write(control_fd, kill_others() ? "done" : "sent", 4);
            break;
        case 'b': /* Uses so much processor time … */
        case 'B': /* … or so much. */
            burn(order == 'b' ? burn_ms : burn_long_ms);
            (void)!write(control_fd, "done", 4);
            break;
        case 'l':
            tell_limits(control_fd);
            break;
        case 'd': {
            control_doing_page *page =
                mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                     doing_fd, 0);
            page->slots[1].call = CONTROL_CALL_POLL;
            snprintf(page->slots[1].note, sizeof page->slots[1].note, "snapshot of t");
            return 0;
        }
        default:
            return 99;
        }
    }
    return 0;
}

typedef struct child {
    int control;
    int err;
} child;

enum { long_grace_ms = 60000 };

static nursery_limits limits; /* Of the next host. */
static int64_t grace_ms = long_grace_ms;

static child start_child(nursery *self, int64_t id, int doing_fd)
{
    int pair[2], out[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    nursery_request request = {.id = id,
                               .title = "my-connector",
                               .control_fd = pair[1],
                               .stderr_fd = out[1],
                               .doing_fd = doing_fd,
                               .limits = limits,
                               .grace_ms = grace_ms};
    CHECK(nursery_fork(self, &request, NULL) == SLUICE_OK);
    close(pair[1]);
    close(out[1]);
    return (child){.control = pair[0], .err = out[0]};
}

static nursery_event next_event(nursery *self)
{
    nursery_event event;
    struct pollfd readable = {.fd = nursery_fd(self), .events = POLLIN};
    CHECK(poll(&readable, 1, 60000) == 1);
    CHECK(nursery_next(self, &event));
    return event;
}

/* Until nobody holds the host's stderr any more. */
static void await_end(child who)
{
    char bytes[16];
    ssize_t got;
    while ((got = read(who.err, bytes, sizeof bytes)) > 0) {
    }
    CHECK_INT(got, 0);
}

static void order(child who, const char *what)
{
    CHECK(write(who.control, what, 1) == 1);
}

static void await_done(child who)
{
    char answer[4];
    CHECK(recv(who.control, answer, 4, MSG_WAITALL) == 4);
    CHECK(memcmp(answer, "done", 4) == 0);
}

static void start(nursery *self)
{
    CHECK(nursery_start(self, obedient, NULL) == SLUICE_OK);
}

TEST(a_host_is_forked_and_its_exit_code_is_told)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 7, -1);
    nursery_event event = next_event(&self);
    CHECK_INT(event.kind, NURSERY_FORKED);
    CHECK_INT(event.id, 7);
    CHECK(event.pid > 0);
    pid_t pid = event.pid;
    order(host, "e");
    event = next_event(&self);
    CHECK_INT(event.kind, NURSERY_EXITED);
    CHECK_INT(event.id, 7);
    CHECK_INT(event.pid, pid);
    CHECK_INT(event.code, 7);
    CHECK_INT(event.signal, 0);
    char text[100];
    nursery_event_text(&event, text, sizeof text);
    CHECK_TEXT(text, "exited with code 7");
    nursery_done(&self);
}

TEST(a_crash_is_told_with_its_signal)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    next_event(&self);
    order(host, "c");
    nursery_event event = next_event(&self);
    CHECK_INT(event.kind, NURSERY_EXITED);
    CHECK_INT(event.signal, SIGSEGV);
    CHECK_INT(event.code, -1);
    char text[100];
    nursery_event_text(&event, text, sizeof text);
    CHECK_TEXT(text, "killed by signal 11 (Segmentation fault)");
    nursery_done(&self);
}

TEST(a_host_that_does_not_answer_is_killed_and_its_neighbour_goes_on)
{
    nursery self;
    start(&self);
    child first = start_child(&self, 1, -1);
    next_event(&self);
    child second = start_child(&self, 2, -1);
    next_event(&self);
    CHECK(nursery_kill(&self, 1, SIGKILL, NULL) == SLUICE_OK);
    nursery_event event = next_event(&self);
    CHECK_INT(event.id, 1);
    CHECK_INT(event.signal, SIGKILL);
    CHECK(nursery_kill(&self, 1, SIGKILL, NULL) == SLUICE_OK); /* Too late: nothing. */
    order(second, "p");
    await_done(second);
    close(first.control);
    close(second.control);
    event = next_event(&self);
    CHECK_INT(event.id, 2);
    CHECK_INT(event.code, 0);
    nursery_done(&self);
}

TEST(what_a_host_writes_goes_to_its_own_stderr)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    order(host, "p");
    await_done(host);
    order(host, "e");
    char text[16] = "";
    size_t len = 0;
    ssize_t got;
    while ((got = read(host.err, text + len, sizeof text - 1 - len)) > 0) {
        len += (size_t)got;
    }
    CHECK_INT(got, 0);
    CHECK_TEXT(text, "out err");
    nursery_done(&self);
}

TEST(the_end_of_a_host_ends_the_children_of_its_plugins)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    order(host, "f");
    await_done(host);
    order(host, "e");
    await_end(host);
    nursery_done(&self);
}

TEST(without_the_worker_the_nursery_and_its_hosts_end)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    shutdown(self.fd, SHUT_RDWR);
    order(host, "p"); /* The host is not hurt … */
    await_done(host);
    close(host.control); /* … until its own channel ends. */
    await_end(host);
    nursery_done(&self);
}

TEST(without_the_worker_a_host_that_does_not_end_is_killed)
{
    nursery self;
    start(&self);
    grace_ms = 1;
    child host = start_child(&self, 1, -1);
    grace_ms = long_grace_ms;
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    nursery_done(&self); /* Its channel is open still. */
    await_end(host);
}

TEST(hosts_end_with_a_nursery_that_is_killed)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    order(host, "p");
    await_done(host);
    kill(self.pid, SIGKILL);
    await_end(host);
    nursery_done(&self);
}

TEST(what_has_left_the_group_of_a_host_is_ended_with_it)
{
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    order(host, "s");
    await_done(host);
    order(host, "e");
    await_end(host);
    nursery_done(&self);
}

TEST(a_host_has_the_limits_that_it_was_given)
{
    nursery self;
    start(&self);
    limits = (nursery_limits){.memory_bytes = 1 << 28, .files = 50, .nice = 3};
    child host = start_child(&self, 1, -1);
    limits = (nursery_limits){0};
    order(host, "l");
    int64_t has[4];
    CHECK(recv(host.control, has, sizeof has, MSG_WAITALL) == sizeof has);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK_INT(has[0], 1 << 28);
#endif
    CHECK_INT(has[1], 50);
    int nice = getpriority(PRIO_PROCESS, 0) + 3;
    CHECK_INT(has[2], nice < 19 ? nice : 19); /* The system's highest. */
    CHECK_INT(has[3], 500);
    close(host.control);
    await_end(host);
    nursery_done(&self);
}

/* For how long a host has been held back, as far as that was told; `before` otherwise.
 */
static int64_t held_ms(nursery *self, int64_t before)
{
    nursery_event event;
    while (nursery_next(self, &event)) {
        CHECK_INT(event.kind, NURSERY_HELD);
        CHECK_INT(event.id, 1);
        CHECK(event.held_ms > before);
        before = event.held_ms;
    }
    return before;
}

/* In the time in which it is held back it uses nothing: what it has used comes on top
 * of that. Were it not stopped, both would be the same time. */
TEST(a_host_gets_its_share_of_the_processor_and_no_more)
{
    nursery self;
    start(&self);
    limits = (nursery_limits){.cpu_percent = 2};
    child host = start_child(&self, 1, -1);
    limits = (nursery_limits){0};
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    int64_t began = clock_ms(CLOCK_MONOTONIC), held = 0;
    int times = 0;
    while (held < 1000 && times < 50) {
        order(host, "b");
        await_done(host);
        times++;
        held = held_ms(&self, held);
    }
    CHECK(held >= 1000);
    CHECK(clock_ms(CLOCK_MONOTONIC) - began >= held + times * burn_ms / 2);
    close(host.control);
    await_end(host);
    nursery_done(&self);
}

TEST(a_host_that_is_held_back_can_be_killed)
{
    nursery self;
    start(&self);
    limits = (nursery_limits){.cpu_percent = 1};
    child host = start_child(&self, 1, -1);
    limits = (nursery_limits){0};
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    order(host, "B"); /* Which takes it forty seconds. */
    CHECK_INT(next_event(&self).kind, NURSERY_HELD);
    CHECK(nursery_kill(&self, 1, SIGKILL, NULL) == SLUICE_OK);
    nursery_event event;
    while ((event = next_event(&self)).kind == NURSERY_HELD) {
    }
    CHECK_INT(event.kind, NURSERY_EXITED);
    CHECK_INT(event.signal, SIGKILL);
    await_end(host);
    nursery_done(&self);
}

TEST(without_the_worker_no_host_is_held_back)
{
    nursery self;
    start(&self);
    limits = (nursery_limits){.cpu_percent = 1};
    child host = start_child(&self, 1, -1);
    limits = (nursery_limits){0};
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    int64_t began = clock_ms(CLOCK_MONOTONIC);
    order(host, "B");
    CHECK_INT(next_event(&self).kind, NURSERY_HELD);
    shutdown(self.fd, SHUT_RDWR);
    await_done(host);
    CHECK(clock_ms(CLOCK_MONOTONIC) - began < 30000);
    close(host.control);
    await_end(host);
    nursery_done(&self);
}

/* Landlock's sixth version. */
static bool signals_can_be_kept(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) >= 6;
}

TEST(a_host_cannot_kill_who_is_not_its_own)
{
    if (!signals_can_be_kept()) {
        return; /* An older kernel. */
    }
    nursery self;
    start(&self);
    child host = start_child(&self, 1, -1);
    CHECK_INT(next_event(&self).kind, NURSERY_FORKED);
    order(host, "k");
    await_done(host);
    close(host.control);
    CHECK_INT(next_event(&self).kind, NURSERY_EXITED);
    await_end(host);
    nursery_done(&self);
}

TEST(a_nursery_that_died_is_told)
{
    nursery self;
    start(&self);
    kill(self.pid, SIGKILL);
    CHECK_INT(next_event(&self).kind, NURSERY_GONE);
    nursery_request request = {
        .id = 1, .title = "c", .control_fd = 0, .stderr_fd = 2, .doing_fd = -1};
    sluice_error *err = sluice_error_new();
    CHECK_INT(nursery_fork(&self, &request, err), SLUICE_FATAL);
    CHECK_TEXT(sluice_error_text(err), "the nursery does not answer: Broken pipe");
    sluice_error_free(err);
    nursery_done(&self);
}

TEST(what_a_host_was_doing_is_read_after_its_end)
{
    nursery self;
    start(&self);
    int fd = memfd_create("doing", MFD_CLOEXEC);
    CHECK(ftruncate(fd, CONTROL_DOING_BYTES) == 0);
    control_doing_page *page =
        mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    child host = start_child(&self, 1, fd);
    order(host, "d");
    next_event(&self);
    CHECK_INT(next_event(&self).code, 0);
    char text[200];
    control_doing_text(page, text, sizeof text);
    CHECK_TEXT(text, "in poll of task 0 (snapshot of t)");
    memset(page, 0xff, CONTROL_DOING_BYTES); /* Garbage is survived. */
    control_doing_text(page, text, sizeof text);
    CHECK(strlen(text) < sizeof text);
    munmap(page, CONTROL_DOING_BYTES);
    close(fd);
    nursery_done(&self);
}

TEST_MAIN
