/* transforms/basic/extract_new_record_state_test.c - what becomes of each kind of
 * event. */
#include "basic.h"
#include "vector.h"

#define ROW(field)                                                                     \
    "{\"type\":\"struct\",\"optional\":true,\"name\":\"s.t.Value\",\"field\":\"" field \
    "\",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"id\"},"         \
    "{\"type\":\"string\",\"optional\":true,\"default\":\"none\",\"field\":\"name\"}]" \
    "}"

#define EVENT(payload)                                                                 \
    "{\"schema\":{\"type\":\"struct\",\"name\":\"s.t.Envelope\",\"fields\":[" ROW(     \
        "before") "," ROW("after") ",{\"type\":\"struct\",\"name\":\"Source\","        \
                                   "\"field\":"                                        \
                                   "\"source\",\"fields\":[{\"type\":\"string\","      \
                                   "\"field\":\"table\"},{\"type\":\"int64\","         \
                                   "\"field\":"                                        \
                                   "\"ts_ms\"},{\"type\":\"int64\",\"optional\":true," \
                                   "\"field\":\"lsn\"}]},{\"type\":\"string\","        \
                                   "\"field\":"                                        \
                                   "\"op\"},{\"type\":\"struct\",\"optional\":true,"   \
                                   "\"field\":\"transaction\",\"fields\":[{\"type\":"  \
                                   "\"string\",\"field\":\"id\"}]}]},"                 \
                                   "\"payload\":" payload "}"

#define SOURCE "\"source\":{\"table\":\"t\",\"ts_ms\":5,\"lsn\":77}"

static const char CREATED[] = EVENT(
    "{\"before\":null,\"after\":{\"id\":1,\"name\":\"a\"}," SOURCE ",\"op\":\"c\"}");
static const char DELETED_EVENT[] = EVENT(
    "{\"before\":{\"id\":1,\"name\":\"a\"},\"after\":null," SOURCE ",\"op\":\"d\"}");
static const char TRUNCATED[] =
    EVENT("{\"before\":null,\"after\":null," SOURCE ",\"op\":\"t\"}");

static const sluice_feature *const UNWRAP = &extract_new_record_state;

/* The payload of an envelope's text; other texts are given back. */
static const char *payload(const char *text)
{
    static char out[4096];
    const char *found = strstr(text, ",\"payload\":");
    if (found == NULL) {
        return text;
    }
    snprintf(out, sizeof out, "%.*s", (int)strlen(found + 11) - 1, found + 11);
    return out;
}

TEST(a_row_takes_the_place_of_its_event)
{
    CHECK_TEXT(
        vector_value(UNWRAP, CREATED, NULL),
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
        "\"optional\":false,\"field\":\"id\"},{\"type\":\"string\",\"optional\":true,"
        "\"default\":\"none\",\"field\":\"name\"}],\"optional\":false,\"name\":"
        "\"s.t.Value\"},\"payload\":{\"id\":1,\"name\":\"a\"}}");
}

