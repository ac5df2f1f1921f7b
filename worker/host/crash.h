/* worker/host/crash.h - a plugin that crashes says first which task it was in.
 *
 * A handler of the fatal signals notes the thread's slot in the shared page and lets
 * the signal end the process as if it had not been there.
 *
 * Threads: watch once, before the others; each thread names itself. */
#ifndef SLUICE_WORKER_HOST_CRASH_H
#define SLUICE_WORKER_HOST_CRASH_H

#include "worker/control/control.h"

/* From now on; `page` is borrowed for the life of the process. */
void crash_watch(control_doing_page *page);

/* This thread has this slot of the page; gives it a stack for the handler too, so that
 * endless recursion is told. Returned with crash_thread_ends() by the same thread. */
void *crash_thread_begins(int slot);
void crash_thread_ends(void *stack);

#endif
