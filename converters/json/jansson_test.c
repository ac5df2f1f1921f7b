/* converters/json/jansson_test.c - random texts read as jansson reads them, and written
 * so that jansson reads the same again. */
#include "test.h"
#include <jansson.h>
#include <sluice/json.h>

static uint64_t state;

static uint32_t random_below(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % limit;
}

/* --- Random texts. --- */

typedef struct text {
    char base[16384];
    size_t len;
} text;

static void add(text *self, const char *piece)
{
    size_t len = strlen(piece);
    if (self->len + len < sizeof self->base) {
        memcpy(self->base + self->len, piece, len + 1);
        self->len += len;
    }
}

static void add_string(text *self)
{
    static const char *const PIECES[] = {"a",
                                         "bc",
                                         " and some longer plain text, ",
                                         "\\\"",
                                         "\\\\",
                                         "\\n",
                                         "\\u00e9",
                                         "\\ud83d\\ude00",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\\/",
                                         "0",
                                         "{"};
    add(self, "\"");
    for (uint32_t left = random_below(8); left > 0; left--) {
        add(self, PIECES[random_below(sizeof PIECES / sizeof *PIECES)]);
    }
    add(self, "\"");
}

static void add_number(text *self)
{
    char number[64];
    double real;
    uint64_t bits = (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
    switch (random_below(4)) {
    case 0:
        snprintf(number, sizeof number, "%d", (int)random_below(2000) - 1000);
        break;
    case 1:
        snprintf(number, sizeof number, "%" PRId64, (int64_t)bits);
        break;
    case 2:
        snprintf(number, sizeof number, "%d.%02u", (int)random_below(2000) - 1000,
                 random_below(100));
        break;
    default:
        bits &= ~(UINT64_C(1) << 62); /* Neither infinite nor NaN. */
        memcpy(&real, &bits, sizeof real);
        snprintf(number, sizeof number, "%.17e", real);
        break;
    }
    add(self, number);
}

static void add_space(text *self)
{
    static const char *const SPACES[] = {"", "", "", " ", "\n", "\t ", "\r\n"};
    add(self, SPACES[random_below(sizeof SPACES / sizeof *SPACES)]);
}

static void add_value(text *self, int depth);

static void add_members(text *self, bool is_object, int depth)
{
    char name[32];
    add(self, is_object ? "{" : "[");
    uint32_t count = random_below(20) == 0 ? 40 : random_below(5);
    for (uint32_t i = 0; i < count; i++) {
        add_space(self);
        if (is_object) {
            snprintf(name, sizeof name, "\"n%u\":", random_below(50));
            add(self, name);
        }
        add_value(self, depth + 1);
        add_space(self);
        add(self, i + 1 < count ? "," : "");
    }
    add(self, is_object ? "}" : "]");
}

static void add_value(text *self, int depth)
{
    static const char *const WORDS[] = {"null", "true", "false"};
    uint32_t kind = random_below(depth < 5 ? 8 : 4);
    add_space(self);
    if (kind < 2) {
        add_number(self);
    } else if (kind == 2) {
        add_string(self);
    } else if (kind == 3) {
        add(self, WORDS[random_below(3)]);
    } else {
        add_members(self, kind < 6, depth);
    }
}

/* --- Comparing. --- */

static bool is_same(const sluice_value *ours, const json_t *theirs);

static bool is_same_object(const sluice_value *ours, const json_t *theirs)
{
    if (sluice_value_type(ours) != SLUICE_TYPE_MAP ||
        sluice_value_count(ours) != json_object_size(theirs)) {
        return false;
    }
    for (size_t i = 0; i < sluice_value_count(ours); i++) {
        sluice_bytes name = sluice_value_bytes(sluice_map_key(ours, i));
        const json_t *value = json_object_getn(theirs, name.base, name.len);
        if (value == NULL || !is_same(sluice_value_at(ours, i), value)) {
            return false;
        }
    }
    return true;
}

static bool is_same_array(const sluice_value *ours, const json_t *theirs)
{
    if (sluice_value_type(ours) != SLUICE_TYPE_ARRAY ||
        sluice_value_count(ours) != json_array_size(theirs)) {
        return false;
    }
    for (size_t i = 0; i < sluice_value_count(ours); i++) {
        if (!is_same(sluice_value_at(ours, i), json_array_get(theirs, i))) {
            return false;
        }
    }
    return true;
}

static bool is_same_text(const sluice_value *ours, const json_t *theirs)
{
    sluice_bytes bytes = sluice_value_bytes(ours);
    return bytes.len == json_string_length(theirs) &&
           memcmp(bytes.base, json_string_value(theirs), bytes.len) == 0;
}

static bool is_same(const sluice_value *ours, const json_t *theirs)
{
    if (ours == NULL || json_is_null(theirs)) {
        return ours == NULL && json_is_null(theirs);
    }
    sluice_data_type type = sluice_value_type(ours);
    switch (json_typeof(theirs)) {
    case JSON_OBJECT:
        return is_same_object(ours, theirs);
    case JSON_ARRAY:
        return is_same_array(ours, theirs);
    case JSON_STRING:
        return type == SLUICE_TYPE_STRING && is_same_text(ours, theirs);
    case JSON_INTEGER:
        return type == SLUICE_TYPE_INT64 &&
               sluice_value_integer(ours) == json_integer_value(theirs);
    case JSON_REAL:
        return type == SLUICE_TYPE_FLOAT64 &&
               sluice_value_float(ours) == json_real_value(theirs);
    default:
        return type == SLUICE_TYPE_BOOLEAN &&
               sluice_value_boolean(ours) == json_is_true(theirs);
    }
}

static const sluice_json_options OPTIONS = {sizeof OPTIONS, false, false, true, 1};

/* Reads `in` both ways. Whatever jansson accepts must be accepted and be the same, and
 * what is then written must be the same for jansson too. */
static void check(const text *in)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_json_decoder *decoder = sluice_json_decoder_new(&OPTIONS);
    sluice_json_encoder *encoder = sluice_json_encoder_new(&OPTIONS);
    const sluice_schema *schema;
    const sluice_value *value;
    char *exact = malloc(in->len); /* So that a read behind the end is seen. */
    memcpy(exact, in->base, in->len);
    sluice_bytes bytes = {exact, in->len}, written;
    sluice_status status =
        sluice_json_decode(decoder, bytes, arena, &schema, &value, NULL);
    json_t *theirs =
        json_loadb(in->base, in->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool is_good = theirs == NULL || (status == SLUICE_OK && is_same(value, theirs));
    if (theirs != NULL && is_good && value != NULL) {
        is_good = sluice_json_encode(encoder, NULL, value, arena, &written, NULL) ==
                  SLUICE_OK;
        json_t *again = json_loadb(written.base, written.len,
                                   JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        is_good = is_good && again != NULL && is_same(value, again);
        json_decref(again);
    }
    json_decref(theirs);
    sluice_json_encoder_free(encoder);
    sluice_json_decoder_free(decoder);
    sluice_arena_free(arena);
    free(exact);
    if (!is_good) {
        printf("# %.*s\n", (int)in->len, in->base);
    }
    CHECK(is_good);
}

TEST(random_texts_are_the_same_for_both)
{
    static text in;
    state = UINT64_C(0x2545f4914f6cdd1d);
    for (int i = 0; i < 3000; i++) {
        in.len = 0;
        add_value(&in, 0);
        check(&in);
    }
}

TEST(texts_with_a_wrong_byte_are_never_read_as_something_else)
{
    static const char BYTES[] = "{}[]:,\"\\0123456789.eE+-tfn u\n\x01\x80\xc3\xff";
    static text in;
    state = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 6000; i++) {
        in.len = 0;
        add_value(&in, 2);
        for (uint32_t changes = 1 + random_below(3); changes > 0; changes--) {
            in.base[random_below((uint32_t)in.len)] =
                BYTES[random_below(sizeof BYTES - 1)];
        }
        check(&in);
    }
}

TEST_MAIN
