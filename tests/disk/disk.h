/* tests/disk/disk.h - what the preloaded library's two halves share: which calls are
 * counted, what the journal's records look like, and how faults are asked for.
 *
 * Environment (read by the library only):
 *     SLUICE_DISK_ROOT      calls on files below this folder count; others pass
 *     SLUICE_DISK_JOURNAL   the file that changes are recorded in; unset: none
 *     SLUICE_DISK_FAULTS    the file that says what is to fail; may change at any time
 *     SLUICE_DISK_SYNC_US   set: syncs do not reach the disk, but take a random time of
 *                           up to so many microseconds
 *
 * Threads: any. */
#ifndef SLUICE_TESTS_DISK_H
#define SLUICE_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum disk_change {
    DISK_CREATE = 1, /* path, inode: a file that was not there. */
    DISK_FOLDER,     /* path, inode */
    DISK_WRITE,      /* inode, offset, data */
    DISK_CUT,        /* inode, offset: the new size. */
    DISK_RENAME,     /* path, path2 */
    DISK_UNLINK,     /* path */
    DISK_RMDIR,      /* path */
    DISK_LINK,       /* path, path2 */
    DISK_SYNC,       /* inode; it begins. The record's number is its name. */
    DISK_SYNCED,     /* inode, offset: the number of the one that began. */
    DISK_SYNC_ALL,   /* syncfs() */
    DISK_START,      /* A process begins. */
} disk_change;

/* What a rule can make fail. */
typedef enum disk_call {
    DISK_CALL_WRITE = 0, /* write, pwrite, pwritev, fallocate, ftruncate upwards */
    DISK_CALL_SYNC,
    DISK_CALL_READ, /* read, pread, sendfile */
    DISK_CALL_OPEN, /* to write or to make a file */
    DISK_CALL_NAME, /* mkdir, rename, unlink, rmdir, link */
    DISK_CALL_CUT,  /* ftruncate */
    DISK_CALL_DIE,  /* No call: see faults_die(). */
    DISK_CALL_COUNT,
} disk_call;

/* ---- faults.c -------------------------------------------------------------------- */

/* The file of SLUICE_DISK_FAULTS holds a rule a line, "CALL ERRNO AFTER PATTERN":
 *     write ENOSPC 1000 *.log    after 1000 more bytes, counted for all files together
 *     sync EIO 0 *t-0*           at once; the pattern is fnmatch()'s, over the path
 * CALL may be "change": everything but read and sync; or "die": the process kills
 * itself as kill -9 would, after AFTER more records of the journal, so that the journal
 * has all that happened. An empty file lifts all. */
void faults_open(const char *path);

/* 0, or the errno that the call shall fail with. Of `*len` bytes (NULL: not a call with
 * bytes) as many may be written as `*len` says then; more than 0: no failure yet. */
int faults_meet(disk_call call, const char *path, size_t *len);

/* Whether it is time to die; asked behind each record of the journal. */
bool faults_die(void);

/* ---- journal.c ------------------------------------------------------------------- */

/* Appends to the file at `path`. */
void journal_open(const char *path);
bool journal_is_open(void);

typedef struct disk_record {
    uint8_t type, unused[3];
    uint16_t path_len, path2_len;
    uint32_t data_len, number; /* number: counted from 1. */
    uint64_t inode;
    int64_t offset;
    uint64_t time_ns; /* CLOCK_MONOTONIC */
} disk_record;

/* Returns the number of the record. The caller holds the library's lock. */
uint32_t journal_put(disk_change type, uint64_t inode, int64_t offset, const char *path,
                     const char *path2, const void *data, size_t len);

#endif
