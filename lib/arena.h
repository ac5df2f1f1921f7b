/* lib/arena.h - what the library itself knows of an arena. */
#ifndef SLUICE_LIB_ARENA_H
#define SLUICE_LIB_ARENA_H

#include <sluice/arena.h>

/* From its making, or its last reset, to the next: a number that no arena has had
 * before, and not 0. What was in an arena is there while its epoch is the same. */
uint64_t arena_epoch(const sluice_arena *arena);

#endif
