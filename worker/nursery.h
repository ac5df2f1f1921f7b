/* worker/nursery.h - the process that connector hosts are forked from.
 *
 * The worker has threads, and a process with threads must not fork and go on. So before
 * its first thread it starts the nursery: one process with one thread, libsluice and
 * librdkafka loaded and relocated, which forks a connector host on request, waits for
 * its end and tells it. A host so begins in 0.1 ms and shares those pages.
 *
 *     worker ── AF_UNIX SOCK_SEQPACKET, a JSON object a packet ──► nursery ──fork──►
 * host
 *       {"fork":7,"title":"c",…} + [control, stderr, doing]    {"forked":7,"pid":123}
 *       {"kill":7,"signal":9} {"refused":7,"reason":"…"}
 *                                                 {"exited":7,"pid":123,"code":0}
 *                                                 {"exited":7,"pid":123,"signal":11}
 *                                                 {"held":7,"ms":1200}
 *
 * The nursery and the hosts ignore SIGINT, SIGTERM and SIGHUP, which a terminal or a
 * service manager sends to every process: they end when the worker says so or is gone.
 * At the end of the socket, hosts see the end of their own control channels; the
 * nursery waits until they have ended, kills those that take longer than they may, and
 * exits. When the nursery is killed itself, so are they.
 *
 * A host leads its own process group, so that a kill reaches the children of a plugin
 * too, and its end kills what is left of them. Children that have left the group are
 * given to the nursery by the kernel (PR_SET_CHILD_SUBREAPER) and killed by it.
 *
 * A host with a share of the processor is stopped (SIGSTOP) when it has used it up, and
 * goes on when it has a new one: throttle.h. The nursery does it since it is the
 * parent, which alone knows that a process id is still the one that it was; when the
 * worker is gone, all go on.
 *
 * Threads: fork and kill from any thread; fd and next from one. */
#ifndef SLUICE_WORKER_NURSERY_H
#define SLUICE_WORKER_NURSERY_H

#include <sluice/error.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child runs; its result is the exit code. `control_fd` and `doing_fd` are the
 * only descriptors that are open besides 0 (/dev/null), 1 and 2 (the stderr of the
 * request). host_main() is one. */
typedef int (*nursery_child)(int control_fd, int doing_fd);

typedef struct nursery {
    int fd;    /* The worker's end. */
    pid_t pid; /* The nursery itself. */
} nursery;

/* Forks the nursery, which inherits no descriptors but 0, 1 and 2. Must be called
 * before the process has a second thread. FATAL when the system refuses. */
sluice_status nursery_start(nursery *ret_nursery, nursery_child child,
                            sluice_error *err);

/* Ends the nursery and waits for it, and so for the last host. */
void nursery_done(nursery *self);

/* What a host may use. 0: no limit of its own. */
typedef struct nursery_limits {
    int64_t
        memory_bytes;    /* RLIMIT_DATA: what it may allocate, stacks of threads too. */
    int64_t files;       /* RLIMIT_NOFILE: how many descriptors may be open. */
    int64_t nice;        /* Is added to the worker's: 19 gets what nobody else wants. */
    int64_t cpu_percent; /* Of one processor, with all its children. */
} nursery_limits;

typedef struct nursery_request {
    int64_t id;        /* The worker's own; comes back in events. Unique. */
    const char *title; /* The connector: shown by `ps` as "sluice:TITLE". */
    int control_fd;    /* The host's ends; the worker closes its copies afterwards. */
    int stderr_fd;     /* Becomes the host's stdout and stderr. */
    int doing_fd;      /* The page of control.h; -1: none. */
    nursery_limits limits;
    int64_t grace_ms; /* How long it may go on when the worker is gone. */
} nursery_request;

/* Asks for a host; the answer is a FORKED or REFUSED event. FATAL when the nursery is
 * gone. */
sluice_status nursery_fork(nursery *self, const nursery_request *request,
                           sluice_error *err);

/* Sends `signal` to the process group of host `id`. Nothing happens when it has ended.
 * FATAL when the nursery is gone. */
sluice_status nursery_kill(nursery *self, int64_t id, int signal, sluice_error *err);

typedef enum nursery_event_kind {
    NURSERY_FORKED,
    NURSERY_REFUSED, /* fork() failed; `reason` says why. */
    NURSERY_EXITED,
    NURSERY_HELD, /* For so long it has been stopped since it began, because of its
                     share of the processor: once a second while that is news. */
    NURSERY_GONE, /* The nursery itself has ended: no host can be started any more. */
} nursery_event_kind;

typedef struct nursery_event {
    nursery_event_kind kind;
    int64_t id;
    pid_t pid;
    int code;   /* EXITED: the exit code, or -1 when a signal ended it. */
    int signal; /* EXITED: that signal, or 0. */
    bool core;
    int64_t held_ms; /* HELD */
    char reason[128];
} nursery_event;

/* Readable when there are events. */
int nursery_fd(const nursery *self);

/* The next event, without waiting. Returns whether there was one. */
bool nursery_next(nursery *self, nursery_event *ret_event);

/* "killed by signal 11 (Segmentation fault)" or "exited with code 3", for messages. */
void nursery_event_text(const nursery_event *event, char *ret_text, size_t size);

#endif
