/* The log: levels by logger, and the form of a line. */
#include "log_line.h"
#include "test.h"
#include <sluice/log.h>
#include <unistd.h>

TEST(levels_have_names_in_any_case)
{
    sluice_level level;
    CHECK(sluice_level_parse("warn", &level) && level == SLUICE_WARN);
    CHECK(sluice_level_parse("OFF", &level) && level == SLUICE_OFF);
    CHECK(!sluice_level_parse("LOUD", &level));
    CHECK_TEXT(sluice_level_name(SLUICE_TRACE), "TRACE");
}

TEST(the_longest_rule_decides_and_dots_separate)
{
    sluice_log_set_level("", SLUICE_INFO);
    sluice_log_set_level("connectors", SLUICE_WARN);
    sluice_log_set_level("connectors.http", SLUICE_DEBUG);
    CHECK(sluice_log_enabled(SLUICE_DEBUG, "connectors.http.client"));
    CHECK(!sluice_log_enabled(SLUICE_INFO, "connectors.file"));
    CHECK(sluice_log_enabled(SLUICE_INFO, "connectors2"));
    CHECK(!sluice_log_enabled(SLUICE_DEBUG, "worker"));
    sluice_log_set_level("", SLUICE_INFO);
    CHECK(sluice_log_enabled(SLUICE_INFO, "connectors.file"));
}

/* What `sluice_log` writes to standard error for `text`. */
static void logged(const char *text, char *out, size_t size)
{
    int pipes[2], saved = dup(STDERR_FILENO);
    CHECK(saved >= 0 && pipe(pipes) == 0);
    dup2(pipes[1], STDERR_FILENO);
    sluice_log(SLUICE_INFO, "tests", "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipes[1]);
    ssize_t got = read(pipes[0], out, size - 1);
    close(pipes[0]);
    CHECK(got > 0);
    out[got] = '\0';
}

TEST(an_event_is_one_line_as_kafka_connect_has_it)
{
    char line[200];
    sluice_log_set_context("files");
    log_line_set_task(0);
    logged("two\nlines\r a=1", line, sizeof line);
    log_line_set_task(LOG_NO_TASK);
    CHECK_INT(strlen("[2026-11-21 10:15:04,123]"), 25);
    CHECK(line[0] == '[' && line[11] == ' ' && line[20] == ',' && line[24] == ']');
    CHECK_TEXT(line + 25, " INFO [files|task-0] two\\nlines\\r a=1 (tests)\n");
    CHECK(log_line_is_one(line));
    logged("x", line, sizeof line);
    CHECK_TEXT(line + 25, " INFO [files|worker] x (tests)\n");
    sluice_log_set_context(NULL);
    logged("x", line, sizeof line);
    CHECK_TEXT(line + 25, " INFO x (tests)\n");
    CHECK(!log_line_is_one("x") && !log_line_is_one("[2026-11-21 1"));
}

TEST(an_event_is_an_object_where_that_is_asked_for)
{
    char line[400];
    log_line_set_format(LOG_JSON);
    sluice_log_set_context("a\"b");
    log_line_set_task(12);
    logged("two\nlines \x01 \xff \xc3\xa4 \xe2\x98\x83 \xed\xa0\x80 \xc3", line,
           sizeof line);
    log_line_set_task(LOG_NO_TASK);
    CHECK(log_line_is_one(line));
    CHECK(strncmp(line, "{\"timestamp\":\"2", 15) == 0);
    CHECK_TEXT(strstr(line, "\"level\""),
               "\"level\":\"INFO\",\"logger\":\"tests\",\"connector\":\"a\\\"b\","
               "\"task\":12,\"message\":\"two\\nlines \\u0001 \\ufffd \xc3\xa4 "
               "\xe2\x98\x83 \\ufffd\\ufffd\\ufffd \\ufffd\"}\n");
    sluice_log_set_context(NULL);
    logged("x", line, sizeof line);
    CHECK_TEXT(strstr(line, "\"logger\""), "\"logger\":\"tests\",\"message\":\"x\"}\n");
    log_line_set_format(LOG_TEXT);
}

TEST(a_line_is_cut_not_overrun_and_has_its_end)
{
    static char text[40000], line[40000];
    memset(text, '"', sizeof text - 1);
    for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
        log_line_set_format((log_format)format);
        logged(text, line, sizeof line);
        size_t len = strlen(line);
        CHECK(len <= LOG_LINE_BYTES_MAX && len > LOG_LINE_BYTES_MAX - 20);
        const char *end = format == LOG_TEXT ? " (tests)\n" : "\\\"\"}\n";
        CHECK_TEXT(line + len - strlen(end), end);
    }
    log_line_set_format(LOG_TEXT);
}

TEST_MAIN
