/* connectors/postgres/postgres_run.c - runs the source without a worker, for tests and
 * measurements: records go to standard output, a line of JSON each.
 *
 * usage: postgres-run [-n COUNT] [-i IDLE_MS] [-u] [-k COUNT] [-o FILE] [-q] [-s]
 * KEY=VALUE… It ends when it has streamed all that was in the server's log at its
 * start; or else -n  when it has so many records (0: never) -i  when nothing has come
 * for so long (0: never) -u  when standard input ends, and then all that is in the log
 * by then has come and further -k  keeps, as the stored position, only that of the
 * first so many records -o  reads the stored position from FILE, and writes it there at
 * the end -s  prints the schemas of values too -q  counts records only, and tells their
 * rate */
#include "source.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sluice/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct run {
    int64_t count, idle_ms, keep;
    const char *file;
    bool quiet, schemas, until_end;
    source *source;
    lsn target; /* The end of the log; 0: not asked yet. */
    sluice_fake *fake;
    sluice_offsets *stored;
    int64_t taken, last_ms;
    bool ended;
} run;

static void *wake(void *argument)
{
    run *self = argument;
    while (!__atomic_load_n(&self->ended, __ATOMIC_ACQUIRE)) {
        nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL);
        sluice_fake_wake(self->fake);
    }
    return NULL;
}

/* --- The stored position, as "name type value" lines. --- */

static void load(run *self, const char *prefix)
{
    FILE *file = self->file == NULL ? NULL : fopen(self->file, "r");
    if (file == NULL) {
        return;
    }
    sluice_arena *arena = sluice_arena_new();
    sluice_value *partition = sluice_map_new(arena, 1), *map = sluice_map_new(arena, 8);
    sluice_map_add_text(arena, partition, "server", sluice_text(arena, prefix));
    char name[64], type, text[128];
    while (fscanf(file, "%63s %c %127s", name, &type, text) == 3) {
        const sluice_value *value = sluice_text(arena, text);
        if (type == 'i') {
            value = sluice_int64(arena, (int64_t)strtoll(text, NULL, 10));
        } else if (type == 'b') {
            value = sluice_boolean(*text == '1');
        }
        sluice_map_add_text(arena, map, name, value);
    }
    fclose(file);
    if (sluice_value_count(map) > 0) {
        sluice_offsets_set(sluice_fake_offsets(self->fake), partition, map);
        sluice_offsets_set(self->stored, partition, map);
    }
    sluice_arena_free(arena);
}

