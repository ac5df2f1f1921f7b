/* Configurations: values as ConfigDef reads them, faults in its words, near misses. */
#include "../base/text.h"
#include "key.h"
#include "review.h"
#include "test.h"
#include <stdarg.h>

typedef struct settings {
    bool flag;
    int32_t number;
    int64_t wide;
    double fraction;
    const char *text;
    const char *secret;
    const char *word;
    sluice_list list;
    int64_t pause;
    int64_t bytes;
    int32_t mode;
    sluice_family masks;
} settings;

static const char *const modes[] = {"none", "all", NULL};

#define AT(type, field) SLUICE_AT(type, settings, field)
static const sluice_key keys[] = {
    {.name = "flag", .fallback = "true", .type = SLUICE_BOOL, .offset = AT(bool, flag)},
    {.name = "number",
     .fallback = "5",
     .type = SLUICE_INT,
     .min = 1,
     .max = 10,
     .offset = AT(int32_t, number)},
    {.name = "wide", .fallback = "0", .type = SLUICE_LONG, .offset = AT(int64_t, wide)},
    {.name = "fraction",
     .fallback = "0.5",
     .type = SLUICE_DOUBLE,
     .min = 0,
     .max = 1,
     .offset = AT(double, fraction)},
    {.name = "text", .type = SLUICE_STRING, .min = 1, .offset = AT(const char *, text)},
    {.name = "secret",
     .fallback = SLUICE_NULL,
     .type = SLUICE_PASSWORD,
     .offset = AT(const char *, secret)},
    {.name = "word",
     .fallback = "none",
     .type = SLUICE_STRING,
     .choices = modes,
     .offset = AT(const char *, word)},
    {.name = "list",
     .fallback = "",
     .type = SLUICE_LIST,
     .offset = AT(sluice_list, list)},
    {.name = "pause.ms",
     .fallback = "1s",
     .type = SLUICE_DURATION,
     .min = 10,
     .offset = AT(int64_t, pause)},
    {.name = "bytes",
     .fallback = "64k",
     .type = SLUICE_SIZE,
     .offset = AT(int64_t, bytes)},
    {.name = "mode",
     .fallback = "all",
     .type = SLUICE_ENUM,
     .choices = modes,
     .offset = AT(int32_t, mode)},
    {.name = "mask.(d+).by.([^.]+).(.+)",
     .fallback = SLUICE_NULL,
     .type = SLUICE_FAMILY,
     .offset = AT(sluice_family, masks)},
    {.name = "jvm.heap", .unused = "there is no virtual machine.", .type = SLUICE_INT},
    {.name = "old.name",
     .fallback = "",
     .instead = "text",
     .type = SLUICE_STRING,
     .offset = AT(const char *, secret)},
    {0}};

static sluice_status check(const void *config, sluice_error *err)
{
    const settings *s = config;
    if (s->number == 7) {
        return sluice_fail_key(err, "number", "number is 7: must not be");
    }
    return SLUICE_OK;
}

static const sluice_config table = {.size = sizeof table,
                                    .key_size = sizeof(sluice_key),
                                    .struct_size = sizeof(settings),
                                    .keys = keys,
                                    .check = check};

static sluice_props *props_of(const char *first, va_list arguments)
{
    sluice_props *props = sluice_props_new();
    for (const char *name = first; name != NULL; name = va_arg(arguments, char *)) {
        sluice_props_set(props, name, va_arg(arguments, char *));
    }
    return props;
}

/* The configuration of these pairs, which has no fault. */
static settings *parse(const char *first, ...)
{
    va_list arguments;
    va_start(arguments, first);
    sluice_props *props = props_of(first, arguments);
    va_end(arguments);
    void *config = NULL;
    sluice_error *err = sluice_error_new();
    sluice_status status = sluice_config_parse(&table, props, &config, err);
    sluice_props_free(props);
    printf("# %s\n", sluice_error_text(err));
    sluice_error_free(err);
    CHECK(status == SLUICE_OK);
    return config;
}

