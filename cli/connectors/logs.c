/* The last lines of the log that are about a connector. */
#include "base/memory.h"
#include "connectors.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { follow_ms = 500 };

static void print_lines(session *s, const json_t *body)
{
    size_t index;
    json_t *line;
    json_array_foreach(json_object_get(body, "lines"), index, line)
    {
        if (s->options->json) {
            char *text = json_dumps(line, JSON_ENCODE_ANY);
            printf("%s\n", text == NULL ? "" : text);
            free(text);
        } else {
            printf("%s\n", value_text(line));
        }
    }
    fflush(stdout);
}

/* What came behind `after`, which moves on. */
static bool look(session *s, const char *name, int64_t lines, int64_t *after)
{
    rest_answer answer;
    char *rest = memory_print("/logs?lines=%lld&after=%lld", (long long)lines,
                              (long long)*after);
    bool done = ask_whether(s, name, rest, &answer);
    if (done) {
        print_lines(s, answer.body);
        *after = json_integer_value(json_object_get(answer.body, "next"));
    } else if (answer.status == 404) {
        const char *message = text_of(answer.body, "message");
        bool other = strcmp(message, "HTTP 404 Not Found") == 0;
        complain(s, CLI_FAILED, "%s%s", message,
                 other ? ": this worker does not keep lines by connector, as Kafka "
                         "Connect does not"
                       : "");
    }
    rest_answer_done(&answer);
    free(rest);
    return done;
}

void do_logs(session *s, const cli_texts *arguments)
{
    int64_t after = -1;
    struct timespec pause = {.tv_nsec = follow_ms * 1000000L};
    bool more = look(s, arguments->items[0], s->options->lines, &after);
    while (more && s->options->follow) {
        nanosleep(&pause, NULL);
        more = look(s, arguments->items[0], -1, &after);
    }
}
