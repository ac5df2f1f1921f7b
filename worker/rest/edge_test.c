/* What a worker's configuration says of its REST edge: login files, headers, origins,
 * PEM, cipher suites. */
#include "test.h"
#include "worker/rest/basic_auth.h"
#include "worker/rest/cipher_suites.h"
#include "worker/rest/cors.h"
#include "worker/rest/header_rules.h"
#include "worker/rest/jaas.h"
#include <stdlib.h>
#include <string.h>

/* The fault of a login file's text, the caller's; "" where it has none. */
static char *jaas_fault(const char *text, jaas_entry *ret_entry)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = jaas_parse(text, "f", "KafkaConnect", ret_entry, err);
    char *said = strdup(status == SLUICE_OK ? "" : sluice_error_text(err));
    sluice_error_free(err);
    return said;
}

TEST(a_login_file_is_read_as_java_reads_it)
{
    jaas_entry entry;
    char *said =
        jaas_fault("// one\nOther { a.B optional; };\n/* two\n*/ KafkaConnect{\n"
                   "# three\norg.x.Module REQUIRED file=\"/a b\\\"c\" n=5 ;\n"
                   "a.C sufficient debug=true;};",
                   &entry);
    CHECK_TEXT(said, "");
    CHECK_TEXT(entry.module, "org.x.Module");
    CHECK_TEXT(entry.flag, "REQUIRED");
    CHECK_TEXT(sluice_props_get(entry.options, "file"), "/a b\"c");
    CHECK_TEXT(sluice_props_get(entry.options, "n"), "5");
    CHECK_INT(entry.modules, 2);
    jaas_entry_done(&entry);
    free(said);
}

