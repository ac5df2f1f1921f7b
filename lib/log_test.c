/* The log: levels by logger, and the form of a line. */
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

TEST(an_event_is_one_line_with_time_level_logger_and_context)
{
    char line[200];
    sluice_log_set_context("[files|task-0] ");
    logged("two\nlines a=1", line, sizeof line);
    sluice_log_set_context(NULL);
    CHECK_INT(strlen("2026-11-21T10:15:04.123Z"), 24);
    CHECK(line[10] == 'T' && line[19] == '.' && line[23] == 'Z');
    CHECK_TEXT(line + 24, " INFO tests [files|task-0] two\\nlines a=1\n");
}

TEST(a_line_is_cut_not_overrun)
{
    static char text[40000], line[40000];
    memset(text, 'x', sizeof text - 1);
    logged(text, line, sizeof line);
    CHECK(strlen(line) <= 16 * 1024);
    CHECK(line[strlen(line) - 1] == '\n');
}

TEST_MAIN
