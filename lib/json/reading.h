/* lib/json/reading.h - what reads JSON by a schema, among its parts. */
#ifndef SLUICE_JSON_READING_H
#define SLUICE_JSON_READING_H

#include "json/typed.h"

/* How a payload is read. */
typedef struct json_reading {
    json_scanner *scanner;
    bool default_for_null;
    bool has_lost; /* Something that is required was of another type, and is null. */
} json_reading;

/* The value at the scanner's position; `depth` levels are open around it. */
bool json_read_value(json_reading *self, const sluice_schema *schema, int depth,
                     const sluice_value **ret_value);

bool json_read_struct(json_reading *self, const sluice_schema *schema, json_token token,
                      int depth, const sluice_value **ret_value);

/* Tells "<text><what>"; returns false. */
bool json_bad(json_scanner *scanner, const char *text, const char *what);

#endif
