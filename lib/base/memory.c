/* Small allocations that cannot fail. */
#include "memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *base, size_t size)
{
    if (base == NULL && size > 0) {
        fprintf(stderr, "out of memory: %zu bytes were refused\n", size);
        abort();
    }
    return base;
}

void *memory_take(size_t size)
{
    size_t real = size > 0 ? size : 1;
    return checked(malloc(real), real);
}

void *memory_zero(size_t size)
{
    size_t real = size > 0 ? size : 1;
    return checked(calloc(1, real), real);
}

void *memory_resize(void *base, size_t size)
{
    size_t real = size > 0 ? size : 1;
    return checked(realloc(base, real), real);
}

char *memory_text(const char *text)
{
    return text == NULL ? NULL : memory_copy(text, strlen(text));
}

char *memory_copy(const void *base, size_t len)
{
    char *copy = memory_take(len + 1);
    if (len > 0) {
        memcpy(copy, base, len);
    }
    copy[len] = '\0';
    return copy;
}

char *memory_print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_vprint(format, arguments);
    va_end(arguments);
    return text;
}

char *memory_vprint(const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        fprintf(stderr, "out of memory, or a bad format: \"%s\"\n", format);
        abort();
    }
    return text;
}
