/* Listing plugin files: given paths, and those that belong to this program. */
#include "files.h"
#include "../base/memory.h"
#include "../base/text.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Visits what a folder holds, and, at depth 1, what its folders hold. */
static int list_folder(const char *path, int depth, files_visit visit, void *argument)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *below = memory_print("%s/%s", path, names[i]->d_name);
        bool hidden = names[i]->d_name[0] == '.';
        if (!hidden && depth > 0 && is_folder(below)) {
            list_folder(below, depth - 1, visit, argument);
        } else if (!hidden && text_ends(below, ".so") && !is_folder(below)) {
            visit(argument, below);
        }
        free(below);
        free(names[i]);
    }
    free(names);
    return count;
}

sluice_status files_list(const char *path, files_visit visit, void *argument,
                         sluice_error *err)
{
    if (is_folder(path) ? list_folder(path, 1, visit, argument) >= 0
                        : access(path, R_OK) == 0) {
        if (!is_folder(path)) {
            visit(argument, path);
        }
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "plugin.path '%s' cannot be read: %s; it is left out", path,
                       strerror(errno));
}

/* The folder of this program, the caller's; NULL without /proc. */
static char *own_folder(void)
{
    char *program = realpath("/proc/self/exe", NULL);
    char *slash = program == NULL ? NULL : strrchr(program, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return program;
}

static void list_below(const char *folder, const char *name, files_visit visit,
                       void *argument)
{
    char *path = memory_print("%s/%s", folder, name);
    if (is_folder(path)) {
        list_folder(path, 1, visit, argument);
    }
    free(path);
}

/* Programs of a build tree lie in its root, those of tests up to three folders below.
 */
static char *build_root(const char *folder)
{
    char *root = memory_text(folder);
    for (int level = 0; level < 4; level++) {
        char *mark = memory_print("%s/meson-info", root);
        bool found = is_folder(mark);
        free(mark);
        if (found) {
            return root;
        }
        char *slash = strrchr(root, '/');
        if (slash == NULL) {
            break;
        }
        *slash = '\0';
    }
    free(root);
    return NULL;
}

void files_list_own(files_visit visit, void *argument)
{
    static const char *const kinds[] = {"connectors", "converters", "transforms"};
    char *folder = own_folder();
    char *installed =
        memory_print("%s/../" SLUICE_PLUGIN_FOLDER, folder == NULL ? "" : folder);
    char *root = folder == NULL ? NULL : build_root(folder);
    if (is_folder(installed)) {
        list_folder(installed, 1, visit, argument);
    } else if (root != NULL) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            list_below(root, kinds[i], visit, argument);
        }
    }
    free(installed);
    free(root);
    free(folder);
}

bool files_contain(const char *path, const char *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* It may be a FIFO. */
    struct stat info;
    if (fd < 0) {
        return false;
    }
    bool found = false;
    if (fstat(fd, &info) == 0 && info.st_size > 0) {
        size_t size = (size_t)info.st_size;
        void *base = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (base != MAP_FAILED) {
            found = memmem(base, size, text, strlen(text)) != NULL;
            munmap(base, size);
        }
    }
    close(fd);
    return found;
}
