/* lib/plugin/elf.h - whether a file can be a plugin of this machine at all.
 *
 * dlopen() says of a library for another processor that it is not there, waits for ever
 * at a FIFO, and calls a text "too short".
 *
 * Threads: any. */
#ifndef SLUICE_PLUGIN_ELF_H
#define SLUICE_PLUGIN_ELF_H

#include <sluice/error.h>

/* Looks at the first bytes of `path`. BAD_CONFIG with a sentence that names the file:
 * it cannot be read, is no regular file, no ELF file, or is one for another machine. */
sluice_status elf_check(const char *path, sluice_error *err);

#endif
