/* lib/base/memory.h - small allocations that cannot fail.
 *
 * For sizes that we choose. When memory is out these abort with a line on standard
 * error. A size that came from outside is checked against a limit first and then
 * taken with malloc(), whose failure is an error like any other.
 *
 * Threads: any. Memory: all results are the caller's, given back with free(). */
#ifndef SLUICE_BASE_MEMORY_H
#define SLUICE_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

void *memory_take(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *memory_zero(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));

/* realloc(): `base` may be NULL. */
void *memory_resize(void *base, size_t size)
    __attribute__((alloc_size(2), returns_nonnull));

/* A copy of `text`; NULL gives NULL. */
char *memory_text(const char *text);

/* A copy of `len` bytes, followed by a NUL. */
char *memory_copy(const void *base, size_t len) __attribute__((returns_nonnull));

char *memory_print(const char *format, ...)
    __attribute__((format(printf, 1, 2), returns_nonnull));
char *memory_vprint(const char *format, va_list arguments)
    __attribute__((format(printf, 1, 0), returns_nonnull));

#endif
