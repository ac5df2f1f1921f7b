/* bench/load/main.c - the raw generator's command line.
 *
 * usage: bench-load COMMAND port=N [key=value]...
 *
 *   create   makes the topic; delete takes it away
 *   produce  closed loop: `connections` with up to `window` requests in flight each
 *   fetch    closed loop from the page cache, around the log again and again
 *   park     `connections` consumers that wait for records that do not come
 *   rate     open loop: `rate` requests a second whatever the answers do, each record
 *            fetched by a consumer too; latencies count from when a request was due
 *   floor    what no broker can be faster than: receives frames, computes the CRC,
 *            writes them into a file of `folder` (and, with sync=1, to disk), answers
 *
 * Prints one line of JSON; bench/broker.py makes a table of many. */
#include "base/text.h"
#include "load.h"
#include <stdio.h>
#include <string.h>

typedef struct number_option {
    const char *key;
    size_t offset;
    bool is_text;
} number_option;

#define NUMBER(field)                                                                  \
    {                                                                                  \
#field, offsetof(load_options, field), false                                   \
    }
#define TEXT(field)                                                                    \
    {                                                                                  \
#field, offsetof(load_options, field), true                                    \
    }

static const number_option keys[] = {
    NUMBER(port),        NUMBER(partitions), NUMBER(connections), NUMBER(record_bytes),
    NUMBER(records),     NUMBER(acks),       NUMBER(window),      NUMBER(megabytes),
    NUMBER(seconds),     NUMBER(rate),       NUMBER(fetch_bytes), NUMBER(wait_ms),
    NUMBER(pid),         NUMBER(sync),       TEXT(topic),         TEXT(folder),
    TEXT(flush_messages)};

static void set_option(load_options *options, const char *argument)
{
    const char *equals = strchr(argument, '=');
    for (size_t i = 0; equals != NULL && i < sizeof keys / sizeof *keys; i++) {
        size_t len = strlen(keys[i].key);
        void *field = (char *)options + keys[i].offset;
        if (len != (size_t)(equals - argument) ||
            strncmp(argument, keys[i].key, len) != 0) {
            continue;
        }
        if (keys[i].is_text) {
            *(const char **)field = equals + 1;
        } else if (!text_to_int64(equals + 1, field)) {
            load_die("'%s' wants a number", argument);
        }
        return;
    }
    load_die("'%s' is no option of bench-load: see the head of bench/load/main.c",
             argument);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const load_options *options);
    } commands[] = {{"create", load_create_topic}, {"delete", load_delete_topic},
                    {"produce", load_run_produce}, {"fetch", load_run_fetch},
                    {"park", load_run_park},       {"rate", load_run_rate},
                    {"floor", load_run_floor}};
    load_options options = {.topic = "bench",
                            .partitions = 1,
                            .connections = 1,
                            .record_bytes = 1000,
                            .records = 1,
                            .acks = 1,
                            .window = 5,
                            .megabytes = INT64_MAX / 1000000,
                            .seconds = 5,
                            .rate = 1000,
                            .fetch_bytes = 1048576,
                            .wait_ms = 500};
    for (int i = 2; i < argc; i++) {
        set_option(&options, argv[i]);
    }
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            commands[i].run(&options);
            return 0;
        }
    }
    fprintf(stderr, "usage: bench-load create|produce|fetch|park|rate|floor port=N "
                    "[key=value]...\n");
    return 2;
}