/* The faults of these pairs, beside text=x. */
static const char *faults(const char *first, ...)
{
    static char text[1000];
    va_list arguments;
    va_start(arguments, first);
    sluice_props *props = props_of(first, arguments);
    va_end(arguments);
    if (!sluice_props_has(props, "text")) {
        sluice_props_set(props, "text", "x");
    }
    void *config = NULL;
    sluice_error *err = sluice_error_new();
    sluice_status status = sluice_config_parse(&table, props, &config, err);
    snprintf(text, sizeof text, "%s", sluice_error_text(err));
    sluice_props_free(props);
    sluice_error_free(err);
    CHECK(status == SLUICE_BAD_CONFIG && config == NULL);
    return text;
}

TEST(defaults_are_read_by_the_same_parser)
{
    settings *s = parse("text", " x ", NULL);
    CHECK(s->flag);
    CHECK_INT(s->number, 5);
    CHECK(s->fraction == 0.5);
    CHECK_TEXT(s->text, "x");
    CHECK(s->secret != NULL); /* old.name, a text that is empty. */
    CHECK_INT(s->list.count, 0);
    CHECK_INT(s->pause, 1000);
    CHECK_INT(s->bytes, 65536);
    CHECK_INT(s->mode, 1);
    sluice_config_free(&table, s);
    sluice_config_free(&table, NULL);
}

TEST(values_replace_defaults)
{
    settings *s = parse("text", "t", "flag", " FALSE", "number", "+10", "wide",
                        "-9223372036854775808", "list", "a , b,", "pause.ms", "2m",
                        "bytes", "3G", "mode", "NONE", "word", "all", NULL);
    CHECK(!s->flag);
    CHECK_INT(s->number, 10);
    CHECK_INT(s->wide, INT64_MIN);
    CHECK_INT(s->list.count, 3);
    CHECK_TEXT(s->list.items[1], "b");
    CHECK_TEXT(s->list.items[2], "");
    CHECK_INT(s->pause, 120000);
    CHECK_INT(s->bytes, INT64_C(3) << 30);
    CHECK_INT(s->mode, 0);
    CHECK_TEXT(s->word, "all");
    sluice_config_free(&table, s);
}

TEST(faults_are_told_in_configdefs_words)
{
    CHECK_TEXT(faults("wide", "abc", NULL),
               "Invalid value abc for configuration wide: Not a number of type LONG");
    CHECK_TEXT(faults("number", "0", NULL),
               "Invalid value 0 for configuration number: Value must be at least 1");
    CHECK_TEXT(
        faults("number", "11", NULL),
        "Invalid value 11 for configuration number: Value must be no more than 10");
    CHECK_TEXT(faults("number", "x", NULL),
               "Invalid value x for configuration number: Not a number of type INT; "
               "Invalid value null for configuration number: Value must be non-null");
    CHECK_TEXT(
        faults("fraction", "1.5", NULL),
        "Invalid value 1.5 for configuration fraction: Value must be no more than "
        "1");
    CHECK_TEXT(faults("flag", "yes", NULL),
               "Invalid value yes for configuration flag: Expected value to be either "
               "true or false");
    CHECK_TEXT(faults("word", "ALL", NULL),
               "Invalid value ALL for configuration word: String must be one of: none, "
               "all");
    CHECK_TEXT(faults("mode", "some", NULL),
               "Invalid value some for configuration mode: String must be one of (case "
               "insensitive): none, all");
    CHECK_TEXT(faults("text", " ", NULL),
               "Invalid value  for configuration text: String must be non-empty");
    CHECK_TEXT(faults("wide", NULL, NULL),
               "Null value can not be supplied as the configuration value.");
}

