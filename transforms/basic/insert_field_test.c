/* transforms/basic/insert_field_test.c - Kafka Connect's own vectors. */
#include "basic.h"
#include "vector.h"

static const sluice_feature *const VALUE = &insert_field_value;

TEST(all_that_can_be_inserted_goes_behind_the_fields_of_a_struct)
{
    CHECK_TEXT(
        vector_value(VALUE, VECTOR_ROW, "topic.field", "t!", "partition.field", "p",
                     "offset.field", "o", "timestamp.field", "ts?", "static.field", "s",
                     "static.value", "v", NULL),
        "{\"schema\":{\"type\":\"struct\",\"fields\":["
        "{\"type\":\"int32\",\"optional\":false,\"field\":\"a\"},"
        "{\"type\":\"string\",\"optional\":false,\"field\":\"b\"},"
        "{\"type\":\"string\",\"optional\":false,\"field\":\"t\"},"
        "{\"type\":\"int32\",\"optional\":true,\"field\":\"p\"},"
        "{\"type\":\"int64\",\"optional\":true,\"field\":\"o\"},"
        "{\"type\":\"int64\",\"optional\":true,\"name\":"
        "\"org.apache.kafka.connect.data.Timestamp\",\"version\":1,\"field\":\"ts\"},"
        "{\"type\":\"string\",\"optional\":true,\"field\":\"s\"}],\"optional\":false},"
        "\"payload\":{\"a\":1,\"b\":\"x\",\"t\":\"test\",\"p\":0,\"o\":7,"
        "\"ts\":1483425001864,\"s\":\"v\"}}");
}

TEST(a_map_gets_entries)
{
    CHECK_TEXT(vector_value(VALUE, "{\"a\":1}", "topic.field", "t", "offset.field", "o",
                            "timestamp.field", "ts", NULL),
               "{\"schema\":null,\"payload\":{\"a\":1,\"t\":\"test\",\"o\":7,"
               "\"ts\":1483425001864}}");
    CHECK_TEXT(vector_value(VALUE, "{\"a\":1}", "topic.field", "a", NULL),
               "{\"schema\":null,\"payload\":{\"a\":\"test\"}}");
}

TEST(a_null_stays_null)
{
    CHECK_TEXT(vector_key(&insert_field_key, NULL, "topic.field", "t", NULL), "null");
}

TEST(a_key_gets_its_fields_too)
{
    CHECK_TEXT(vector_key(&insert_field_key, "{}", "static.field", "s", "static.value",
                          "v", NULL),
               "{\"schema\":null,\"payload\":{\"s\":\"v\"}}");
}

TEST(what_cannot_be_is_refused)
{
    CHECK_TEXT(vector_value(VALUE, VECTOR_ROW, NULL),
               "error: No field insertion configured");
    CHECK_TEXT(vector_value(VALUE, "5", "topic.field", "t", NULL),
               "error: Only Map objects supported in absence of schema for [field "
               "insertion], found: java.lang.Long");
    CHECK_TEXT(vector_value(VALUE, VECTOR_ROW, "topic.field", "a", NULL),
               "error: Cannot create field because of field name duplication a");
    CHECK_TEXT(vector_value(VALUE, VECTOR_ROW, "static.field", "s", NULL),
               "error: Invalid value null for configuration static.value: No value "
               "specified for static field: s");
}

static void insert_from_source(vector *self, ...)
{
    va_list pairs;
    va_start(pairs, self);
    vector_init(self, VALUE, pairs);
    va_end(pairs);
    vector_record(self, NULL, NULL);
    sluice_arena *arena = sluice_batch_arena(self->batch);
    self->record = sluice_batch_add(self->batch); /* Of no topic partition. */
    sluice_record_set_topic(self->record, "t");
    sluice_record_set_value(self->record, NULL, sluice_map_new(arena, 0));
}

TEST(a_record_from_a_source_has_no_offset)
{
    vector self;
    sluice_status status;
    insert_from_source(&self, "offset.field", "o", NULL);
    vector_apply(&self, &status);
    CHECK_INT(status, SLUICE_BAD_RECORD);
    CHECK_TEXT(sluice_error_text(self.err),
               "Only SinkRecord supported for [field insertion], found: "
               "org.apache.kafka.connect.source.SourceRecord");
    vector_done(&self);
}

TEST(a_partition_and_a_timestamp_that_are_not_known_are_left_out)
{
    vector self;
    sluice_status status;
    insert_from_source(&self, "partition.field", "p", "timestamp.field", "ts",
                       "topic.field", "t", NULL);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK_TEXT(vector_show(&self, NULL, sluice_record_value(self.record)),
               "{\"schema\":null,\"payload\":{\"t\":\"t\"}}");
    vector_done(&self);
}

TEST(the_same_schema_gives_the_same_schema)
{
    vector self;
    sluice_status status;
    insert_from_source(&self, "topic.field", "t", NULL);
    vector_record(&self, NULL, VECTOR_ROW);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    const sluice_schema *first = sluice_record_value_schema(self.record);
    vector_record(&self, NULL, VECTOR_ROW);
    CHECK(vector_apply(&self, &status) && status == SLUICE_OK);
    CHECK(sluice_record_value_schema(self.record) == first);
    vector_done(&self);
}

TEST_MAIN
