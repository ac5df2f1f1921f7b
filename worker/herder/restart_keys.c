/* The keys of restarts and limits that a connector may have for itself. */
#include "restart_keys.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

typedef struct restart_key {
    const char *name, *type, *fallback, *doc;
    int64_t min, max;
    size_t offset; /* In herder_own; of the policy, which is no number: 0. */
} restart_key;

#define AT(field) offsetof(herder_own, field)

static const restart_key keys[] = {
    {"restart.policy", "STRING", "on-crash",
     "What is started again without being asked: never, on-crash, on-failure. Without "
     "it "
     "the worker's setting counts, as for the other keys of restarts and limits.",
     0, 0, 0},
    {"restart.backoff.initial.ms", "LONG", "1000",
     "The wait before the first restart; each further one in a row doubles it.", 1,
     INT64_MAX, AT(restart.backoff_initial_ms)},
    {"restart.backoff.max.ms", "LONG", "60000", "The longest wait before a restart.", 1,
     INT64_MAX, AT(restart.backoff_max_ms)},
    {"restart.max.attempts", "LONG", "10",
     "How many restarts in a row there are before it stays FAILED.", 0, INT64_MAX,
     AT(restart.attempts_max)},
    {"host.call.timeout.ms", "LONG", "300000",
     "How long a function of its plugins may neither return nor ask the worker for "
     "anything, before its process is killed. 0: for ever.",
     0, INT64_MAX, AT(limits.call_ms)},
    {"host.memory.max.bytes", "LONG", "0",
     "How much memory its process may allocate. 0: no limit.", 0, INT64_MAX,
     AT(limits.memory_bytes)},
    {"host.open.files.max", "LONG", "0",
     "How many files and sockets its process may have open. 0: as many as the worker.",
     0, INT64_MAX, AT(limits.files)},
    {"host.cpu.max.percent", "LONG", "0",
     "How much of one processor its processes may use; 200 is two. 0: no limit.", 0,
     HERDER_CPU_PERCENT_MAX, AT(limits.cpu_percent)},
    {"host.nice", "LONG", "0",
     "Its share of a busy processor: from 0, as the worker, to 19, what nobody wants.",
     0, 19, AT(limits.nice)},
};

static const char *const policies[] = {"never", "on-crash", "on-failure"};

static bool parse_policy(const char *text, herder_policy *ret_policy)
{
    char *trimmed = text_trimmed(text);
    bool found = false;
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        if (text_equal_nocase(trimmed, policies[i])) {
            *ret_policy = (herder_policy)i;
            found = true;
        }
    }
    free(trimmed);
    return found;
}

/* Why the value cannot be, the caller's; NULL: it can, and is put into `own`. */
static char *take(const restart_key *key, const char *text, herder_own *own)
{
    int64_t number;
    if (key->offset == 0) {
        return parse_policy(text, &own->restart.policy)
                   ? NULL
                   : memory_text("String must be one of: never, on-crash, on-failure");
    }
    if (!text_to_int64(text, &number)) {
        return memory_text("Not a number of type LONG");
    }
    if (number < key->min) {
        return memory_print("Value must be at least %lld", (long long)key->min);
    }
    if (number > key->max) {
        return memory_print("Value must be no more than %lld", (long long)key->max);
    }
    memcpy((char *)own + key->offset, &number, sizeof number);
    return NULL;
}

void restart_keys_apply(const json_t *config, herder_own *own)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = json_string_value(json_object_get(config, keys[i].name));
        if (text != NULL) {
            free(take(&keys[i], text, own));
        }
    }
}

static json_t *entry_of(const restart_key *key, const char *text, const char *fault)
{
    json_t *errors = json_array();
    if (fault != NULL) {
        json_array_append_new(errors,
                              json_sprintf("Invalid value %s for configuration %s: %s",
                                           text, key->name, fault));
    }
    json_t *definition = json_pack(
        "{s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:i}", "name", key->name,
        "type", key->type, "required", 0, "default_value", key->fallback, "importance",
        "LOW", "documentation", key->doc, "group", "Restart", "width", "NONE",
        "display_name", key->name, "dependents", "order", -1);
    return json_pack("{s:o, s:{s:s, s:s, s:[], s:o, s:b}}", "definition", definition,
                     "value", "name", key->name, "value", text, "recommended_values",
                     "errors", errors, "visible", 1);
}

void restart_keys_check(const json_t *config, json_t *validated)
{
    json_t *configs = json_object_get(validated, "configs");
    json_int_t faults = json_integer_value(json_object_get(validated, "error_count"));
    herder_own ignored = {0};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *text = json_string_value(json_object_get(config, keys[i].name));
        if (text == NULL || !json_is_array(configs)) {
            continue;
        }
        char *fault = take(&keys[i], text, &ignored);
        json_array_append_new(configs, entry_of(&keys[i], text, fault));
        faults += fault != NULL;
        free(fault);
    }
    if (json_is_array(configs)) {
        json_object_set_new(validated, "error_count", json_integer(faults));
    }
}
