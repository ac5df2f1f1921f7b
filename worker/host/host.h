/* worker/host/host.h - what runs in a connector host: one connector and its tasks.
 *
 * A host is forked by the nursery, loads the plugins of one connector, splits its work
 * and runs each task in a thread. Its main thread reads the control channel, takes the
 * log's acknowledgements and stores offsets. Without a connector ("inspect") it lists
 * the plugins and validates configurations.
 *
 * Threads: the main one of a process that has no other yet. */
#ifndef SLUICE_WORKER_HOST_HOST_H
#define SLUICE_WORKER_HOST_HOST_H

/* Runs until it is told to stop or the worker is gone. Takes both descriptors;
 * `doing_fd` may be -1. Returns the exit code: control/control.h. */
int host_main(int control_fd, int doing_fd);

#endif
