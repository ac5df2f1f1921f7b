/* connectors/postgres/types.c - the table of PostgreSQL's types: what each becomes.
 *
 * To add a type, add a row. A row whose schema depends on the column or on the
 * configuration has a `shape` function, which is given the column with what the row
 * says and changes it; everything else is data. */
#include "types.h"

#include <string.h>

typedef struct type_row {
    uint32_t oid;
    const char *known_as; /* For types of extensions, whose oid differs: their name. */
    sluice_data_type type;
    const char *name;
    column_convert convert;
    const char *zero;
    void (*shape)(pg_column *column, type_design *design);
} type_row;

static void numeric_shape(pg_column *column, type_design *design)
{
    int packed = column->typmod - 4;
    if (packed >= 0) {
        design->precision = packed >> 16 & 0xffff;
        column->scale = ((packed & 0x7ff) ^ 1024) - 1024; /* 11 bits with a sign. */
    }
    switch ((decimal_mode)column->config->decimal_mode) {
    case DECIMAL_DOUBLE:
        design->type = SLUICE_TYPE_FLOAT64;
        column->convert = convert_float64;
        return;
    case DECIMAL_STRING:
        design->type = SLUICE_TYPE_STRING;
        column->convert = convert_decimal_string;
        return;
    case DECIMAL_PRECISE:
        break;
    }
    if (packed < 0) {
        design->type = SLUICE_TYPE_STRUCT;
        design->structure = VARIABLE_DECIMAL;
        design->name = DEBEZIUM_DATA "VariableScaleDecimal";
        design->doc = "Variable scaled decimal";
        column->convert = convert_variable_decimal;
        return;
    }
    design->structure = DECIMAL;
    design->name = SLUICE_DECIMAL;
}

static void money_shape(pg_column *column, type_design *design)
{
    column->scale = column->config->money_digits;
    if (column->config->decimal_mode == DECIMAL_DOUBLE) {
        design->type = SLUICE_TYPE_FLOAT64;
    } else if (column->config->decimal_mode == DECIMAL_STRING) {
        design->type = SLUICE_TYPE_STRING;
    } else {
        design->structure = DECIMAL;
        design->name = SLUICE_DECIMAL;
    }
}

static void bytea_shape(pg_column *column, type_design *design)
{
    if (column->config->binary_mode != BINARY_BYTES) {
        design->type = SLUICE_TYPE_STRING;
    }
}

static void bit_shape(pg_column *column, type_design *design)
{
    column->length = column->typmod > 0 ? column->typmod : INT32_MAX;
    if (column->length == 1) {
        design->type = SLUICE_TYPE_BOOLEAN;
        design->name = NULL;
        column->convert = convert_bit;
    } else {
        design->structure = BITS;
    }
}

static void date_shape(pg_column *column, type_design *design)
{
    if (column->config->time_mode == TIME_CONNECT) {
        design->name = SLUICE_DATE;
    } else if (column->config->time_mode == TIME_ISOSTRING) {
        design->type = SLUICE_TYPE_STRING;
        design->name = DEBEZIUM_TIME "IsoDate";
    }
}

static void set_digits(pg_column *column)
{
    column->digits = column->typmod >= 0 && column->typmod <= 6 ? column->typmod : 6;
}

static void time_shape(pg_column *column, type_design *design)
{
    set_digits(column);
    switch ((time_mode)column->config->time_mode) {
    case TIME_ADAPTIVE:
        if (column->digits <= 3) {
            design->type = SLUICE_TYPE_INT32;
            design->name = DEBEZIUM_TIME "Time";
        }
        break;
    case TIME_CONNECT:
        design->type = SLUICE_TYPE_INT32;
        design->name = SLUICE_TIME;
        break;
    case TIME_ISOSTRING:
        design->type = SLUICE_TYPE_STRING;
        design->name = DEBEZIUM_TIME "IsoTime";
        break;
    case TIME_NANOSECONDS:
        design->name = DEBEZIUM_TIME "NanoTime";
        break;
    case TIME_ADAPTIVE_MICROSECONDS:
    case TIME_MICROSECONDS:
        break;
    }
}

static void timestamp_shape(pg_column *column, type_design *design)
{
    set_digits(column);
    switch ((time_mode)column->config->time_mode) {
    case TIME_ADAPTIVE:
    case TIME_ADAPTIVE_MICROSECONDS:
        if (column->digits <= 3) {
            design->name = DEBEZIUM_TIME "Timestamp";
        }
        break;
    case TIME_CONNECT:
        design->name = SLUICE_TIMESTAMP;
        break;
    case TIME_ISOSTRING:
        design->type = SLUICE_TYPE_STRING;
        design->name = DEBEZIUM_TIME "IsoTimestamp";
        break;
    case TIME_NANOSECONDS:
        design->name = DEBEZIUM_TIME "NanoTimestamp";
        break;
    case TIME_MICROSECONDS:
        break;
    }
}

