/* The last lines about one connector: a ring of texts, bounded in bytes too. */
#include "journal.h"
#include "base/memory.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

struct journal {
    char *lines[JOURNAL_LINES]; /* Line n is at n % JOURNAL_LINES. */
    int64_t first, next;
    size_t bytes;
};

journal *journal_new(void)
{
    return memory_zero(sizeof(journal));
}

static void drop_first(journal *self)
{
    char **line = &self->lines[self->first++ % JOURNAL_LINES];
    self->bytes -= strlen(*line) + 1;
    free(*line);
    *line = NULL;
}

void journal_free(journal *self)
{
    while (self != NULL && self->first < self->next) {
        drop_first(self);
    }
    free(self);
}

void journal_add(journal *self, const char *line, size_t len)
{
    while (self->first < self->next && (self->next - self->first == JOURNAL_LINES ||
                                        self->bytes + len + 1 > JOURNAL_BYTES_MAX)) {
        drop_first(self);
    }
    self->lines[self->next++ % JOURNAL_LINES] = memory_copy(line, len);
    self->bytes += len + 1;
}

/* What is no UTF-8 cannot be told in JSON as it is. */
static json_t *line_json(const char *line)
{
    json_t *text = json_string(line);
    if (text == NULL) {
        char *plain = memory_text(line);
        text_make_utf8(plain);
        text = json_string(plain);
        free(plain);
    }
    return text;
}

json_t *journal_json(const journal *self, int64_t count, int64_t after)
{
    json_t *lines = json_array();
    int64_t from = after + 1 > self->first ? after + 1 : self->first;
    if (count >= 0 && self->next - from > count) {
        from = self->next - count;
    }
    for (int64_t i = from; i < self->next; i++) {
        json_array_append_new(lines, line_json(self->lines[i % JOURNAL_LINES]));
    }
    return json_pack("{s:I, s:o}", "next", (json_int_t)(self->next - 1), "lines",
                     lines);
}

/* --- All of them. --- */

void journals_begin(map *all, const char *connector)
{
    if (map_get_text(all, connector) == NULL) {
        map_put_text(all, connector, journal_new());
    }
}

void journals_forget(map *all, const char *connector)
{
    journal_free(map_remove_text(all, connector));
}

void journals_done(map *all)
{
    const map_entry *entry;
    for (size_t at = 0; (entry = map_next(all, &at)) != NULL;) {
        journal_free(entry->value);
    }
    map_done(all);
}

void journals_add(map *all, const char *connector, const char *line, size_t len)
{
    journal *own = map_get_text(all, connector);
    if (own != NULL) {
        journal_add(own, line, len);
    }
}

json_t *journals_json(const map *all, const char *connector, int64_t count,
                      int64_t after)
{
    static const journal none;
    const journal *own = map_get_text(all, connector);
    json_t *told = json_pack("{s:s}", "name", connector);
    json_t *rest = journal_json(own == NULL ? &none : own, count, after);
    json_object_update(told, rest);
    json_decref(rest);
    return told;
}
