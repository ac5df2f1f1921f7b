/* tests/lib/test.h - a test program in one include: cases, checks, TAP output.
 *
 *     TEST(a_segment_refuses_a_batch_that_is_too_large)
 *     {
 *         CHECK(segment_append(...) == SLUICE_BAD_RECORD);
 *         CHECK_TEXT(sluice_error_text(err), "…");
 *     }
 *     TEST_MAIN
 *
 * A case's name is a sentence. A check that fails prints both sides and ends its case;
 * the program goes on with the next case and exits with 1.
 * `PROGRAM NAME…` runs only the cases whose names contain one of the words. */
#ifndef SLUICE_TESTS_TEST_H
#define SLUICE_TESTS_TEST_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_case test_case;
struct test_case {
    const char *name;
    void (*run)(void);
    test_case *next;
};

static test_case *test_first, **test_last = &test_first;
static jmp_buf test_stop;
static const char *test_skip_reason = "";

#define TEST(title)                                                                    \
    static void test_run_##title(void);                                                \
    __attribute__((constructor)) static void test_add_##title(void)                    \
    {                                                                                  \
        static test_case self = {#title, test_run_##title, NULL};                      \
        *test_last = &self;                                                            \
        test_last = &self.next;                                                        \
    }                                                                                  \
    static void test_run_##title(void)

__attribute__((format(printf, 3, 4), noreturn, unused)) static void
test_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("# %s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    longjmp(test_stop, 1);
}

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            test_fail(__FILE__, __LINE__, "not so: %s", #condition);                   \
        }                                                                              \
    } while (0)

#define CHECK_INT(got, wanted)                                                         \
    do {                                                                               \
        intmax_t test_got = (intmax_t)(got), test_wanted = (intmax_t)(wanted);         \
        if (test_got != test_wanted) {                                                 \
            test_fail(__FILE__, __LINE__, "%s is %jd, not %jd", #got, test_got,        \
                      test_wanted);                                                    \
        }                                                                              \
    } while (0)

#define CHECK_TEXT(got, wanted)                                                        \
    do {                                                                               \
        const char *test_got = (got), *test_wanted = (wanted);                         \
        if (test_got == NULL || strcmp(test_got, test_wanted) != 0) {                  \
            test_fail(__FILE__, __LINE__, "%s is\n#   '%s', not\n#   '%s'", #got,      \
                      test_got == NULL ? "(null)" : test_got, test_wanted);            \
        }                                                                              \
    } while (0)

#define CHECK_BYTES(got, got_len, wanted, wanted_len)                                  \
    do {                                                                               \
        CHECK_INT(got_len, wanted_len);                                                \
        CHECK(memcmp(got, wanted, (size_t)(wanted_len)) == 0);                         \
    } while (0)

/* Ends the case as skipped: something it needs cannot be had here. */
#define SKIP(reason)                                                                   \
    do {                                                                               \
        test_skip_reason = (reason);                                                   \
        longjmp(test_stop, 2);                                                         \
    } while (0)

__attribute__((unused)) static int test_chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i]) != NULL) {
            return 1;
        }
    }
    return argc < 2;
}

__attribute__((unused)) static int test_all(int argc, char **argv)
{
    static int number, failed; /* static: they outlive longjmp. */
    static test_case *test;
    for (test = test_first; test != NULL; test = test->next) {
        if (!test_chosen(test->name, argc, argv)) {
            continue;
        }
        number++;
        int outcome = setjmp(test_stop);
        if (outcome == 0) {
            test->run();
            printf("ok %d - %s\n", number, test->name);
        } else if (outcome == 2) {
            printf("ok %d - %s # SKIP %s\n", number, test->name, test_skip_reason);
        } else {
            failed++;
            printf("not ok %d - %s\n", number, test->name);
        }
        fflush(stdout);
    }
    printf("1..%d\n", number);
    return failed > 0;
}

#define TEST_MAIN                                                                      \
    int main(int argc, char **argv)                                                    \
    {                                                                                  \
        return test_all(argc, argv);                                                   \
    }

#endif
