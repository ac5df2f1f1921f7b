/* tests/lib/folder.h - a temporary folder of a test program, gone when it ends. */
#ifndef SLUICE_TESTS_FOLDER_H
#define SLUICE_TESTS_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char test_folder_path[64];
static pid_t test_folder_owner;

static int test_folder_remove_one(const char *path, const struct stat *found, int type,
                                  struct FTW *where)
{
    (void)found, (void)type, (void)where;
    return remove(path);
}

/* A child that was forked and exits leaves it alone. */
static void test_folder_remove(void)
{
    if (getpid() == test_folder_owner) {
        nftw(test_folder_path, test_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
}

/* The folder, made at the first call. */
__attribute__((unused)) static const char *test_folder(void)
{
    if (test_folder_path[0] == '\0') {
        snprintf(test_folder_path, sizeof test_folder_path, "/tmp/sluice-test-XXXXXX");
        if (mkdtemp(test_folder_path) == NULL) {
            perror("mkdtemp");
            exit(1);
        }
        test_folder_owner = getpid();
        atexit(test_folder_remove);
    }
    return test_folder_path;
}

#endif