TEST(a_deletion_becomes_what_the_mode_says)
{
    static const struct {
        const char *mode, *deletion, *tombstone;
    } CASES[] = {
        {NULL, "null", "dropped"},
        {"tombstone", "null", "dropped"},
        {"drop", "dropped", "dropped"},
        {"rewrite", "{\"id\":1,\"name\":\"a\",\"__deleted\":\"true\"}", "dropped"},
        {"REWRITE-with-tombstone", "{\"id\":1,\"name\":\"a\",\"__deleted\":\"true\"}",
         "null"},
        {"delete-to-tombstone", "null", "dropped"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *key =
            CASES[i].mode == NULL ? NULL : "delete.tombstone.handling.mode";
        CHECK_TEXT(
            payload(vector_value(UNWRAP, DELETED_EVENT, key, CASES[i].mode, NULL)),
            CASES[i].deletion);
        CHECK_TEXT(payload(vector_value(UNWRAP, NULL, key, CASES[i].mode, NULL)),
                   CASES[i].tombstone);
    }
}

TEST(only_delete_to_tombstone_leaves_no_schema)
{
    CHECK_TEXT(vector_value(UNWRAP, DELETED_EVENT, "delete.tombstone.handling.mode",
                            "delete-to-tombstone", NULL),
               "null");
    CHECK(strncmp(vector_value(UNWRAP, DELETED_EVENT, "delete.tombstone.handling.mode",
                               "tombstone", NULL),
                  "{\"schema\":{\"type\":\"struct\"", 26) == 0);
}

TEST(the_keys_of_older_debeziums_are_understood)
{
    CHECK_TEXT(vector_value(UNWRAP, DELETED_EVENT, "drop.tombstones", "false", NULL),
               "dropped");
    CHECK_TEXT(vector_value(UNWRAP, NULL, "drop.tombstones", "false", NULL), "null");
    CHECK_TEXT(vector_value(UNWRAP, NULL, "delete.handling.mode", "none", NULL),
               "dropped");
    CHECK_TEXT(payload(vector_value(UNWRAP, DELETED_EVENT, "delete.handling.mode",
                                    "none", NULL)),
               "null");
    CHECK_TEXT(payload(vector_value(UNWRAP, DELETED_EVENT, "delete.handling.mode",
                                    "rewrite", NULL)),
               "{\"id\":1,\"name\":\"a\",\"__deleted\":\"true\"}");
}

TEST(a_row_that_lives_is_marked_too_where_rows_are_rewritten)
{
    CHECK_TEXT(payload(vector_value(UNWRAP, CREATED, "delete.tombstone.handling.mode",
                                    "rewrite", NULL)),
               "{\"id\":1,\"name\":\"a\",\"__deleted\":\"false\"}");
}

TEST(truncations_are_dropped_and_other_records_pass)
{
    const char *row = VECTOR_ROW;
    CHECK_TEXT(vector_value(UNWRAP, TRUNCATED, NULL), "dropped");
    CHECK_TEXT(payload(vector_value(UNWRAP, row, NULL)), "{\"a\":1,\"b\":\"x\"}");
    CHECK_TEXT(vector_value(UNWRAP, "{\"op\":\"c\",\"after\":{\"id\":1}}", NULL),
               "{\"schema\":null,\"payload\":{\"op\":\"c\",\"after\":{\"id\":1}}}");
}

TEST(parts_of_the_event_become_optional_fields)
{
    CHECK_TEXT(
        payload(vector_value(UNWRAP, CREATED, "add.fields",
                             "op, table,source.ts_ms,lsn:position,id,nothing", NULL)),
        "{\"id\":1,\"name\":\"a\",\"__op\":\"c\",\"__table\":\"t\",\"__source_ts_ms\":"
        "5,"
        "\"__position\":77,\"__id\":null}");
    CHECK(strstr(vector_value(UNWRAP, CREATED, "add.fields", "op", "add.fields.prefix",
                              "", NULL),
                 "{\"type\":\"string\",\"optional\":true,\"field\":\"op\"}") != NULL);
    CHECK_TEXT(payload(vector_value(UNWRAP, DELETED_EVENT, "add.fields", "op",
                                    "delete.tombstone.handling.mode", "rewrite", NULL)),
               "{\"id\":1,\"name\":\"a\",\"__deleted\":\"true\",\"__op\":\"d\"}");
}

static void start(vector *self, ...)
{
    va_list pairs;
    va_start(pairs, self);
    vector_init(self, UNWRAP, pairs);
    va_end(pairs);
}

TEST(parts_of_the_event_become_headers)
{
    vector self;
    sluice_status status;
    start(&self, "add.headers", "op,source.ts_ms", "delete.tombstone.handling.mode",
          "rewrite-with-tombstone", NULL);
    vector_record(&self, NULL, CREATED);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    const sluice_headers *headers = sluice_record_headers_or_null(self.record);
    CHECK_INT(sluice_headers_count(headers), 2);
    CHECK_TEXT(sluice_headers_name(headers, 0), "__op");
    CHECK(sluice_value_is_text(sluice_headers_value(headers, 0), "c"));
    CHECK_TEXT(sluice_headers_name(headers, 1), "__source_ts_ms");
    CHECK_INT(sluice_value_integer(sluice_headers_value(headers, 1)), 5);
    vector_record(&self, NULL, NULL);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    headers = sluice_record_headers_or_null(self.record);
    CHECK_INT(sluice_headers_count(headers), 1);
    CHECK(sluice_value_is_text(sluice_headers_value(headers, 0), "d"));
    vector_done(&self);
}

TEST(a_field_of_the_row_can_be_the_topic)
{
    vector self;
    sluice_status status;
    start(&self, "route.by.field", "name", NULL);
    vector_record(&self, NULL, CREATED);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(sluice_record_topic(self.record), "a");
    vector_record(&self, NULL, DELETED_EVENT);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(sluice_record_topic(self.record), "a");
    vector_done(&self);
    CHECK_TEXT(vector_value(UNWRAP, CREATED, "route.by.field", "z", NULL),
               "error: z is not a valid field name");
    CHECK_TEXT(vector_value(UNWRAP, CREATED, "route.by.field", "id", NULL),
               "error: Field 'id' is not of type STRING");
}

/* A created row with the header "drop" that names id and name, and a key with both. */
static void drop_names(vector *self)
{
    vector_record(self,
                  "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\","
                  "\"field\":\"id\"},{\"type\":\"string\",\"optional\":true,\"field\":"
                  "\"name\"}]},\"payload\":{\"id\":1,\"name\":\"a\"}}",
                  CREATED);
    sluice_arena *arena = sluice_batch_arena(self->batch);
    sluice_value *names = sluice_array_new(arena, 2);
    sluice_array_add(arena, names, sluice_text(arena, "id"));
    sluice_array_add(arena, names, sluice_text(arena, "name"));
    sluice_headers_add(sluice_record_headers(self->record), "drop", NULL, names);
}

TEST(a_header_names_the_optional_fields_to_leave_out)
{
    vector self;
    sluice_status status;
    start(&self, "drop.fields.header.name", "drop", NULL);
    drop_names(&self);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(payload(vector_show(&self, sluice_record_value_schema(self.record),
                                   sluice_record_value(self.record))),
               "{\"id\":1}");
    CHECK_TEXT(payload(vector_show(&self, sluice_record_key_schema(self.record),
                                   sluice_record_key(self.record))),
               "{\"id\":1,\"name\":\"a\"}");
    vector_record(&self, NULL, CREATED); /* Without the header: another schema. */
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(payload(vector_show(&self, sluice_record_value_schema(self.record),
                                   sluice_record_value(self.record))),
               "{\"id\":1,\"name\":\"a\"}");
    vector_done(&self);
}

TEST(fields_are_left_out_of_the_key_and_of_incompatible_schemas_if_wanted)
{
    vector self;
    sluice_status status;
    start(&self, "drop.fields.header.name", "drop", "drop.fields.from.key", "true",
          "drop.fields.keep.schema.compatible", "false", NULL);
    drop_names(&self);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(payload(vector_show(&self, sluice_record_value_schema(self.record),
                                   sluice_record_value(self.record))),
               "{}");
    CHECK_TEXT(payload(vector_show(&self, sluice_record_key_schema(self.record),
                                   sluice_record_key(self.record))),
               "{}");
    vector_done(&self);
}

TEST(bad_modes_and_names_are_refused)
{
    CHECK_TEXT(
        vector_value(UNWRAP, CREATED, "delete.tombstone.handling.mode", "x", NULL),
        "error: Invalid value x for configuration delete.tombstone.handling.mode: "
        "Value must be one of drop, tombstone, rewrite, rewrite-with-tombstone, "
        "delete-to-tombstone");
    CHECK_TEXT(
        vector_value(UNWRAP, CREATED, "delete.handling.mode", "x", NULL),
        "error: Invalid value x for configuration delete.handling.mode: Value must "
        "be one of drop, rewrite, none");
    CHECK_TEXT(vector_value(UNWRAP, CREATED, "add.fields", "a:b:c", NULL),
               "error: Unexpected field name: a:b:c");
}

TEST_MAIN