TEST(units_are_checked_and_do_not_overflow)
{
    CHECK_TEXT(
        faults("bytes", "5x", NULL),
        "Invalid value 5x for configuration bytes: Not a number of type LONG, nor "
        "a size such as 64k, 10m or 1g");
    CHECK(strstr(faults("bytes", "9999999999g", NULL), "nor a size") != NULL);
    CHECK(strstr(faults("pause.ms", "k", NULL), "nor a duration") != NULL);
    CHECK_TEXT(
        faults("pause.ms", "9ms", NULL),
        "Invalid value 9ms for configuration pause.ms: Value must be at least 10");
}

TEST(all_faults_come_at_once_each_with_its_key)
{
    sluice_props *props = sluice_props_new();
    sluice_error *err = sluice_error_new();
    void *config = NULL;
    sluice_props_set(props, "flag", "1");
    sluice_props_set(props, "wide", "1.5");
    CHECK(sluice_config_parse(&table, props, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_INT(sluice_error_count(err), 3);
    CHECK_TEXT(sluice_error_key(err, 0), "flag");
    CHECK_TEXT(sluice_error_key(err, 1), "wide");
    CHECK_TEXT(sluice_error_message(err, 2),
               "Missing required configuration \"text\" which has no default value.");
    sluice_error_free(err);
    sluice_props_free(props);
}

TEST(rules_between_keys_come_last)
{
    CHECK_TEXT(faults("number", "7", NULL), "number is 7: must not be");
    CHECK(strstr(faults("number", "7", "flag", "x", NULL), "number is 7") != NULL);
}

static sluice_status check_all(const void *config, sluice_error *err)
{
    const settings *s = config;
    CHECK_INT(s->number, 5);
    CHECK_TEXT(s->text, "");
    sluice_fail_key(err, "text", "about a stand-in");
    return sluice_fail_key(err, "wide", "wide goes without saying");
}

TEST(rules_are_checked_beside_single_faults_and_say_nothing_of_stand_ins)
{
    sluice_config strict = table;
    strict.check = check_all;
    sluice_props *props = sluice_props_new();
    sluice_error *err = sluice_error_new();
    void *config = NULL;
    sluice_props_set(props, "number", "11");
    CHECK(sluice_config_parse(&strict, props, &config, err) == SLUICE_BAD_CONFIG);
    CHECK_INT(sluice_error_count(err), 3);
    CHECK_TEXT(sluice_error_key(err, 0), "number");
    CHECK_TEXT(sluice_error_message(err, 1),
               "Missing required configuration \"text\" which has no default value.");
    CHECK_TEXT(sluice_error_message(err, 2), "wide goes without saying");
    CHECK(sluice_config_parse(&strict, props, &config, NULL) == SLUICE_BAD_CONFIG);
    sluice_error_free(err);
    sluice_props_free(props);
}

TEST(an_older_and_shorter_key_is_read_with_its_own_stride)
{
    enum { old_size = offsetof(sluice_key, importance) + sizeof(sluice_importance) };
    static char old[3 * old_size];
    for (size_t i = 0; i < 2; i++) {
        memcpy(old + i * old_size, &keys[i], old_size);
    }
    sluice_config shorter = {.size = offsetof(sluice_config, check),
                             .key_size = old_size,
                             .keys = (const sluice_key *)(const void *)old,
                             .check = check};
    sluice_key key;
    CHECK(config_key(&shorter, 1, &key));
    CHECK_TEXT(key.name, "number");
    CHECK_INT(key.offset, 0);
    CHECK(!config_key(&shorter, 2, &key));
    CHECK(config_check_of(&shorter) == NULL);
    CHECK(!config_key(NULL, 0, &key));
}

TEST(near_misses_are_faults_and_the_rest_gets_a_sentence)
{
    static const char *const others[] = {"connector.class", "tasks.max", NULL};
    static const char *const prefixes[] = {"transforms.", NULL};
    config_names known = {&table, others, prefixes};
    sluice_props *props = sluice_props_new(), *notes = sluice_props_new();
    sluice_error *err = sluice_error_new();
    sluice_props_set(props, "pauze.ms", "1");
    sluice_props_set(props, "task.max", "1");
    sluice_props_set(props, "transforms.a.type", "x");
    sluice_props_set(props, "jvm.heap", "1g");
    sluice_props_set(props, "old.name", "x");
    sluice_props_set(props, "my.own.thing", "x");
    sluice_props_set(props, "mask.1.by.a.b", "x");
    CHECK(config_review(&known, props, notes, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "Unknown configuration 'pauze.ms': did you mean 'pause.ms'?; "
               "Unknown configuration 'task.max': did you mean 'tasks.max'?");
    CHECK_TEXT(sluice_error_key(err, 1), "task.max");
    CHECK_INT(sluice_props_count(notes), 3);
    CHECK_TEXT(sluice_props_get(notes, "jvm.heap"),
               "'jvm.heap' has no effect: there is no virtual machine.");
    CHECK_TEXT(sluice_props_get(notes, "old.name"),
               "'old.name' is deprecated: use 'text' instead");
    CHECK_TEXT(sluice_props_get(notes, "my.own.thing"),
               "'my.own.thing' is not a known configuration: it is kept and has no "
               "effect");
    sluice_error_clear(err);
    sluice_props_set(props, "list", " public.a ,b");
    sluice_props_set(props, "list.public.a", "x");
    sluice_props_set(props, "list.b", "x");
    sluice_props_set(props, "list.public", "x");
    CHECK(config_review(&known, props, notes, err) == SLUICE_BAD_CONFIG);
    CHECK(!sluice_props_has(notes, "list.public.a"));
    CHECK(!sluice_props_has(notes, "list.b"));
    CHECK(sluice_props_has(notes, "list.public"));
    sluice_error_clear(err);
    sluice_props_remove(props, "pauze.ms");
    sluice_props_set(props, "tasks.max", "1");
    CHECK(config_review(&known, props, NULL, err) == SLUICE_OK);
    sluice_error_free(err);
    sluice_props_free(notes);
    sluice_props_free(props);
}

TEST(a_family_has_the_keys_whose_names_have_its_form)
{
    settings *s = parse("text", "x", "mask.12.by.a.b.c", "1", "mask.x.by.a.b", "2",
                        "mask.1.by.a", "3", "mask.1.by..b", "4", "mask.0.by.é.ü", "5",
                        "mask.1.by.a.", "6", "xmask.1.by.a.b", "7", NULL);
    CHECK_INT(s->masks.count, 2);
    CHECK_TEXT(s->masks.names[0], "mask.12.by.a.b.c");
    CHECK_TEXT(s->masks.values[0], "1");
    CHECK_TEXT(s->masks.names[1], "mask.0.by.é.ü");
    sluice_config_free(&table, s);
    s = parse("text", "x", NULL);
    CHECK_INT(s->masks.count, 0);
    sluice_config_free(&table, s);
    CHECK_TEXT(faults("mask.1.by.a.b", NULL, NULL),
               "Null value can not be supplied as the configuration value.");
}

TEST(props_keep_their_order_and_know_null_from_none)
{
    sluice_props *props = sluice_props_new();
    sluice_props_set(props, "a", "1");
    sluice_props_set(props, "b", NULL);
    sluice_props_set(props, "c", "3");
    sluice_props_set(props, "a", sluice_props_get(props, "a"));
    CHECK(sluice_props_has(props, "b") && sluice_props_get(props, "b") == NULL);
    CHECK(!sluice_props_has(props, "d") && sluice_props_get(props, "d") == NULL);
    sluice_props_remove(props, "a");
    sluice_props_remove(props, "nothing");
    CHECK_INT(sluice_props_count(props), 2);
    CHECK_TEXT(sluice_props_name(props, 0), "b");
    CHECK_TEXT(sluice_props_value(props, 1), "3");
    sluice_props_set(props, "b", "now");
    CHECK_TEXT(sluice_props_get(props, "b"), "now");
    sluice_props_free(props);
}

TEST_MAIN
