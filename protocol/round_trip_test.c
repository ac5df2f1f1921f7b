/* Every message at every version, with random content: there and back, cut off at every
 * byte, and with bytes changed. */
#include "header.h"
#include "protocol/messages.h"
#include "protocol/random_message.h"
#include "test.h"
#include <time.h>

enum { rounds = 6 };

static uint64_t seed;

static bool equal_struct(const message_struct *type, const void *a, const void *b);

static bool equal_span(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return (a == NULL) == (b == NULL) && a_len == b_len &&
           (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool equal_item(const message_field *field, const void *a, const void *b)
{
    if (field->type == MESSAGE_STRUCT) {
        return equal_struct(field->item, a, b);
    }
    if (field->type == MESSAGE_STRING) {
        const message_text *x = a, *y = b;
        return equal_span(x->base, x->len, y->base, y->len);
    }
    if (field->type == MESSAGE_BYTES) {
        const sluice_bytes *x = a, *y = b;
        /* A field that is never null may be left NULL: it is read back as empty. */
        return (x->len == 0 && y->len == 0 && field->nullable_max == 0) ||
               equal_span(x->base, x->len, y->base, y->len);
    }
    if (field->type == MESSAGE_RECORDS) {
        const message_records *x = a, *y = b;
        return equal_span(x->base, x->len, y->base, y->len);
    }
    return memcmp(a, b, message_item_size(field)) == 0;
}

static bool equal_array(const message_field *field, const message_array *a,
                        const message_array *b)
{
    bool nulls = (a->items == NULL) == (b->items == NULL) || field->tag >= 0 ||
                 field->nullable_max == 0;
    if (!nulls || a->count != b->count) {
        return false;
    }
    size_t size = message_item_size(field);
    for (size_t i = 0; i < a->count; i++) {
        if (!equal_item(field, (char *)a->items + i * size,
                        (char *)b->items + i * size)) {
            return false;
        }
    }
    return true;
}

static bool equal_struct(const message_struct *type, const void *a, const void *b)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const message_field *field = &type->fields[i];
        const char *x = (const char *)a + field->offset;
        const char *y = (const char *)b + field->offset;
        bool same = field->array ? equal_array(field, (const message_array *)x,
                                               (const message_array *)y)
                                 : equal_item(field, x, y);
        if (!same) {
            printf("# %s.%s differs\n", type->name, field->name);
            return false;
        }
    }
    return true;
}

typedef void (*frame_check)(random_message *self, const message_schema *schema,
                            const void *value, const uint8_t *base, size_t size);

static void each_version(const message_schema *schema, frame_check check)
{
    random_message self = {.arena = sluice_arena_new(), .random = seed};
    output out;
    output_init(&out);
    for (int version = schema->version_min; version <= schema->version_max; version++) {
        for (int round = 0; round < rounds; round++) {
            self.version = version;
            sluice_arena_reset(self.arena);
            output_clear(&out);
            void *value = sluice_arena_take(self.arena, schema->body->size);
            random_fill(&self, schema->body, value);
            CHECK(message_encode(schema, version, value, &out, NULL) == SLUICE_OK);
            uint8_t *frame = sluice_arena_take(self.arena, output_size(&out));
            output_copy(&out, frame);
            check(&self, schema, value, frame, output_size(&out));
        }
    }
    output_done(&out);
    sluice_arena_free(self.arena);
}

static void each_message(frame_check check)
{
    seed = seed != 0 ? seed : (uint64_t)time(NULL) * 2654435761u | 1;
    printf("# seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < message_api_count; i++) {
        each_version(message_apis[i]->request, check);
        each_version(message_apis[i]->response, check);
    }
}

static void check_equal(random_message *self, const message_schema *schema,
                        const void *value, const uint8_t *base, size_t size)
{
    void *back = sluice_arena_take(self->arena, schema->body->size);
    sluice_error *err = sluice_error_new();
    sluice_status status =
        message_decode(schema, self->version, base, size, self->arena, back, err);
    CHECK_TEXT(sluice_error_text(err), "");
    CHECK(status == SLUICE_OK);
    sluice_error_free(err);
    if (!equal_struct(schema->body, value, back)) {
        test_fail(__FILE__, __LINE__, "%s version %d", schema->name, self->version);
    }
}

TEST(a_message_of_any_version_reads_back_as_it_was)
{
    each_message(check_equal);
}

static void check_cut(random_message *self, const message_schema *schema,
                      const void *value, const uint8_t *base, size_t size)
{
    void *back = sluice_arena_take(self->arena, schema->body->size);
    sluice_error *err = sluice_error_new();
    for (size_t len = 0; len < size; len++) {
        uint8_t *cut = malloc(len + (len == 0)); /* So that a sanitizer sees its end. */
        memcpy(cut, base, len);
        sluice_error_clear(err);
        sluice_status status =
            message_decode(schema, self->version, cut, len, self->arena, back, err);
        free(cut);
        if (status != SLUICE_BAD_RECORD || sluice_error_count(err) != 1) {
            test_fail(__FILE__, __LINE__, "%s version %d: %zu of %zu bytes were read",
                      schema->name, self->version, len, size);
        }
    }
    sluice_error_free(err);
}

TEST(a_message_cut_off_anywhere_is_refused)
{
    each_message(check_cut);
}

static void check_changed(random_message *self, const message_schema *schema,
                          const void *value, const uint8_t *base, size_t size)
{
    void *back = sluice_arena_take(self->arena, schema->body->size);
    uint8_t *changed = malloc(size + (size == 0));
    for (int i = 0; i < 20 && size > 0; i++) {
        memcpy(changed, base, size);
        changed[random_next(self) % size] = (uint8_t)random_next(self);
        changed[random_next(self) % size] = 0xff;
        message_decode(schema, self->version, changed, size, self->arena, back, NULL);
    }
    free(changed);
}

TEST(a_message_with_changed_bytes_does_no_harm)
{
    each_message(check_changed);
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--seed") == 0) {
        for (const char *digit = argv[2]; *digit >= '0' && *digit <= '9'; digit++) {
            seed = seed * 10 + (uint64_t)(*digit - '0');
        }
        return test_all(1, argv);
    }
    return test_all(argc, argv);
}
