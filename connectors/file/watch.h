/* connectors/file/watch.h - tells when a file has changed, appeared or been replaced.
 *
 * inotify on the file and on its folder. Where that cannot tell everything (a network
 * file system, a symbolic link that may be switched, a folder that is not there yet, no
 * inotify instance left), waits get a limit, so that the caller looks for itself now
 * and then. The process keeps one instance that nobody uses any more, for the next
 * watch.
 *
 * Threads: a watch has one at a time; several may each have their own. */
#ifndef SLUICE_CONNECTORS_FILE_WATCH_H
#define SLUICE_CONNECTORS_FILE_WATCH_H

#include <stdbool.h>

typedef struct watch {
    const char *path; /* Borrowed. */
    char *folder;
    int fd;                  /* Readable when there is news; -1: none can be had. */
    int parent, named, open; /* The numbers of its watches, -1: none. */
    bool has_links;
} watch;

/* `path` is borrowed until watch_done(). */
void watch_init(watch *self, const char *path);
void watch_done(watch *self);

/* Forgets the news so far and watches what `path` names now, and the open file
 * `open_file`, which may have lost that name (-1: none). To be called before the
 * caller looks at the file; what changes later makes `fd` readable. Returns how long
 * to wait at most until looking again, in milliseconds; -1: no limit. */
int watch_arm(watch *self, int open_file);

#endif
