/* connectors/postgres/source_size.c - how long the values of a type can be, in the
 * words of the JDBC driver: the characters in which one is shown, for numbers the
 * digits.
 *
 * Schemas tell it (column.propagate.source.type), hashes are cut to it. */
#include "types.h"

/* Of the fraction of a second, with its point; time(1) has one digit more. */
static int fraction(int32_t typmod)
{
    int digits = typmod < 0 || typmod > 6 ? 6 : typmod;
    return digits == 0 ? 0 : digits == 1 ? 3 : digits + 1;
}

static source_size of_time(int length, int32_t typmod)
{
    int scale = typmod < 0 ? 6 : typmod;
    return (source_size){length + fraction(typmod), scale};
}

static source_size of_numeric(const pg_column *column)
{
    if (column->typmod < 4) {
        return (source_size){131089, 0}; /* As many as there can be. */
    }
    return (source_size){(column->typmod - 4) >> 16 & 0xffff, column->scale};
}

static int64_t limit(int32_t limit, int32_t header)
{
    return limit > header ? limit - header : INT32_MAX;
}

static source_size of_type(const pg_column *column)
{
    int32_t typmod = column->typmod;
    switch (column->type) {
    case 16: /* bool */
    case 18: /* "char" */
        return (source_size){1, 0};
    case 21: /* int2 */
        return (source_size){5, 0};
    case 23: /* int4 */
    case 26: /* oid */
        return (source_size){10, 0};
    case 20: /* int8 */
        return (source_size){19, 0};
    case 700: /* float4 */
        return (source_size){8, 8};
    case 701: /* float8 */
        return (source_size){17, 17};
    case 1700: /* numeric */
        return of_numeric(column);
    case 1042: /* bpchar */
    case 1043: /* varchar */
        return (source_size){limit(typmod, 4), 0};
    case 1560: /* bit */
    case 1562: /* varbit */
        return (source_size){limit(typmod, 0), 0};
    case 1082: /* date */
        return (source_size){13, 0};
    case 1083: /* time */
        return of_time(8, typmod);
    case 1266: /* timetz */
        return of_time(14, typmod);
    case 1114: /* timestamp */
        return of_time(22, typmod);
    case 1184: /* timestamptz */
        return of_time(28, typmod);
    case 1186: /* interval, whose modifier also says which fields it has */
        return (source_size){49, typmod < 0 ? 6 : typmod & 0xffff};
    default:
        return (source_size){INT32_MAX, 0};
    }
}

source_size source_size_of(const pg_column *column)
{
    while (column->convert == convert_array || column->convert == convert_number_list) {
        column = column->element;
    }
    return of_type(column);
}
