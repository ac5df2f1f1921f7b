/* Columns as wide as they must be. */
#include "base/memory.h"
#include "connectors.h"
#include <stdlib.h>
#include <string.h>

struct table {
    size_t columns, count;
    size_t widths[table_columns_max];
    char **cells;
};

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

table *table_new(const char *const *heads)
{
    table *self = memory_zero(sizeof *self);
    while (self->columns < table_columns_max && heads[self->columns] != NULL) {
        self->columns++;
    }
    table_add(self, heads);
    return self;
}

void table_add(table *self, const char *const *cells)
{
    size_t end = (self->count + 1) * self->columns;
    self->cells = memory_resize(self->cells, end * sizeof *self->cells);
    for (size_t i = 0; i < self->columns; i++) {
        size_t width = width_of(cells[i]);
        self->cells[self->count * self->columns + i] = memory_text(cells[i]);
        self->widths[i] = width > self->widths[i] ? width : self->widths[i];
    }
    self->count++;
}

void table_print(const table *self)
{
    for (size_t i = 0; i < self->count * self->columns; i++) {
        size_t column = i % self->columns;
        bool last = column + 1 == self->columns;
        int pad = (int)(self->widths[column] - width_of(self->cells[i]));
        printf("%s%*s%s", self->cells[i], last ? 0 : pad, "", last ? "\n" : "  ");
    }
}

void table_free(table *self)
{
    for (size_t i = 0; i < self->count * self->columns; i++) {
        free(self->cells[i]);
    }
    free(self->cells);
    free(self);
}
