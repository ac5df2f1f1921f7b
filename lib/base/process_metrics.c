/* What this process itself uses: memory, time, descriptors, threads. */
#include "base/process_metrics.h"
#include "base/buffer.h"
#include "base/text.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The first bytes of a file of /proc. */
static void read_proc(const char *path, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len = file == NULL ? 0 : fread(ret_text, 1, size - 1, file);
    ret_text[len] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

/* The number at place `index` of a line of numbers, or 0. */
static int64_t number_at(const char *line, int index)
{
    int64_t number = 0;
    for (int i = 0; i < index; i++) {
        line += strcspn(line, " ");
        line += strspn(line, " ");
    }
    text_to_int64_of(line, strcspn(line, " \n"), &number);
    return number;
}

static int64_t open_descriptors(void)
{
    int64_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count > 3 ? count - 3 : 0; /* ".", ".." and the folder's own. */
}

static void put(buffer *out, const char *name, const char *help, double value)
{
    buffer_print(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help, name,
                 text_ends(name, "_total") ? "counter" : "gauge", name, value);
}

char *process_metrics_append(const char *text)
{
    char memory[256];
    struct rusage used;
    buffer out = BUFFER_INIT;
    size_t len;
    read_proc("/proc/self/statm", memory, sizeof memory);
    getrusage(RUSAGE_SELF, &used);
    double page = (double)sysconf(_SC_PAGESIZE);
    double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    buffer_append_text(&out, text);
    put(&out, "process_virtual_memory_bytes", "Addresses that are in use.",
        (double)number_at(memory, 0) * page);
    put(&out, "process_resident_memory_bytes", "Memory that is in use.",
        (double)number_at(memory, 1) * page);
    put(&out, "process_cpu_seconds_total", "Processor time.", seconds);
    put(&out, "process_open_fds", "Open file descriptors.", (double)open_descriptors());
    return buffer_take(&out, &len);
}
