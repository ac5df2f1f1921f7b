/* What is hidden in texts, and what is not. */
#include "test.h"
#include "worker/config/secrets.h"
#include <stdlib.h>
#include <string.h>

static secrets *set;

static void begin(void)
{
    secrets_free(set);
    set = secrets_new();
}

static const char *hidden(const char *text)
{
    static char *last;
    free(last);
    last = secrets_hide(set, text);
    return last;
}

TEST(whole_words_are_replaced_by_what_is_shown)
{
    begin();
    secrets_add(set, "sesame\n", "${file:/p:k}");
    secrets_add(set, "open sesame", "[hidden]");
    CHECK_TEXT(hidden("'sesame' at sesame:5432, key=sesame"),
               "'${file:/p:k}' at ${file:/p:k}:5432, key=${file:/p:k}");
    CHECK_TEXT(hidden("sesames, a-sesame, my_sesame"), "sesames, a-sesame, my_sesame");
    CHECK_TEXT(hidden("it was open sesame"), "it was [hidden]");
    CHECK_TEXT(hidden(""), "");
}

TEST(what_is_too_short_or_common_is_no_secret)
{
    begin();
    secrets_add(set, "abc", "x");
    secrets_add(set, "5432", "x");
    secrets_add(set, "TRUE", "x");
    secrets_add(set, "  ", "x");
    secrets_add(set, "12345678", "x");
    CHECK_TEXT(hidden("abc 5432 TRUE true 12345678"), "abc 5432 TRUE true x");
}

TEST(passwords_of_urls_are_hidden_everywhere)
{
    begin();
    CHECK_TEXT(hidden("no https://joe:p%40ss@h:1/x@y:z or ftp://u:@h/"),
               "no https://joe:[hidden]@h:1/x@y:z or ftp://u:@h/");
    CHECK_TEXT(hidden("http://h:80/a@b http://u@h \"http://a:b@c:d@h\""),
               "http://h:80/a@b http://u@h \"http://a:[hidden]@h\"");
    CHECK_TEXT(hidden("http://u:${env:P}@h"), "http://u:${env:P}@h");
    CHECK_TEXT(hidden("://:"), "://:");
}

TEST(names_and_tables_say_what_a_password_is)
{
    static const sluice_key keys[] = {{.name = "pin", .type = SLUICE_PASSWORD},
                                      {.name = "user", .type = SLUICE_STRING},
                                      {.name = NULL}};
    static const sluice_config table = {
        .size = sizeof table, .key_size = sizeof(sluice_key), .keys = keys};
    sluice_props *props = sluice_props_new();
    sluice_props_set(props, "pin", "pin-value");
    sluice_props_set(props, "user", "database");
    sluice_props_set(props, "database.password", "database");
    sluice_props_set(props, "ssl.key.password", "key-value");
    sluice_props_set(props, "producer.override.sasl.jaas.config",
                     "x.Plain required username=\"joe\" password=\"jaas value\";");
    begin();
    secrets_add_named(set, props);
    secrets_add_keys(set, &table, props);
    secrets_spare(set, &table, props);
    CHECK_TEXT(hidden("database pin-value key-value 'jaas value' joe"),
               "database [hidden] [hidden] '[hidden]' joe");
    sluice_props_free(props);
    secrets_free(set);
    set = NULL;
}

TEST_MAIN
