/* connectors/postgres/row.c - tuples of the stream as rows and keys. */
#include "relation.h"

#include <sluice/log.h>
#include <string.h>

/* A text that could not be converted: null where the configuration allows that. */
static sluice_status unconverted(const pg_relation *self, const pg_column *column,
                                 const sluice_value **ret_value, sluice_error *err)
{
    sluice_prefix(err, "column '%s' of table '%s.%s'", column->name, self->schema,
                  self->name);
    if (column->config->failure_mode == FAILURE_FAIL) {
        return SLUICE_FATAL;
    }
    if (column->config->failure_mode == FAILURE_WARN) {
        sluice_log(SLUICE_WARN, "connectors.postgres", "%s: null instead",
                   sluice_error_text(err));
    }
    *ret_value = NULL;
    return SLUICE_OK;
}

/* The same value with the schema that the column has in the key, where what is told of
 * its source makes that another one. */
static const sluice_value *in_key(const pg_column *column, const sluice_value *value,
                                  sluice_arena *arena)
{
    if (column->key_schema == column->schema || value == NULL ||
        sluice_value_type(value) != SLUICE_TYPE_STRUCT) {
        return value;
    }
    sluice_value *made = sluice_struct_new(arena, column->key_schema);
    for (size_t i = 0; i < sluice_value_count(value); i++) {
        sluice_struct_set(made, i, sluice_value_at(value, i));
    }
    return made;
}

/* Whether the array of a cell has more dimensions than the column's schema. */
static bool outgrows(const pg_column *column, const pg_cell *cell, int *ret_dimensions)
{
    if (column->convert != convert_array) {
        return false;
    }
    *ret_dimensions = convert_dimensions(cell->text, (size_t)cell->len);
    return *ret_dimensions > (column->dimensions > 1 ? column->dimensions : 1);
}

/* SLUICE_BAD_RECORD: see outgrows(). */
static inline sluice_status convert(const pg_relation *self, const pg_column *column,
                                    const pg_cell *cell, sluice_arena *arena,
                                    const sluice_value **ret_value, sluice_error *err)
{
    sluice_status status =
        column->convert(column, arena, cell->text, (size_t)cell->len, ret_value, err);
    if (status == SLUICE_OK) {
        return SLUICE_OK;
    }
    int dimensions;
    if (outgrows(column, cell, &dimensions)) {
        sluice_error_clear(err);
        return SLUICE_BAD_RECORD;
    }
    return unconverted(self, column, ret_value, err);
}

/* Whether the old tuple has what the new one does not repeat. Of a key that is so long
 * that it was moved out of the row, the server sends the old values for that reason. */
static inline bool tells(const pg_column *column, const pg_tuple *old, int i)
{
    bool known = old != NULL && (old->kind == TUPLE_OLD ||
                                 (old->kind == TUPLE_KEY && column->identity));
    return known && i < old->count && old->cells[i].kind == CELL_TEXT;
}

/* The value of a cell. A 'K' tuple says null for what it does not know. */
static inline sluice_status cell_value(const pg_relation *self, const pg_tuple *tuple,
                                       const pg_tuple *old, int i, sluice_arena *arena,
                                       const sluice_value **ret_value,
                                       sluice_error *err)
{
    const pg_column *column = &self->columns[i];
    const pg_cell *cell = &tuple->cells[i];
    if (cell->kind == CELL_UNCHANGED) {
        if (!tells(column, old, i)) {
            *ret_value = column->unavailable;
            return SLUICE_OK;
        }
        cell = &old->cells[i];
    }
    if (cell->kind == CELL_TEXT) {
        return convert(self, column, cell, arena, ret_value, err);
    }
    bool unknown = tuple->kind == TUPLE_KEY && !column->identity;
    *ret_value = unknown && !column->optional ? column->fallback : NULL;
    return SLUICE_OK;
}

/* Of the array in a column whose value is in one of the two. */
static int dimensions_of(const pg_tuple *tuple, const pg_tuple *old, int i)
{
    const pg_cell *cell = &tuple->cells[i];
    if (cell->kind == CELL_UNCHANGED) {
        cell = &old->cells[i];
    }
    return convert_dimensions(cell->text, (size_t)cell->len);
}

sluice_status relation_row(const pg_relation *self, const pg_tuple *tuple,
                           const pg_tuple *old, sluice_arena *arena,
                           row_values *ret_values, row_misfit *ret_misfit,
                           sluice_error *err)
{
    *ret_misfit = (row_misfit){-1, 0};
    if (tuple->count != self->count) {
        return sluice_fail(
            err, SLUICE_FATAL,
            "the server sent a row of %d columns for table '%s.%s', which "
            "it described with %d",
            tuple->count, self->schema, self->name, self->count);
    }
    sluice_value *row = sluice_struct_new(arena, self->value_schema);
    sluice_value *key =
        self->key_schema == NULL ? NULL : sluice_struct_new(arena, self->key_schema);
    for (int i = 0; i < self->count; i++) {
        const pg_column *column = &self->columns[i];
        if (column->field < 0 && column->key_field < 0) {
            continue;
        }
        const sluice_value *value;
        sluice_status status = cell_value(self, tuple, old, i, arena, &value, err);
        if (status == SLUICE_BAD_RECORD) {
            ret_misfit->column = i;
            ret_misfit->dimensions = dimensions_of(tuple, old, i);
        }
        if (status != SLUICE_OK) {
            return status;
        }
        if (value == NULL && !column->optional) {
            ret_misfit->column = i;
            return SLUICE_BAD_RECORD;
        }
        if (column->key_field >= 0) {
            sluice_struct_set(key, (size_t)column->key_field,
                              in_key(column, value, arena));
        }
        if (column->field >= 0) {
            if (column->mask != NULL) {
                value = mask_apply(column->mask, &column->masked, value, arena);
            }
            sluice_struct_set(row, (size_t)column->field, value);
        }
    }
    *ret_values = (row_values){key, row};
    return SLUICE_OK;
}

static bool same_cell(const pg_cell *left, const pg_cell *right)
{
    return left->kind == right->kind && left->len == right->len &&
           (left->len <= 0 || memcmp(left->text, right->text, (size_t)left->len) == 0);
}

bool relation_same_key(const pg_relation *self, const pg_tuple *one,
                       const pg_tuple *other)
{
    for (int i = 0; i < self->count && i < one->count && i < other->count; i++) {
        const pg_column *column = &self->columns[i];
        bool unknown = one->kind == TUPLE_KEY && !column->identity;
        if (column->key_field >= 0 && !unknown &&
            other->cells[i].kind != CELL_UNCHANGED &&
            !same_cell(&one->cells[i], &other->cells[i])) {
            return false;
        }
    }
    return true;
}

bool relation_same_row(const pg_relation *self, const pg_tuple *old,
                       const pg_tuple *new)
{
    if (old->kind != TUPLE_OLD || old->count != self->count ||
        new->count != self->count) {
        return false;
    }
    for (int i = 0; i < self->count; i++) {
        const mask *hider = self->columns[i].mask;
        bool told = self->columns[i].field >= 0 &&
                    (hider == NULL || !mask_tells_nothing(hider));
        if (told && new->cells[i].kind != CELL_UNCHANGED &&
            !same_cell(&old->cells[i], &new->cells[i])) {
            return false;
        }
    }
    return true;
}
