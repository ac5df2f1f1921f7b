/* How fast the file connectors are before and behind the broker: lines of 100 bytes
 * read into records, and records written as lines.
 *
 * usage: file     one thread, 200 MB; the best of five runs each, in a folder of
 * /tmp */
#include "connectors/file/file.h"

#include <fcntl.h>
#include <sluice/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, LINE = 100, BATCH = 2000 };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void expect(sluice_status status, const sluice_error *err)
{
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
        abort();
    }
}

static void write_lines(const char *path, size_t count)
{
    char line[LINE + 1];
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file != NULL && i < count; i++) {
        memset(line, 'x', LINE);
        snprintf(line, sizeof line, "%zu", i);
        line[strlen(line)] = ' ';
        line[LINE - 1] = '\n';
        fwrite(line, 1, LINE, file);
    }
    if (file == NULL || fclose(file) != 0) {
        abort();
    }
}

/* Seconds to read `count` lines of `path`. */
static double read_lines(const char *path, size_t count)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_error *err = sluice_error_new();
    sluice_batch *batch = sluice_batch_new();
    const sluice_source_ops *ops = file_source_feature.ops.source;
    void *self, *config = sluice_fake_config(fake, file_source_feature.config, "file",
                                             path, "topic", "t", NULL);
    expect(ops->create(config, sluice_fake_task(fake), &self, err), err);
    double start = now_s();
    for (size_t seen = 0; seen < count; seen += sluice_batch_count(batch)) {
        sluice_batch_reset(batch);
        expect(ops->poll(self, batch, err), err);
    }
    double seconds = now_s() - start;
    ops->destroy(self);
    sluice_batch_free(batch);
    sluice_error_free(err);
    sluice_fake_free(fake);
    return seconds;
}

/* Seconds to write `count` lines to `path`, durably at the end. */
static double put_lines(const char *path, size_t count)
{
    char line[LINE];
    sluice_fake *fake = sluice_fake_new();
    sluice_error *err = sluice_error_new();
    sluice_batch *batch = sluice_batch_new();
    sluice_offsets *safe = sluice_offsets_new();
    const sluice_sink_ops *ops = file_sink_feature.ops.sink;
    void *self, *config = sluice_fake_config(fake, file_sink_feature.config, "file",
                                             path, "file.sync", "never", NULL);
    snprintf(line, sizeof line, "%099d", 7);
    for (int i = 0; i < BATCH; i++) {
        sluice_fake_consumed(batch, "t", i, NULL, line);
    }
    unlink(path);
    expect(ops->create(config, sluice_fake_task(fake), &self, err), err);
    double start = now_s();
    for (size_t done = 0; done < count; done += BATCH) {
        expect(ops->put(self, batch, err), err);
    }
    expect(ops->flush(self, safe, err), err);
    double seconds = now_s() - start;
    ops->destroy(self);
    sluice_offsets_free(safe);
    sluice_batch_free(batch);
    sluice_error_free(err);
    sluice_fake_free(fake);
    return seconds;
}

static void report(const char *what, double (*run)(const char *, size_t),
                   const char *path, size_t count)
{
    double best = 0;
    for (int i = 0; i < RUNS; i++) {
        double seconds = run(path, count);
        best = i == 0 || seconds < best ? seconds : best;
    }
    printf("%-8s %8.0f MB/s %12.0f lines/s %8.0f ns/line\n", what,
           (double)count * LINE / best / 1e6, (double)count / best,
           best / (double)count * 1e9);
}

int main(void)
{
    char path[] = "/tmp/sluice-bench-file-XXXXXX";
    size_t count = 2000000;
    int fd = mkstemp(path);
    if (fd < 0) {
        return 1;
    }
    close(fd);
    write_lines(path, count);
    report("source", read_lines, path, count);
    report("sink", put_lines, path, count);
    unlink(path);
    return 0;
}
