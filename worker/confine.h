/* worker/confine.h - what a connector host may do to the machine.
 *
 * Nothing here needs a privilege: limits are lowered, never raised. Signals go no
 * further than its own descendants where the kernel can do that (Landlock, from Linux
 * 6.12 on); setuid programs that a plugin starts have no effect there.
 *
 * Threads: the only one of a process that has just been forked. */
#ifndef SLUICE_WORKER_CONFINE_H
#define SLUICE_WORKER_CONFINE_H

#include "worker/nursery.h"

/* Sets the limits of this process, makes it the parent of whatever its descendants
 * leave behind, and the one that the kernel ends first when the machine is out of
 * memory. A limit above what the process has now leaves that as it is. */
void confine_host(const nursery_limits *limits);

#endif
