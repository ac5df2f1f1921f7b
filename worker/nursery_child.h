/* worker/nursery_child.h - the nursery's own end: for nursery.c only. */
#ifndef SLUICE_WORKER_NURSERY_CHILD_H
#define SLUICE_WORKER_NURSERY_CHILD_H

#include "worker/nursery.h"

/* Serves requests from `fd` until its end, then exits the process. */
void nursery_run(int fd, nursery_child child) __attribute__((noreturn));

#endif
