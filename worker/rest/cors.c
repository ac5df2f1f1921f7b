/* Which pages of other origins may ask. */
#include "worker/rest/cors.h"
#include "base/memory.h"
#include "base/text.h"
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct cors {
    bool any;
    size_t count;
    regex_t patterns[];
};

enum { pluses_max = 10 };

static size_t pluses_in(const char *pattern)
{
    size_t count = 0;
    for (; *pattern != '\0'; pattern++) {
        count += *pattern == '+';
    }
    return count;
}

static sluice_status compile(const char *pattern, regex_t *ret, sluice_error *err)
{
    char *whole = memory_print("^(%s)$", pattern);
    /* Repetitions in repetitions multiply, and their memory with them: glibc writes
     * what has a plus twice. */
    bool taken = strchr(pattern, '{') == NULL && pluses_in(pattern) <= pluses_max &&
                 regcomp(ret, whole, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    free(whole);
    return taken ? SLUICE_OK
                 : sluice_fail(err, SLUICE_BAD_CONFIG,
                               "'%s' is neither an origin nor a regular "
                               "expression without braces and with at most ten "
                               "pluses",
                               pattern);
}

sluice_status cors_new(const char *origins, cors **ret_cors, sluice_error *err)
{
    size_t count;
    char **list = text_split(origins, &count);
    cors *self = memory_zero(sizeof *self + count * sizeof *self->patterns);
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        if (strcmp(list[i], "*") == 0) {
            self->any = true;
            continue;
        }
        status = compile(list[i], &self->patterns[self->count], err);
        self->count += status == SLUICE_OK;
    }
    free(list);
    if (status != SLUICE_OK || count == 0) {
        cors_free(self);
        self = NULL;
    }
    if (status == SLUICE_OK) {
        *ret_cors = self;
    }
    return status;
}

void cors_free(cors *self)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        regfree(&self->patterns[i]);
    }
    free(self);
}

bool cors_allows(const cors *self, const char *origin)
{
    char *copy = memory_text(origin), *rest = copy;
    bool found = self->any;
    for (const char *one; !found && (one = strsep(&rest, " ")) != NULL;) {
        for (size_t i = 0; i < self->count; i++) {
            found |=
                one[0] != '\0' && regexec(&self->patterns[i], one, 0, NULL, 0) == 0;
        }
    }
    free(copy);
    return found;
}