static void save(const run *self)
{
    if (self->file == NULL || sluice_offsets_count(self->stored) == 0) {
        return;
    }
    FILE *file = fopen(self->file, "w");
    const sluice_value *map = sluice_offsets_offset(self->stored, 0);
    for (size_t i = 0; file != NULL && i < sluice_value_count(map); i++) {
        const sluice_value *value = sluice_value_at(map, i);
        const char *name = sluice_value_bytes(sluice_map_key(map, i)).base;
        if (sluice_value_type(value) == SLUICE_TYPE_STRING) {
            fprintf(file, "%s s %s\n", name,
                    (const char *)sluice_value_bytes(value).base);
        } else if (sluice_value_type(value) == SLUICE_TYPE_BOOLEAN) {
            fprintf(file, "%s b %d\n", name, sluice_value_boolean(value));
        } else {
            fprintf(file, "%s i %" PRId64 "\n", name, sluice_value_integer(value));
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* --- Records. --- */

static void print_headers(run *self, const sluice_headers *headers)
{
    printf(",\"headers\":{");
    bool first = true;
    for (size_t i = 0; i < sluice_headers_count(headers); i++) {
        const char *name = sluice_headers_name(headers, i);
        if (strncmp(name, "__debezium.context.", 19) != 0) {
            printf("%s\"%s\":%s", first ? "" : ",", name,
                   sluice_fake_show(self->fake, sluice_headers_value(headers, i)));
            first = false;
        }
    }
    printf("}");
}

static void print_record(run *self, const sluice_record *record)
{
    sluice_fake *fake = self->fake;
    printf("{\"topic\":\"%s\",\"key\":%s,\"value\":%s", sluice_record_topic(record),
           sluice_fake_show(fake, sluice_record_key(record)),
           sluice_fake_show(fake, sluice_record_value(record)));
    print_headers(self, sluice_record_headers_or_null(record));
    if (self->schemas) {
        printf(",\"schema\":\"%s\"",
               sluice_fake_show_schema(fake, sluice_record_value_schema(record)));
    }
    printf(",\"offset\":%s}\n",
           sluice_fake_show(fake, sluice_record_source_offset(record)));
}

static bool check_record(const sluice_record *record)
{
    sluice_error *err = sluice_error_new();
    bool good =
        sluice_value_check(sluice_record_value(record),
                           sluice_record_value_schema(record), err) == SLUICE_OK ||
        sluice_record_value(record) == NULL;
    good =
        good && sluice_value_check(sluice_record_key(record),
                                   sluice_record_key_schema(record), err) == SLUICE_OK;
    if (!good) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    sluice_error_free(err);
    return good;
}

static bool take(run *self, sluice_batch *batch)
{
    bool good = true;
    size_t records = 0;
    for (size_t i = 0; i < sluice_batch_count(batch); i++) {
        sluice_record *record = sluice_batch_record(batch, i);
        bool counts = sluice_record_topic(record) != NULL; /* Else only a position. */
        self->taken += counts;
        records += counts;
        if (counts && !self->quiet) {
            good = check_record(record) && good;
            print_record(self, record);
        }
        bool keeps = self->keep < 0 || self->taken <= self->keep;
        bool last = !self->quiet || i + 1 == sluice_batch_count(batch);
        if (keeps && last && sluice_record_source_offset(record) != NULL) {
            sluice_offsets_set(self->stored, sluice_record_source_partition(record),
                               sluice_record_source_offset(record));
        }
    }
    if (records > 0) {
        self->last_ms = clock_ms();
    }
    fflush(stdout);
    return good;
}

/* Where the server's log ends; 0: it does not say. */
static lsn end_of_log(run *self)
{
    sluice_error *err = sluice_error_new();
    PGresult *result;
    lsn end = 0;
    connection *query = &self->source->query;
    if (connection_open(query, err) == SLUICE_OK &&
        connection_query(query, err, &result, "SELECT pg_current_wal_flush_lsn()") ==
            SLUICE_OK) {
        lsn_parse(result_cell(result, 0, 0), &end);
        PQclear(result);
    }
    sluice_error_free(err);
    return end;
}

/* Whether all that was in the log has come; asks the server where it is. */
static bool has_caught_up(run *self)
{
    source *of = self->source;
    if (of->phase == PHASE_DONE) {
        return true;
    }
    if (self->target == 0) {
        self->target = end_of_log(self);
    }
    if (of->phase != PHASE_STREAM || self->target == 0 ||
        of->capture.transaction.open ||
        (of->capture.asked && capture_has_news(&of->capture))) {
        return false;
    }
    stream_lock(&of->stream);
    stream_tell(&of->stream, true);
    stream_unlock(&of->stream);
    return of->capture.done.end >= self->target;
}

static bool input_has_ended(void)
{
    char byte;
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

static bool is_over(run *self)
{
    if (self->count > 0 && self->taken >= self->count) {
        return true;
    }
    if (self->until_end && !input_has_ended()) {
        return false;
    }
    self->until_end = false;
    return self->idle_ms < 0
               ? has_caught_up(self)
               : self->idle_ms > 0 && clock_ms() - self->last_ms > self->idle_ms;
}

static int poll_all(run *self, void *task)
{
    sluice_batch *batch = sluice_batch_new();
    sluice_error *err = sluice_error_new();
    sluice_status status = SLUICE_OK;
    int64_t begin = 0;
    bool good = true;
    self->last_ms = clock_ms();
    while (!is_over(self)) {
        sluice_batch_reset(batch);
        status = postgres_source_ops.poll(task, batch, err);
        if (begin == 0 && sluice_batch_count(batch) > 0) {
            begin = clock_us();
        }
        good = take(self, batch) && good;
        sluice_fake_unwake(self->fake);
        if (status == SLUICE_RETRY) {
            fprintf(stderr, "RETRY %s\n", sluice_error_text(err));
            nanosleep(&(struct timespec){0, 100 * 1000 * 1000}, NULL);
        } else if (status != SLUICE_OK) {
            fprintf(stderr, "%s %s\n", sluice_status_name(status),
                    sluice_error_text(err));
            break;
        }
        postgres_source_ops.committed(task, self->stored, err);
    }
    if (self->quiet && self->taken > 0) {
        double seconds = (double)(clock_us() - begin) / 1e6;
        printf("%" PRId64 " records, %.0f a second\n", self->taken,
               (double)self->taken / seconds);
    }
    sluice_batch_free(batch);
    sluice_error_free(err);
    bool passed = status == SLUICE_OK || status == SLUICE_RETRY;
    return passed && good ? 0 : 1;
}

static sluice_status create(run *self, const void *config, void **ret_self,
                            sluice_error *err)
{
    int64_t begin = clock_ms();
    for (;;) {
        sluice_status status = postgres_source_ops.create(
            config, sluice_fake_task(self->fake), ret_self, err);
        if (status != SLUICE_RETRY || clock_ms() - begin > 60000) {
            return status;
        }
        fprintf(stderr, "RETRY %s\n", sluice_error_text(err));
        nanosleep(&(struct timespec){0, 200 * 1000 * 1000}, NULL);
    }
}

static int run_source(run *self)
{
    sluice_error *err = sluice_error_new();
    void *task = NULL;
    const postgres_config *config =
        sluice_fake_config(self->fake, &postgres_config_table, NULL);
    if (config == NULL) {
        fprintf(stderr, "%s\n", sluice_fake_fault(self->fake));
        sluice_error_free(err);
        return 2;
    }
    load(self, config->topic_prefix);
    sluice_status status = create(self, config, &task, err);
    int result = 1;
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s %s\n", sluice_status_name(status), sluice_error_text(err));
    } else {
        pthread_t waker;
        self->source = task;
        pthread_create(&waker, NULL, wake, self);
        result = poll_all(self, task);
        __atomic_store_n(&self->ended, true, __ATOMIC_RELEASE);
        pthread_join(waker, NULL);
        sluice_fake_stop(self->fake);
        postgres_source_ops.destroy(task);
    }
    save(self);
    sluice_error_free(err);
    return result;
}

static int64_t whole(const char *text)
{
    return (int64_t)strtoll(text, NULL, 10);
}

int main(int argc, char **argv)
{
    run self = {.idle_ms = -1, .keep = -1};
    int option;
    while ((option = getopt(argc, argv, "n:i:k:o:qsu")) != -1) {
        switch (option) {
        case 'n':
            self.count = whole(optarg);
            break;
        case 'i':
            self.idle_ms = whole(optarg);
            break;
        case 'k':
            self.keep = whole(optarg);
            break;
        case 'o':
            self.file = optarg;
            break;
        case 'u':
            self.until_end = true;
            break;
        case 'q':
            self.quiet = true;
            break;
        case 's':
            self.schemas = true;
            break;
        default:
            return 2;
        }
    }
    self.fake = sluice_fake_new();
    self.stored = sluice_offsets_new();
    for (int i = optind; i < argc; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            sluice_props_set(sluice_fake_props(self.fake), argv[i], equals + 1);
        }
    }
    int result = run_source(&self);
    sluice_offsets_free(self.stored);
    sluice_fake_free(self.fake);
    return result;
}