static void timestamptz_shape(pg_column *column, type_design *design)
{
    set_digits(column);
}

static void interval_shape(pg_column *column, type_design *design)
{
    if (column->config->interval_mode == INTERVAL_STRING) {
        design->type = SLUICE_TYPE_STRING;
        design->name = DEBEZIUM_TIME "Interval";
    }
}

static void point_shape(pg_column *column, type_design *design)
{
    design->structure = POINT;
    design->doc = "Geometry (POINT)";
}

static void geometry_shape(pg_column *column, type_design *design)
{
    design->structure = GEOMETRY;
    design->doc = strrchr(design->name, '.') + 1;
}

static void vector_shape(pg_column *column, type_design *design)
{
    design->structure = VECTOR;
}

static void sparse_shape(pg_column *column, type_design *design)
{
    design->structure = SPARSE_VECTOR;
    design->doc = "Sparse double vector";
}

static void hstore_shape(pg_column *column, type_design *design)
{
    if (column->config->hstore_mode == HSTORE_MAP) {
        design->type = SLUICE_TYPE_MAP;
        design->name = NULL;
        design->structure = TEXT_MAP;
    }
}

#define TEXT(oid, name)                                                                \
    {                                                                                  \
        oid, NULL, SLUICE_TYPE_STRING, name, convert_string, "", NULL                  \
    }
#define ADDON(known_as, name)                                                          \
    {                                                                                  \
        0, known_as, SLUICE_TYPE_STRING, name, convert_string, "", NULL                \
    }

/* Of PostGIS: a geometry collection of nothing. */
#define EMPTY_COLLECTION "010700000000000000"