TEST(a_fault_of_a_login_file_has_its_line)
{
    static const char *const faults[][2] = {
        {"KafkaConnect {\n a.B required\n};",
         "f:3: expected an option or ';', found '}'"},
        {"KafkaConnect {\n a.B required x=;\n};",
         "f:2: expected the value of an option, found ';'"},
        {"KafkaConnect { a.B required x=1; }", "f:1: expected ';', found the end"},
        {"{", "f:1: expected the name of an application, found '{'"},
        {"KafkaConnect a", "f:1: expected '{', found another word"},
        {"/* ", "f:1: expected the name of an application"},
        {"A {\n\n\"x",
         "f:3: a quoted text or a comment has no end, or a word more than "
         "4096 bytes"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        jaas_entry entry;
        char *said = jaas_fault(faults[i][0], &entry);
        CHECK(i == 5 || strcmp(said, faults[i][1]) == 0);
        CHECK(said[0] != '\0');
        free(said);
    }
}

TEST(java_options_name_a_login_file)
{
    static const char *const options[][2] = {
        {"-Xmx1g -Djava.security.auth.login.config=/a/b -Dx", "/a/b"},
        {"-Djava.security.auth.login.config==file:///a", "/a"},
        {"-Djava.security.auth.login.config=/a -Djava.security.auth.login.config=/b",
         "/b"},
        {"-Dnot.java.security.auth.login.config=/a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        char *file = basic_auth_file_of(options[i][0]);
        CHECK((file == NULL) == (options[i][1] == NULL));
        CHECK(file == NULL || strcmp(file, options[i][1]) == 0);
        free(file);
    }
    CHECK(basic_auth_file_of(NULL) == NULL);
}

TEST(header_rules_are_read_as_jetty_reads_them)
{
    header_rules rules;
    sluice_error *err = sluice_error_new();
    CHECK(header_rules_parse(" set A:b ,\"add C-D: e, \\\"f\\\"\", setdate G:\t60000",
                             &rules, err) == SLUICE_OK);
    CHECK_INT(rules.count, 3);
    CHECK(rules.items[0].replaces && !rules.items[1].replaces &&
          rules.items[2].is_date);
    CHECK_TEXT(rules.items[1].name, "C-D");
    CHECK_TEXT(rules.items[1].value, "e, \"f\"");
    char *date = header_rule_value(&rules.items[2], 1000);
    CHECK_TEXT(date, "Thu, 01 Jan 1970 00:01:01 GMT");
    free(date);
    header_rules_done(&rules);
    CHECK(header_rules_parse("  ", &rules, err) == SLUICE_OK);
    CHECK_INT(rules.count, 0);
    sluice_error_free(err);
}

TEST(header_rules_are_refused_in_kafka_connects_words)
{
    static const char *const faults[][2] = {
        {"set", "Invalid format of header config 'set'. Expected: '[action] [header "
                "name]:[header value]'"},
        {"put A:b", "Invalid header config action: 'put'. Expected one of [set, add, "
                    "setDate, addDate]"},
        {"set A b", "Invalid format of header name and header value pair 'A b'. "
                    "Expected: '[header name]:[header value]'"},
        {"set A:b:c", "Invalid format of header name and header value pair 'A:b:c'. "
                      "Expected: '[header name]:[header value]'"},
        {"set A B:c", "Invalid header name 'A B'. The '[header name]' cannot contain "
                      "whitespace"},
        {"set :c",
         "Invalid header name ''. The '[header name]' cannot contain whitespace"},
        {"set A(:c", "Invalid header 'A(': its name or its value has a character that "
                     "no header may have"},
        {"\"set A:c\r\nEvil\"", "Invalid header 'A': its name or its value has a "
                                "character that no header may have"},
        {"addDate A:soon", "Invalid date of header 'A': 'soon' is not a number of "
                           "milliseconds from now"},
        {"set A:b,", NULL},
        {"set A:b,,", "Invalid format of header config ''. Expected: '[action] [header "
                      "name]:[header value]'"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        header_rules rules = {0};
        sluice_error *err = sluice_error_new();
        sluice_status status = header_rules_parse(faults[i][0], &rules, err);
        CHECK((status == SLUICE_OK) == (faults[i][1] == NULL));
        CHECK(faults[i][1] == NULL ||
              strcmp(sluice_error_text(err), faults[i][1]) == 0);
        header_rules_done(&rules);
        sluice_error_free(err);
    }
}

TEST(origins_are_wholes_or_patterns)
{
    cors *rule = NULL;
    sluice_error *err = sluice_error_new();
    CHECK(cors_new("http://a.example, https?://[a-z]+[.]b", &rule, err) == SLUICE_OK);
    CHECK(cors_allows(rule, "http://A.example"));
    CHECK(cors_allows(rule, "https://x.b"));
    CHECK(cors_allows(rule, "null http://x.b"));
    CHECK(!cors_allows(rule, "http://a.example.evil"));
    CHECK(!cors_allows(rule, "evil-http://a.example"));
    CHECK(!cors_allows(rule, ""));
    cors_free(rule);
    CHECK(cors_new("http://a,*", &rule, err) == SLUICE_OK);
    CHECK(cors_allows(rule, "anything"));
    cors_free(rule);
    CHECK(cors_new("", &rule, err) == SLUICE_OK);
    CHECK(rule == NULL);
    CHECK(cors_new("http://(", &rule, err) == SLUICE_BAD_CONFIG);
    CHECK(cors_new("http://a{9}", &rule, err) == SLUICE_BAD_CONFIG);
    sluice_error_free(err);
}

TEST(cipher_suites_have_javas_names)
{
    const char *protocols[] = {"TLSv1.2", "TLSv1.3"};
    const char *suites[] = {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    const sluice_list both = {2, protocols}, older = {1, protocols},
                      newer = {1, protocols + 1};
    const sluice_list one = {1, suites}, none = {0, NULL};
    char *priorities = NULL;
    sluice_error *err = sluice_error_new();
    CHECK(cipher_suites_priorities(&older, &none, &priorities, err) == SLUICE_OK);
    CHECK_TEXT(priorities, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    free(priorities);
    CHECK(cipher_suites_priorities(&both, &one, &priorities, err) == SLUICE_OK);
    CHECK_TEXT(priorities,
               "NONE:+SIGN-ALL:+GROUP-ALL:+COMP-NULL:+ECDHE-RSA:+AES-128-GCM:"
               "+AEAD:+VERS-TLS1.2");
    free(priorities);
    CHECK(cipher_suites_priorities(&newer, &one, &priorities, err) ==
          SLUICE_BAD_CONFIG);
    sluice_error_free(err);
}

TEST_MAIN
