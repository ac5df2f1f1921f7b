/* A standalone worker whose connector hosts are fakes: real processes and sockets, but
 * no plugin and no broker, and every death and delay on request.
 *
 * Keys of its connectors ("org.example.FakeSource", "org.example.FakeSink"):
 *   fake.tasks           how many tasks it has (1)
 *   fake.fail            the connector is FAILED with this text
 *   fake.task.fail       task 0 is FAILED with this text, until it is restarted
 *   fake.crash           dies of this signal when all tasks run
 *   fake.exit            exits with this code when all tasks run
 *   fake.early           it does either before it has reported anything
 *   fake.deaf            "stop": ignores stop; "all": answers nothing more at all
 *   fake.slow.ms         waits before it reports
 *   fake.slow.until      waits for this file before it reports
 *   fake.count           sends one offset, one more than it was started with
 *   fake.topic           a topic that it uses
 *   fake.validate.crash  dies while it is checked
 *   fake.need            required: a configuration without it is refused */
#include "base/text.h"
#include "worker/control/channel.h"
#include "worker/control/control.h"
#include "worker/standalone.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct fake {
    channel control;
    control_doing_page *doing;
    json_t *config;
    bool stopping, deaf;
    int exit_code;
} fake;

static const char *property(const fake *self, const char *key)
{
    return json_string_value(json_object_get(self->config, key));
}

static int64_t number(const fake *self, const char *key, int64_t fallback)
{
    int64_t value = fallback;
    const char *text = property(self, key);
    return text != NULL && text_to_int64(text, &value) ? value : fallback;
}

static void say(fake *self, json_t *message)
{
    channel_send(&self->control, message);
}

/* --- The inspector. --- */

static json_t *plugin(const char *kind, const char *name, const char *class)
{
    return json_pack("{s:s, s:s, s:s, s:[s], s:s, s:s, s:[{s:s, s:s}]}", "kind", kind,
                     "name", name, "class", class, "aliases", class, "version", "1.0",
                     "path", "fake.so", "keys", "name", "fake.need", "type", "STRING");
}

static void list_plugins(fake *self)
{
    say(self,
        json_pack("{s:[o, o, o], s:[]}", "plugins",
                  plugin("source", "fake-source", "org.example.FakeSource"),
                  plugin("sink", "fake-sink", "org.example.FakeSinkConnector"),
                  plugin("converter", "fake-converter", "org.example.FakeConverter"),
                  "refused"));
}

static json_t *config_entry(const char *name, const char *value, const char *fault)
{
    json_t *errors = json_array();
    if (fault != NULL) {
        json_array_append_new(errors, json_string(fault));
    }
    return json_pack("{s:{s:s}, s:{s:s, s:s?, s:o}}", "definition", "name", name,
                     "value", "name", name, "value", value, "errors", errors);
}

static void validate(fake *self, const json_t *request)
{
    self->config = json_object_get(request, "config");
    const char *need = property(self, "fake.need"), *name = property(self, "name");
    if (property(self, "fake.validate.crash") != NULL) {
        raise(SIGABRT);
    }
    const char *fault = need != NULL ? NULL
                                     : "Missing required configuration \"fake.need\" "
                                       "which has no default value.";
    bool nameless = name != NULL && name[0] == '\0';
    const char *name_fault =
        nameless ? "Invalid value  for configuration name: String may not be empty"
                 : NULL;
    json_t *configs = json_pack("[o, o]", config_entry("name", name, name_fault),
                                config_entry("fake.need", need, fault));
    say(self, json_pack("{s:{s:O, s:i, s:[s], s:o}, s:O}", "validated", "name",
                        json_object_get(request, "class"), "error_count",
                        (fault != NULL) + nameless, "groups", "Common", "configs",
                        configs, "id", json_object_get(request, "id")));
    self->config = NULL;
}

/* --- A connector. --- */

