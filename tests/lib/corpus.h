/* tests/lib/corpus.h - a fuzz target as a plain test: it runs over the files of a
 * corpus.
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size) { … }
 *     #ifdef FUZZ_CORPUS_MAIN
 *     #include "tests/lib/corpus.h"
 *     #endif
 *
 * `PROGRAM FOLDER` prints TAP, a line per file. A target aborts when something is
 * wrong. */
#ifndef SLUICE_TESTS_CORPUS_H
#define SLUICE_TESTS_CORPUS_H

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void corpus_run(const char *folder, const char *name, int number)
{
    enum { file_bytes_max = 1 << 20 };
    char path[4096];
    static uint8_t bytes[file_bytes_max];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("not ok %d - %s\n", number, name);
        return;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    /* A copy of its own, so that a sanitizer sees the first byte behind it. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    printf("ok %d - %s\n", number, name);
}

int main(int argc, char **argv)
{
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            corpus_run(argv[1], entry->d_name, ++count);
        }
    }
    closedir(folder);
    printf("1..%d\n", count);
    return count == 0;
}

#endif
