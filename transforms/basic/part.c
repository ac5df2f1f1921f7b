/* transforms/basic/part.c - getters, setters and two checks with exact texts. */
#include "part.h"

#include <sluice/text.h>

const sluice_schema *part_schema(const sluice_record *record, part which)
{
    return which == PART_KEY ? sluice_record_key_schema(record)
                             : sluice_record_value_schema(record);
}

const sluice_value *part_value(const sluice_record *record, part which)
{
    return which == PART_KEY ? sluice_record_key(record) : sluice_record_value(record);
}

void part_set(sluice_record *record, part which, const sluice_schema *schema,
              const sluice_value *value)
{
    if (which == PART_KEY) {
        sluice_record_set_key(record, schema, value);
    } else {
        sluice_record_set_value(record, schema, value);
    }
}

sluice_status part_require_map(const sluice_value *value, bool accepts_null,
                               const char *purpose, sluice_error *err)
{
    if (value == NULL ? accepts_null : sluice_value_type(value) == SLUICE_TYPE_MAP) {
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "Only Map objects supported in absence of schema for [%s], "
                       "found: %s",
                       purpose, sluice_text_class(NULL, value));
}

sluice_status part_require_struct(const sluice_schema *schema,
                                  const sluice_value *value, bool accepts_null,
                                  const char *purpose, sluice_error *err)
{
    if (value == NULL ? accepts_null : sluice_value_type(value) == SLUICE_TYPE_STRUCT) {
        return SLUICE_OK;
    }
    return sluice_fail(err, SLUICE_BAD_RECORD,
                       "Only Struct objects supported for [%s], found: %s", purpose,
                       sluice_text_class(schema, value));
}

const sluice_value *part_field(const sluice_value *row, size_t index,
                               bool replaces_null)
{
    const sluice_value *value = sluice_value_at(row, index);
    if (value == NULL && replaces_null) {
        const sluice_schema *schema =
            sluice_schema_field_schema(sluice_struct_schema(row), index);
        sluice_schema_default(schema, &value);
    }
    return value;
}
