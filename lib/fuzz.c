/* The fuzz target of lib's parsers: the first byte says which one gets the rest.
 *
 * p: .properties; d: decimals (the second byte is the scale); k: configuration values;
 * n: near misses. With clang it is a fuzzer: CC=clang meson setup build-fuzz
 * -Dfuzz=true
 * && build-fuzz/lib/lib-fuzz lib/corpus. Otherwise it runs over the corpus, as a test.
 */
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include "config/key.h"
#include <math.h>
#include <sluice/value.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void demand(bool good)
{
    if (!good) {
        abort();
    }
}

/* Pairs without escapes, written and read again, are the same pairs. */
static void fuzz_properties(const char *base, size_t size)
{
    properties *read = properties_new();
    sluice_error *err = sluice_error_new();
    bool good = properties_parse(read, base, size, "x", err) == SLUICE_OK;
    demand(sluice_error_count(err) == (good ? 0 : 1));
    for (size_t i = 0; i < properties_count(read); i++) {
        const char *key = properties_key(read, i), *value = properties_value(read, i);
        demand(strcmp(properties_get(read, key), value) == 0);
        demand(text_is_utf8(value, strlen(value)) && text_is_utf8(key, strlen(key)));
        demand(text_starts(properties_origin(read, i), "x:"));
    }
    sluice_error_free(err);
    properties_free(read);
}

/* What is printed reads as the same bytes. */
static void fuzz_decimal(const char *base, size_t size, int scale)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *value, *again;
    int own_scale;
    if (sluice_decimal_parse(arena, base, size, scale, &value, NULL) == SLUICE_OK) {
        size_t len;
        sluice_bytes bytes = sluice_value_bytes(value);
        const char *text = sluice_decimal_print(arena, bytes, scale, &len);
        demand(text != NULL && sluice_decimal_scale(base, size, &own_scale));
        demand(sluice_decimal_parse(arena, text, len, scale, &again, NULL) ==
               SLUICE_OK);
        demand(sluice_value_equal(value, again));
    }
    size_t shown = size < 64 ? size : 64;
    sluice_bytes unscaled = {base, shown};
    size_t len;
    const char *text = sluice_decimal_print(arena, unscaled, scale, &len);
    demand(text != NULL && strlen(text) == len);
    demand(sluice_decimal_parse(arena, text, len, scale, &again, NULL) == SLUICE_OK);
    sluice_arena_free(arena);
}

/* Every type either refuses with a message or stores a value within the limits. */
static void fuzz_keys(const char *text)
{
    static const char *const choices[] = {"none", "all", NULL};
    for (int type = SLUICE_BOOL; type <= SLUICE_ENUM; type++) {
        sluice_key key = {
            .name = "k", .type = (sluice_type)type, .min = 1, .max = 1000};
        key.choices = type == SLUICE_ENUM ? choices : NULL;
        sluice_arena *arena = sluice_arena_new();
        sluice_error *err = sluice_error_new();
        union {
            int64_t wide;
            int32_t narrow;
            double fraction;
            sluice_list list;
        } field = {.list = {0, NULL}};
        bool good = key_parse(&key, text, arena, &field, err) == SLUICE_OK;
        demand(good == (sluice_error_count(err) == 0));
        bool is_wide =
            type == SLUICE_LONG || type == SLUICE_DURATION || type == SLUICE_SIZE;
        demand(!good || !is_wide || (field.wide >= 1 && field.wide <= 1000));
        demand(!good || type != SLUICE_DOUBLE || isnan(field.fraction) ||
               (field.fraction >= 1 && field.fraction <= 1000));
        sluice_error_free(err);
        sluice_arena_free(arena);
    }
}

/* The distance is one: the same both ways, and 0 for the same only. */
static void fuzz_near(const char *text)
{
    const char *comma = strchr(text, ',');
    if (comma != NULL && strlen(text) <= 255) {
        char *one = memory_copy(text, (size_t)(comma - text));
        size_t there = text_distance(one, comma + 1);
        demand(there == text_distance(comma + 1, one));
        demand((there == 0) == (strcmp(one, comma + 1) == 0));
        free(one);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    if (size < 2 || size > 4096) {
        return 0;
    }
    char *text = memory_copy(base, size);
    switch (text[0]) {
    case 'p':
        fuzz_properties(text + 1, size - 1);
        break;
    case 'd':
        fuzz_decimal(text + 2, size - 2, (signed char)text[1] / 4);
        break;
    case 'k':
        fuzz_keys(text + 1);
        break;
    case 'n':
        fuzz_near(text + 1);
        break;
    default:
        break;
    }
    free(text);
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