static void wait_ms(int64_t ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static void wait_file(const char *path)
{
    while (path != NULL && access(path, F_OK) != 0) {
        wait_ms(5);
    }
}

static void report_tasks(fake *self, const char *state)
{
    int64_t count = number(self, "fake.tasks", 1);
    const char *fault = property(self, "fake.task.fail");
    for (int64_t i = 0; i < count; i++) {
        bool failed = i == 0 && fault != NULL;
        say(self, json_pack("{s:I, s:s, s:s?}", "task", (json_int_t)i, "state",
                            failed ? "FAILED" : state, "trace", failed ? fault : NULL));
    }
}

static void count_up(fake *self, const json_t *start)
{
    json_t *pair = json_array_get(json_object_get(start, "offsets"), 0);
    json_int_t before =
        json_integer_value(json_object_get(json_array_get(pair, 1), "count"));
    say(self, json_pack("{s:[[{s:s}, {s:I}]], s:i}", "offsets", "from", "fake", "count",
                        before + 1, "seq", 1));
}

static void die_if_asked(fake *self)
{
    int64_t signal_number = number(self, "fake.crash", 0);
    int64_t code = number(self, "fake.exit", -1);
    if (signal_number != 0) {
        fprintf(stderr, "these are my last words\n");
        if (self->doing != NULL) {
            atomic_store(&self->doing->slots[1].call, (uint32_t)CONTROL_CALL_POLL);
        }
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal((int)signal_number, SIG_DFL);
        raise((int)signal_number);
    }
    if (code >= 0) {
        _exit((int)code);
    }
}

static void begin(fake *self, const json_t *start)
{
    self->config = json_incref(json_object_get(start, "config"));
    const char *fault = property(self, "fake.fail"),
               *topic = property(self, "fake.topic");
    const char *class = property(self, "connector.class");
    bool sink = class != NULL && strstr(class, "Sink") != NULL;
    const char *state = json_string_value(json_object_get(start, "state"));
    wait_ms(number(self, "fake.slow.ms", 0));
    wait_file(property(self, "fake.slow.until"));
    if (property(self, "fake.early") != NULL) {
        die_if_asked(self);
    }
    say(self, json_pack("{s:{s:s, s:s?, s:s, s:s}}", "connector", "state",
                        fault != NULL ? "FAILED" : state, "trace", fault, "type",
                        sink ? "sink" : "source", "version", "1.0"));
    if (fault != NULL) {
        return;
    }
    json_t *tasks = json_array();
    for (int64_t i = 0; i < number(self, "fake.tasks", 1); i++) {
        json_array_append_new(tasks, json_pack("{s:s}", "task.class", "FakeTask"));
    }
    say(self, json_pack("{s:o}", "tasks", tasks));
    report_tasks(self, state);
    if (topic != NULL) {
        say(self, json_pack("{s:s}", "topic", topic));
    }
    if (property(self, "fake.count") != NULL) {
        count_up(self, start);
    }
    die_if_asked(self);
}

static void change_state(fake *self, const char *state)
{
    say(self,
        json_pack("{s:{s:s, s:s}}", "connector", "state", state, "version", "1.0"));
    report_tasks(self, state);
}

static void take(fake *self, const json_t *message)
{
    const char *deaf = self->config == NULL ? NULL : property(self, "fake.deaf");
    json_t *part;
    if (deaf != NULL && strcmp(deaf, "all") == 0) {
        return;
    }
    if (json_object_get(message, "inspect") != NULL) {
        list_plugins(self);
    } else if ((part = json_object_get(message, "validate")) != NULL) {
        validate(self, part);
    } else if ((part = json_object_get(message, "alter_offsets")) != NULL) {
        say(self, json_pack("{s:{s:b}, s:O}", "alter_offsets", "external", 0, "id",
                            json_object_get(part, "id")));
    } else if ((part = json_object_get(message, "start")) != NULL) {
        begin(self, part);
    } else if (json_object_get(message, "pause") != NULL) {
        change_state(self, "PAUSED");
    } else if (json_object_get(message, "resume") != NULL) {
        change_state(self, "RUNNING");
    } else if ((part = json_object_get(message, "restart_task")) != NULL) {
        say(self, json_pack("{s:O, s:s}", "task", part, "state", "RUNNING"));
    } else if ((part = json_object_get(message, "ping")) != NULL) {
        say(self, json_pack("{s:O, s:[{s:i, s:i}]}", "pong", part, "tasks", "id", 0,
                            "records", 7));
    } else if (json_object_get(message, "stop") != NULL) {
        self->stopping = deaf == NULL;
    }
}

static int fake_host(int control_fd, int doing_fd)
{
    fake self = {0};
    channel_init(&self.control, control_fd, CONTROL_LINE_BYTES_MAX);
    void *page = doing_fd < 0 ? MAP_FAILED
                              : mmap(NULL, CONTROL_DOING_BYTES, PROT_READ | PROT_WRITE,
                                     MAP_SHARED, doing_fd, 0);
    self.doing = page == MAP_FAILED ? NULL : page;
    while (!self.stopping) {
        json_t *message;
        struct pollfd readable = {.fd = control_fd, .events = POLLIN};
        poll(&readable, 1, -1);
        if (channel_read(&self.control, NULL) != SLUICE_OK) {
            break;
        }
        while (channel_next(&self.control, &message, NULL) == SLUICE_OK &&
               message != NULL) {
            take(&self, message);
            json_decref(message);
        }
    }
    channel_done(&self.control);
    json_decref(self.config);
    return 0;
}

int main(int argc, char **argv)
{
    properties *worker = properties_new();
    sluice_error *err = sluice_error_new();
    int code = STANDALONE_REFUSED;
    if (argc < 3) {
        fprintf(stderr,
                "usage: fake-worker READY_FILE WORKER.properties CONNECTOR...\n");
    } else if (properties_read(worker, argv[2], err) != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    } else {
        standalone_settings settings = {.worker = worker,
                                        .connectors = (const char *const *)(argv + 3),
                                        .ready_file = argv[1],
                                        .child = fake_host};
        code = standalone_run(&settings);
    }
    sluice_error_free(err);
    properties_free(worker);
    return code;
}
