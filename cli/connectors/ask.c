/* Requests to the worker, and what is said when they do not go. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors.h"
#include "worker/rest/url.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void complain(session *s, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    s->code = s->code == CLI_DONE ? code : s->code;
}

static void complain_of(session *s, const rest_answer *answer)
{
    const char *message = text_of(answer->body, "message");
    bool shut = answer->status == 401 || answer->status == 403;
    const char *hint =
        answer->status == 401
            ? "; --user NAME:PASSWORD or CONNECT_REST_USER tells who you are"
            : "";
    if (message[0] != '\0') {
        complain(s, shut ? CONNECTORS_UNREACHABLE : CLI_FAILED, "%s%s", message, hint);
    } else {
        complain(s, shut ? CONNECTORS_UNREACHABLE : CLI_FAILED,
                 "the worker answers with status %d: %s%s", answer->status,
                 answer->text == NULL ? "" : answer->text, hint);
    }
}

/* Whether there is an answer at all. */
static bool send(session *s, const char *method, const char *path, const json_t *body,
                 rest_answer *ret_answer)
{
    sluice_error *err = sluice_error_new();
    *ret_answer = (rest_answer){0};
    sluice_status status = rest_call(&s->worker, method, path, body, ret_answer, err);
    if (status != SLUICE_OK) {
        complain(s, status == SLUICE_BAD_CONFIG ? CLI_MISUSED : CONNECTORS_UNREACHABLE,
                 "%s", sluice_error_text(err));
    }
    sluice_error_free(err);
    return status == SLUICE_OK;
}

bool ask(session *s, const char *method, const char *path, const json_t *body,
         rest_answer *ret_answer)
{
    bool sent = send(s, method, path, body, ret_answer);
    if (sent && ret_answer->status >= 400) {
        complain_of(s, ret_answer);
    }
    return sent && ret_answer->status < 400;
}

static char *path_of(const char *name, const char *rest)
{
    char *encoded = url_encode(name);
    char *path = memory_print("/connectors/%s%s", encoded, rest);
    free(encoded);
    return path;
}

bool ask_about(session *s, const char *method, const char *name, const char *rest,
               const json_t *body, rest_answer *ret_answer)
{
    char *path = path_of(name, rest);
    bool done = ask(s, method, path, body, ret_answer);
    free(path);
    return done;
}

bool ask_whether(session *s, const char *name, const char *rest,
                 rest_answer *ret_answer)
{
    char *path = path_of(name, rest);
    bool sent = send(s, "GET", path, NULL, ret_answer);
    free(path);
    if (sent && ret_answer->status >= 400 && ret_answer->status != 404) {
        complain_of(s, ret_answer);
    }
    return sent && ret_answer->status < 400;
}

bool command(session *s, const char *method, const char *name, const char *rest,
             const json_t *body)
{
    rest_answer answer;
    bool done = ask_about(s, method, name, rest, body, &answer);
    if (done && s->options->json && answer.body != NULL) {
        print_json(answer.body);
    }
    rest_answer_done(&answer);
    return done;
}

const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

const char *value_text(const json_t *value)
{
    return json_is_string(value) ? json_string_value(value) : "null";
}

void print_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    printf("%s\n", text == NULL ? "" : text);
    free(text);
}

void print_indented(const char *text, const char *indent)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        printf("%s%.*s\n", indent, (int)len, text);
        text += len;
        text += *text == '\n';
    }
}
