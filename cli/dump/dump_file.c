/* Which file is dumped how, and the summary of what does not fit together. */
#include "base/memory.h"
#include "base/text.h"
#include "dump.h"
#include <stdlib.h>
#include <string.h>

void dump_done(dump *self)
{
    buffer_done(&self->index_mismatches);
    buffer_done(&self->time_mismatches);
    buffer_done(&self->time_disorder);
    buffer_done(&self->not_found);
    buffer_done(&self->gaps);
}

const char *dump_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool dump_base_offset(const char *path, int64_t *ret_offset)
{
    const char *name = dump_name(path);
    return text_to_int64_of(name, strspn(name, "0123456789"), ret_offset);
}

char *dump_absolute(const char *path)
{
    char *found = realpath(path, NULL);
    return found != NULL ? found : memory_text(path);
}

void dump_put_first(buffer *paragraph, size_t start, const char *line)
{
    size_t len = strlen(line), moved = paragraph->len - start;
    buffer_append(paragraph, line, len);
    memmove(paragraph->base + start + len, paragraph->base + start, moved);
    memcpy(paragraph->base + start, line, len);
}

typedef struct file_kind {
    const char *suffix;
    sluice_status (*run)(dump *self, const char *path, sluice_error *err);
} file_kind;

static const file_kind kinds[] = {
    {".log", dump_log},
    {".checkpoint", dump_log},
    {".index", dump_offset_index},
    {".timeindex", dump_time_index},
    {".snapshot", dump_producer_snapshot},
    {".txnindex", dump_transaction_index},
};

sluice_status dump_path(dump *self, const char *path, sluice_error *err)
{
    const char *suffix = strrchr(dump_name(path), '.');
    fprintf(self->out, "Dumping %s\n", path);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (suffix != NULL && strcmp(suffix, kinds[i].suffix) == 0) {
            return kinds[i].run(self, path, err);
        }
    }
    fflush(self->out);
    fprintf(stderr, "Ignoring unknown file %s\n", path);
    return SLUICE_OK;
}

void dump_summary(const dump *self, FILE *out)
{
    fputs(buffer_text(&self->index_mismatches), out);
    fputs(buffer_text(&self->time_mismatches), out);
    fputs(buffer_text(&self->time_disorder), out);
    fputs(buffer_text(&self->not_found), out);
    fputs(buffer_text(&self->gaps), out);
}
