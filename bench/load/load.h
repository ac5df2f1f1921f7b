/* bench/load/load.h - a client of a broker that costs as little as one can: frames are
 * made once and sent over and over.
 *
 * One thread, one epoll. Every request of a connection has the same bytes (the broker
 * numbers the records), so whole windows of frames go out in one system call. Works
 * with any broker that serves Produce 7, Fetch 11, Metadata 8 and CreateTopics 4.
 *
 * Threads: one. Whatever goes wrong ends the program with a sentence: it is a bench. */
#ifndef SLUICE_BENCH_LOAD_H
#define SLUICE_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { load_produce_version = 7, load_fetch_version = 11 };

typedef struct load_options {
    int64_t port;
    const char *topic;
    int64_t partitions; /* Connection i uses partition i modulo this. */
    int64_t connections;
    int64_t record_bytes;
    int64_t records; /* In a batch. */
    int64_t acks;
    int64_t window;             /* Requests in flight on a connection, at most. */
    int64_t megabytes;          /* Stop after these, ... */
    int64_t seconds;            /* ... or after these. */
    int64_t rate;               /* Requests a second, open loop. */
    int64_t fetch_bytes;        /* Max bytes of a fetch. */
    int64_t wait_ms;            /* Max wait of a fetch. */
    int64_t pid;                /* Whose CPU time is read from /proc; 0: nobody's. */
    const char *folder;         /* Of the floor. */
    int64_t sync;               /* Of the floor: fdatasync() before answers. */
    const char *flush_messages; /* Of the topic that `create` makes. */
} load_options;

/* What a run counts; load_report() prints it as a line of JSON. */
typedef struct load_result {
    int64_t requests, records, bytes, errors;
    double seconds;
    double cpu_seconds;  /* Of `pid`. */
    uint32_t *latencies; /* Tenths of a microsecond, in order of arrival. */
    size_t latency_count, latency_room;
} load_result;

/* ---- client.c -------------------------------------------------------------------- */

void load_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

double load_now(void); /* Seconds, monotonic. */

/* User and system time of process `pid`, in seconds; 0 for pid 0. */
double load_cpu_seconds(int64_t pid);

/* A connection to 127.0.0.1, with TCP_NODELAY; blocking, or not. */
int load_connect(int64_t port, bool blocking);

/* Makes the topic and waits until all its partitions have a leader. */
void load_create_topic(const load_options *options);

void load_delete_topic(const load_options *options);

/* `count` identical Produce requests behind one another; the caller's. The size of one
 * goes to `ret_size`, of its batch to `ret_batch`. */
uint8_t *load_produce_frames(const load_options *options, int32_t partition,
                             size_t count, size_t *ret_size, size_t *ret_batch);

/* A Fetch request for one partition; the caller's. `load_fetch_patch` sets its offset.
 */
uint8_t *load_fetch_frame(const load_options *options, int32_t partition,
                          size_t *ret_size);
void load_fetch_patch(uint8_t *frame, size_t size, int64_t offset);

/* Where things stand in the answers to the requests above, for one partition. */
size_t load_produce_error_at(const load_options *options);
size_t load_fetch_error_at(const load_options *options);
size_t load_fetch_records_at(const load_options *options); /* Their length first. */

/* The offset behind the last record of `topic`-`partition` (or, `earliest`, of its
 * first). */
int64_t load_find_offset(const load_options *options, int32_t partition, bool earliest);

void load_note_latency(load_result *self, double seconds);
void load_report(load_result *self, const char *title);

/* ---- The runs -------------------------------------------------------------------- */

void load_run_produce(const load_options *options); /* produce.c */
void load_run_fetch(const load_options *options);   /* fetch.c */
void load_run_park(const load_options *options);    /* fetch.c */
void load_run_rate(const load_options *options);    /* rate.c */
void load_run_floor(const load_options *options);   /* floor.c */

#endif
