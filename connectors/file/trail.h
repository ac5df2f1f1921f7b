/* connectors/file/trail.h - where a source is: in which of the files that have, or had,
 * the name of its configuration, and at which byte of it.
 *
 * The way goes through whole files, in the order in which they had the name: the file
 * of the stored position, wherever it is now, those that came and went meanwhile, and
 * then the one that has the name. Files are known by their identity (identity.h) and
 * looked for in their folder (rotation.h).
 *
 * Threads: one at a time. */
#ifndef SLUICE_CONNECTORS_FILE_TRAIL_H
#define SLUICE_CONNECTORS_FILE_TRAIL_H

#include "identity.h"
#include "rotation.h"
#include "tail.h"

#include <sluice/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct trail {
    const char *name;   /* Borrowed. */
    opened_file file;   /* `path` is NULL where the name leads to it. */
    bool is_stream;     /* No position and no rotation: standard input, a pipe. */
    bool is_left;       /* The file of the identity was read to its end. */
    bool is_behind_gap; /* NUL bytes are to be passed over. */
    bool is_untouched;  /* Nothing of the open file was read yet. */
    bool is_news;       /* Nothing of the open file was read, and that was not told. */
    int64_t position;   /* Of the first byte that is in no record. */
    tail tail;
    identity identity; /* Of the file that is open, or was last. */
    file_age age;      /* Of the file that was left, or of the beginning. */
} trail;

/* At a file's end: whether there is another one to go on with. */
typedef enum trail_next {
    TRAIL_NONE,  /* No: more may come to this one. */
    TRAIL_EMPTY, /* One that nobody has written to: who writes may not know it yet. */
    TRAIL_READY, /* Yes: what this file has now is all that it gets. */
} trail_next;

/* A way that begins at byte 0 of the file `name`, borrowed; NULL: standard input. */
void trail_init(trail *self, const char *name);
void trail_done(trail *self);

/* Opens the file to read next, at `position`. `file.fd` stays -1 where there is none
 * yet. SLUICE_RETRY: it cannot be opened now; SLUICE_FATAL: it is a folder. */
sluice_status trail_open(trail *self, sluice_error *err);

/* Reads up to `room` bytes behind `position` and the `unread` bytes that follow it.
 * Returns how many; 0: there are none now; -1 with errno. `*ret_is_cut`: what was read
 * before is no longer in the file, which is written anew. */
ssize_t trail_read(trail *self, size_t unread, char *to, size_t room, bool *ret_is_cut);

/* Up to `at` all was read: completes the identity of the open file. */
void trail_note(trail *self, int64_t at);

/* After a cut: goes on in a copy of what was cut off, if there is one in the folder. */
sluice_status trail_take_copy(trail *self, bool *ret_has_copy, sluice_error *err);

/* After a cut: to the start of the open file. */
void trail_rewind(trail *self);

/* What comes behind the open file, of which all was read. */
trail_next trail_look_ahead(const trail *self);

/* At a file's end: whether it is a new one without anything in it, and asked for the
 * first time. Its identity is worth storing: the one that was left may be gone when the
 * first line comes. */
bool trail_is_news(trail *self);

/* Closes the file, of which all was read; trail_open() opens the next one. */
void trail_leave(trail *self);

/* The file that is read, for messages: where it is. */
const char *trail_path(const trail *self);

#endif
