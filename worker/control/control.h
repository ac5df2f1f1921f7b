/* worker/control/control.h - what a worker and a connector host say to each other.
 *
 * Newline-delimited JSON over an AF_UNIX SOCK_STREAM pair; a line of the worker's has
 * at most 64 MiB, a host's 16 MiB. Names and texts of connectors, offsets and
 * configurations travel as they are in REST.
 *
 * Worker to host:
 *   {"start":{"name":"c","config":{…resolved…},"worker":{…worker properties…},
 *             "offsets":[[partition,offset],…],"state":"RUNNING|PAUSED",
 *             "target_generation":3}}            the first message of a running host
 *   {"pause":true} {"resume":true}
 *   {"stop":true}              stop the tasks, store the last offsets, exit with 0
 *   {"restart_task":0}
 *   {"stored":12}              the offsets of sequence number 12 are durable
 *   {"ping":5}                 liveness and figures, each second while somebody looks
 *   {"inspect":true,"worker":{…}}   the first message of an inspecting host
 *   {"cluster":{…worker properties…}}       to an inspecting host: who is the log?
 *   {"validate":{"id":1,"class":"…","config":{…},"worker":{…}}}
 *                              to an inspecting host, any number of times
 *   {"group_offsets":{"id":2,"action":"list|alter|delete","group":"connect-c",
 *                     "offsets":[[partition,offset],…],"config":{…},"worker":{…}}}
 *                              to an inspecting host: a sink's offsets
 *   {"logger":{"name":"…","level":"DEBUG"}}   at any time but first
 *
 * Host to worker:
 *   {"connector":{"state":"RUNNING|FAILED|PAUSED","trace":"…","type":"source|sink",
 *                 "class":"org…","version":"…"}}
 *   {"tasks":[{…task config…},…]}     after each split, before the tasks start
 *   {"task":0,"state":"RUNNING|PAUSED|FAILED|UNASSIGNED","trace":"…"}  on every change
 *   {"offsets":[[partition,offset],…],"seq":12}
 *                              a source's: every record up to there is in the log.
 *                              The worker stores them and answers "stored"; one
 *                              message is under way at a time. An offset of null takes
 *                              the partition out
 *   {"topic":"t"}              a topic that is used for the first time
 *   {"pong":5,"tasks":[{"id":0,"records":123,"bytes":4567,"lag":0,"in_flight":0,
 *                       "doing":"…"|null,"retry":"…"|null,"gauges":{"name":1},
 *                       "figures":{"batch-size-avg":1.5|null,…},
 *                       "stages":{"VALUE_CONVERTER":2,…},
 *                       "places":[["topic",0,next,committed,lag],…],
 *                       "stuck":5000,"call":"put"}]}
 *                              figures: Kafka Connect's attributes of the task; null
 *                              for NaN. places: a sink's partitions, when they are news
 *                              "stuck": for so many ms a plugin's function has neither
 *                              returned nor asked for anything; left out where it is 0
 *   {"plugins":[…],"refused":[{"path":"…","reason":"…"}]}
 *   {"validated":{"name":"…","error_count":n,"groups":[…],"configs":[…]},"id":1}
 *       as Kafka Connect's PUT /connector-plugins/{p}/config/validate answers;
 *       {"validated":null,"id":1,"error":"Failed to find any class that …"} when the
 *       class is not there
 *   {"group_offsets":[…]|null,"id":2,"error":"…"?,"code":"NON_EMPTY_GROUP"?}
 *   {"cluster":{"id":"…"}} or {"cluster":{"error":"…"}}
 *
 * Exit code 0: stopped as asked, or the worker is gone and everything was left in
 * order. HOST_EXIT_REFUSED: the first message was none of the above. Anything else,
 * and any signal, is a crash. A failed connector or task is not: its host stays and
 * answers until it is told to stop.
 *
 * Apart from these messages there is one shared page, a memfd that the worker makes
 * (CONTROL_DOING_BYTES) and keeps mapped: which callback each task is in. It costs the
 * host a store, and is there to be read when the host no longer is. */
#ifndef SLUICE_WORKER_CONTROL_CONTROL_H
#define SLUICE_WORKER_CONTROL_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTROL_LINE_BYTES_MAX = 64 * 1024 * 1024,
    CONTROL_SAID_BYTES_MAX = 16 * 1024 * 1024, /* A host's: the worker parses it where
                                                  everybody waits, in 0.2 s at most. */
    CONTROL_DOING_TASKS = 1023,                /* Tasks beyond are not shown. */
    CONTROL_NOTE_SIZE = 56,
    HOST_EXIT_REFUSED = 2,
    HOST_EXIT_GRACE_OVER = 3, /* A task did not stop in time after the worker left. */
    HOST_EXIT_DAMAGED = 4,    /* Somebody has closed a descriptor of the host's own. */
};

/* Which function of a plugin, or which part of the worker's own, a thread is in. */
typedef enum control_call {
    CONTROL_CALL_NONE = 0,
    CONTROL_CALL_LOAD, /* dlopen(). */
    CONTROL_CALL_SPLIT,
    CONTROL_CALL_CREATE,
    CONTROL_CALL_POLL,
    CONTROL_CALL_COMMITTED,
    CONTROL_CALL_TRANSFORM,
    CONTROL_CALL_CONVERT,
    CONTROL_CALL_PRODUCE,
    CONTROL_CALL_CONSUME,
    CONTROL_CALL_OPEN,
    CONTROL_CALL_PUT,
    CONTROL_CALL_FLUSH,
    CONTROL_CALL_CLOSE,
    CONTROL_CALL_DESTROY,
    CONTROL_CALL_CHECK, /* A configuration. */
} control_call;

/* Whether it is a plugin that has to return from it. */
bool control_call_is_plugin(uint32_t call);

/* "poll", "put" …; a constant. "unknown" for anything else: a host may have died while
 * it wrote. */
const char *control_call_name(uint32_t call);

typedef struct control_doing {
    _Atomic uint32_t call;        /* With TASK_WAITS of lib/task.h, or without. */
    char note[CONTROL_NOTE_SIZE]; /* sluice_task_doing(); NUL-ended by the reader. */
    _Atomic uint32_t turns;       /* Counts up with each sign of life. */
} control_doing;

typedef struct control_doing_page {
    _Atomic uint32_t crashed; /* 0: none; else the crashed thread's slot + 1. */
    /* What the process had allocated then, in KiB, as RLIMIT_DATA counts; 0: unknown.
     */
    _Atomic uint32_t data_kib;
    uint32_t unused[14];
    /* Slot 0 is the host's main thread, slot n + 1 is task n. */
    control_doing slots[CONTROL_DOING_TASKS + 1];
} control_doing_page;

enum { CONTROL_DOING_BYTES = sizeof(control_doing_page) };

/* What a host was doing when it ended, for a trace: "in poll of task 0 (snapshot of
 * public.t)", "in split", or "" when nothing is known. The page is read as what an
 * enemy wrote. */
void control_doing_text(const control_doing_page *page, char *ret_text, size_t size);

#endif