static const type_row rows[] = {
    {16, NULL, SLUICE_TYPE_BOOLEAN, NULL, convert_boolean, "f", NULL},
    {20, NULL, SLUICE_TYPE_INT64, NULL, convert_int64, "0", NULL},
    {21, NULL, SLUICE_TYPE_INT16, NULL, convert_int16, "0", NULL},
    {23, NULL, SLUICE_TYPE_INT32, NULL, convert_int32, "0", NULL},
    {26, NULL, SLUICE_TYPE_INT64, NULL, convert_int64, "0", NULL}, /* oid */
    {700, NULL, SLUICE_TYPE_FLOAT32, NULL, convert_float32, "0", NULL},
    {701, NULL, SLUICE_TYPE_FLOAT64, NULL, convert_float64, "0", NULL},
    {1700, NULL, SLUICE_TYPE_BYTES, NULL, convert_decimal, "0", numeric_shape},
    {790, NULL, SLUICE_TYPE_BYTES, NULL, convert_money, "$0.00", money_shape},
    TEXT(25, NULL),                 /* text */
    TEXT(1043, NULL),               /* varchar */
    TEXT(1042, NULL),               /* bpchar, keeping its blanks */
    TEXT(18, NULL),                 /* "char" */
    TEXT(19, NULL),                 /* name */
    TEXT(869, NULL),                /* inet */
    TEXT(650, NULL),                /* cidr */
    TEXT(829, NULL),                /* macaddr */
    TEXT(774, NULL),                /* macaddr8 */
    TEXT(3904, NULL),               /* int4range */
    TEXT(3926, NULL),               /* int8range */
    TEXT(3906, NULL),               /* numrange */
    TEXT(3908, NULL),               /* tsrange */
    TEXT(3910, NULL),               /* tstzrange */
    TEXT(3912, NULL),               /* daterange */
    TEXT(142, DEBEZIUM_DATA "Xml"), /* xml */
    TEXT(3614, DEBEZIUM_DATA "Tsvector"),
    {114, NULL, SLUICE_TYPE_STRING, DEBEZIUM_DATA "Json", convert_string, "", NULL},
    {3802, NULL, SLUICE_TYPE_STRING, DEBEZIUM_DATA "Json", convert_string, "", NULL},
    {UUID_TYPE, NULL, SLUICE_TYPE_STRING, DEBEZIUM_DATA "Uuid", convert_string,
     "00000000-0000-0000-0000-000000000000", NULL},
    {17, NULL, SLUICE_TYPE_BYTES, NULL, convert_bytea, "\\x", bytea_shape},
    {1560, NULL, SLUICE_TYPE_BYTES, DEBEZIUM_DATA "Bits", convert_bits, "", bit_shape},
    {1562, NULL, SLUICE_TYPE_BYTES, DEBEZIUM_DATA "Bits", convert_bits, "", bit_shape},
    {1082, NULL, SLUICE_TYPE_INT32, DEBEZIUM_TIME "Date", convert_date, "1970-01-01",
     date_shape},
    {1083, NULL, SLUICE_TYPE_INT64, DEBEZIUM_TIME "MicroTime", convert_time, "00:00:00",
     time_shape},
    {1266, NULL, SLUICE_TYPE_STRING, DEBEZIUM_TIME "ZonedTime", convert_timetz,
     "00:00:00+00", NULL},
    {1114, NULL, SLUICE_TYPE_INT64, DEBEZIUM_TIME "MicroTimestamp", convert_timestamp,
     "1970-01-01 00:00:00", timestamp_shape},
    {1184, NULL, SLUICE_TYPE_STRING, DEBEZIUM_TIME "ZonedTimestamp",
     convert_timestamptz, "1970-01-01 00:00:00+00", timestamptz_shape},
    {1186, NULL, SLUICE_TYPE_INT64, DEBEZIUM_TIME "MicroDuration", convert_interval,
     "00:00:00", interval_shape},
    {600, NULL, SLUICE_TYPE_STRUCT, DEBEZIUM_GEOMETRY "Point", convert_point, "(0,0)",
     point_shape},
    {0, "geometry", SLUICE_TYPE_STRUCT, DEBEZIUM_GEOMETRY "Geometry", convert_geometry,
     EMPTY_COLLECTION, geometry_shape},
    {0, "geography", SLUICE_TYPE_STRUCT, DEBEZIUM_GEOMETRY "Geography",
     convert_geometry, EMPTY_COLLECTION, geometry_shape},
    {0, "vector", SLUICE_TYPE_ARRAY, DEBEZIUM_DATA "DoubleVector", convert_vector, "[]",
     vector_shape},
    {0, "halfvec", SLUICE_TYPE_ARRAY, DEBEZIUM_DATA "FloatVector", convert_halfvec,
     "[]", vector_shape},
    {0, "sparsevec", SLUICE_TYPE_STRUCT, DEBEZIUM_DATA "SparseDoubleVector",
     convert_sparsevec, "{}/0", sparse_shape},
    {0, "hstore", SLUICE_TYPE_STRING, DEBEZIUM_DATA "Json", convert_hstore, "",
     hstore_shape},
    ADDON("citext", NULL),
    ADDON("isbn", NULL),
    ADDON("ltree", DEBEZIUM_DATA "Ltree"),
};

/* Types below are built in. Their arrays are mapped only as listed here, as in
 * Debezium: money[], name[], interval[] and others are not. */
enum { FIRST_USER_OID = 16384 };

/* Arrays that are mapped, and what they are made of; those of other types are found by
 * the catalog's facts. */
static const struct {
    uint32_t array, element;
} arrays[] = {{1000, 16},   {1005, 21},   {1007, 23},   {1016, 20},   {1028, 26},
              {1021, 700},  {1022, 701},  {1231, 1700}, {1009, 25},   {1015, 1043},
              {1014, 1042}, {1002, 18},   {1182, 1082}, {1183, 1083}, {1270, 1266},
              {1115, 1114}, {1185, 1184}, {2951, 2950}, {199, 114},   {3807, 3802},
              {1001, 17},   {1041, 869},  {651, 650},   {1040, 829},  {775, 774},
              {3905, 3904}, {3927, 3926}, {3907, 3906}, {3909, 3908}, {3911, 3910},
              {3913, 3912}, {3643, 3614}, {1561, 1560}};

static const type_row *find_row(uint32_t oid, const char *known_as)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool same_name = known_as != NULL && rows[i].known_as != NULL &&
                         strcmp(rows[i].known_as, known_as) == 0;
        if (same_name || (rows[i].oid == oid && oid != 0)) {
            return &rows[i];
        }
    }
    return NULL;
}

static uint32_t element_of(uint32_t array)
{
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        if (arrays[i].array == array) {
            return arrays[i].element;
        }
    }
    return 0;
}

/* The types whose columns' defaults Debezium tells, besides enums. A default is more
 * than a remark: ExtractNewRecordState puts it in the place of null. */
static bool tells_default(uint32_t oid)
{
    static const uint32_t oids[] = {16,   20,   21,   23,   25,   114,  142,
                                    700,  701,  1042, 1043, 1082, 1083, 1114,
                                    1184, 1186, 1560, 1562, 1700, 2950, 3802};
    for (size_t i = 0; i < sizeof oids / sizeof *oids; i++) {
        if (oids[i] == oid) {
            return true;
        }
    }
    return false;
}

static const type_facts *facts_of(const type_source *types, uint32_t oid)
{
    return types == NULL ? NULL : types->find(types->context, oid);
}

static void use_row(pg_column *self, type_design *design, const type_row *row)
{
    design->type = row->type;
    design->name = row->name;
    design->zero = row->zero;
    self->convert = row->convert;
    if (row->shape != NULL) {
        row->shape(self, design);
    }
}

static bool decide_array(pg_column *self, type_design *design, uint32_t element_type,
                         const type_source *types, sluice_arena *arena)
{
    int dimensions =
        self->dimensions < 6 ? self->dimensions : 6; /* No value has more. */
    bool nested = dimensions > 1;
    pg_column *element = sluice_arena_take(arena, sizeof *element);
    *element = (pg_column){.config = self->config,
                           .name = self->name,
                           .type = nested ? self->type : element_type,
                           .typmod = self->typmod,
                           .dimensions = dimensions - 1,
                           .optional = true};
    if (!column_describe(element, types, NULL, arena)) {
        return false;
    }
    const type_facts *facts = facts_of(types, element_type);
    bool is_told = facts != NULL && facts->delimiter != '\0';
    self->delimiter = is_told ? facts->delimiter : ','; /* PostGIS has colons. */
    self->element = element;
    self->convert = convert_array;
    design->type = SLUICE_TYPE_ARRAY;
    design->structure = ARRAY;
    design->zero = "{}";
    return true;
}

/* int2vector and oidvector, which the catalog counts as arrays but writes otherwise. */
static bool decide_number_list(pg_column *self, type_design *design,
                               sluice_arena *arena)
{
    bool small = self->type == 22;
    pg_column *element = sluice_arena_take(arena, sizeof *element);
    *element = (pg_column){.config = self->config,
                           .type = small ? 21 : 26,
                           .convert = small ? convert_int16 : convert_int64,
                           .schema = sluice_schema_of(
                               small ? SLUICE_TYPE_INT16 : SLUICE_TYPE_INT64, false)};
    self->element = element;
    self->convert = convert_number_list;
    design->type = SLUICE_TYPE_ARRAY;
    design->structure = ARRAY;
    design->zero = "";
    return true;
}

static bool decide_unknown(pg_column *self, type_design *design)
{
    self->convert = convert_bytes_of_text;
    design->type = SLUICE_TYPE_BYTES;
    design->zero = "";
    bytea_shape(self, design);
    return self->config->unknown_types;
}

static bool decide_by_facts(pg_column *self, type_design *design,
                            const type_facts *facts, const type_source *types,
                            sluice_arena *arena)
{
    if (facts->kind == 'd') { /* A domain is what it is made of, with its modifier. */
        self->type = facts->base;
        self->typmod = self->typmod >= 0 ? self->typmod : facts->base_typmod;
        bool mapped = type_decide(self, design, types, arena);
        design->has_default = false; /* As in Debezium. */
        return mapped;
    }
    if (facts->kind == 'e') {
        use_row(self, design, find_row(25, NULL));
        design->name = DEBEZIUM_DATA "Enum";
        design->structure = ENUM;
        design->labels = facts->labels;
        design->has_default = true;
        return true;
    }
    if (facts->element >= FIRST_USER_OID) {
        return decide_array(self, design, facts->element, types, arena);
    }
    const type_row *row = find_row(0, facts->name);
    if (row != NULL) {
        use_row(self, design, row);
        return true;
    }
    return decide_unknown(self, design);
}

bool type_decide(pg_column *self, type_design *design, const type_source *types,
                 sluice_arena *arena)
{
    const type_row *row = find_row(self->type, NULL);
    if (row != NULL) {
        use_row(self, design, row);
        design->has_default = tells_default(self->type);
        return true;
    }
    if (self->type == 22 || self->type == 30) {
        return decide_number_list(self, design, arena);
    }
    uint32_t element = element_of(self->type);
    if (element != 0) {
        return decide_array(self, design, element, types, arena);
    }
    const type_facts *facts = facts_of(types, self->type);
    if (facts == NULL) {
        return decide_unknown(self, design);
    }
    return decide_by_facts(self, design, facts, types, arena);
}
