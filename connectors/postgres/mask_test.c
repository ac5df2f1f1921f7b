/* connectors/postgres/mask_test.c - asterisks, hashes and cuts; the hashes are those
 * that Debezium gave. */
#include "mask.h"
#include "test.h"

#include <sluice/test.h>
#include <string.h>

static const char *const all[] = {"public.t.*"};

static sluice_family family_of(const char *const *name)
{
    return (sluice_family){1, name, all};
}

static const mask_column unlimited = {true, true, INT32_MAX};

/* What a text becomes; freed with the next one. */
static const char *shown(const postgres_config *config, const mask_column *column,
                         const char *text)
{
    static sluice_fake *fake;
    sluice_fake_free(fake);
    fake = sluice_fake_new();
    masks *made = masks_new(config, NULL);
    sluice_arena *arena = sluice_arena_new();
    const mask *found = masks_find(made, "public.t.c");
    CHECK(found != NULL && mask_changes(found, column));
    const sluice_value *value = text == NULL ? NULL : sluice_text(arena, text);
    const char *what = sluice_fake_show(fake, mask_apply(found, column, value, arena));
    sluice_arena_free(arena);
    masks_free(made);
    return what;
}

TEST(asterisks_stand_for_every_value_and_for_none)
{
    static const char *const name[] = {"column.mask.with.3.chars"};
    postgres_config config = {.stars = family_of(name)};
    CHECK_TEXT(shown(&config, &unlimited, "a long text"), "\"***\"");
    CHECK_TEXT(shown(&config, &unlimited, ""), "\"***\"");
    CHECK_TEXT(shown(&config, &unlimited, NULL), "\"***\"");
    static const char *const nothing[] = {"column.mask.with.0.chars"};
    config.stars = family_of(nothing);
    CHECK_TEXT(shown(&config, &unlimited, "x"), "\"\"");
}

TEST(a_cut_counts_as_java_does_and_splits_no_character)
{
    static const char *const name[] = {"column.truncate.to.3.chars"};
    postgres_config config = {.cuts = family_of(name)};
    CHECK_TEXT(shown(&config, &unlimited, "abcd"), "\"abc\"");
    CHECK_TEXT(shown(&config, &unlimited, "éüöä"), "\"éüö\"");
    CHECK_TEXT(shown(&config, &unlimited, "é😀b"), "\"é😀\"");
    CHECK_TEXT(shown(&config, &unlimited, "éb😀"), "\"éb\"");
    CHECK_TEXT(shown(&config, &unlimited, "ab"), "\"ab\"");
    CHECK_TEXT(shown(&config, &unlimited, NULL), "null");
}

TEST(a_hash_is_of_the_salt_and_of_what_java_makes_of_the_text)
{
    static const char *const name[] = {"column.mask.hash.SHA-256.with.salt.CzQMA0cB5K"};
    postgres_config config = {.hashes = family_of(name)};
    CHECK_TEXT(shown(&config, &unlimited, "zz"),
               "\"e43054ebd5cb93e7f9562fc5baa3682b4ba90e27925ce55637cc7af7e8341b91\"");
    CHECK_TEXT(shown(&config, &(mask_column){true, true, 20}, "é😀b"),
               "\"e4c802a3fce23301ec17\"");
    CHECK_TEXT(shown(&config, &(mask_column){true, true, 5}, "abc  "), "\"01c11\"");
    CHECK_TEXT(shown(&config, &unlimited, NULL), "null");
    static char large[70001];
    memset(large, 'x', 70000);
    CHECK_TEXT(shown(&config, &unlimited, large),
               "\"21042a3875b47dd8220328aaae40017a2549733682fadda8e245c213391dc13f\"");
}

TEST(a_hash_of_version_2_is_of_the_text_and_may_be_of_any_algorithm)
{
    static const char *const name[] = {
        "column.mask.hash.v2.sha-256.with.salt.CzQMA0cB5K"};
    postgres_config config = {.hashes_v2 = family_of(name)};
    CHECK_TEXT(shown(&config, &unlimited, "zz"),
               "\"ac93c4a563d47f8216852bf2a4a71b27b86e2cbcc97015efab76deb310d25e2e\"");
    CHECK_TEXT(shown(&config, &(mask_column){true, true, 20}, "é😀b"),
               "\"a22e1358746982eb6171\"");
    static const char *const dotted[] = {"column.mask.hash.v2.MD5.with.salt.a.b"};
    config.hashes_v2 = family_of(dotted);
    CHECK_TEXT(shown(&config, &unlimited, "zz"),
               "\"49fa021792db907a9b360d155bc5297f\"");
}

TEST(a_mask_does_nothing_to_types_that_are_no_texts)
{
    static const char *const name[] = {"column.mask.with.3.chars"};
    static const char *const cut[] = {"column.truncate.to.3.chars"};
    char text[16];
    postgres_config config = {.stars = family_of(name)};
    masks *made = masks_new(&config, NULL);
    const mask *found = masks_find(made, "PUBLIC.T.C");
    CHECK(masks_find(made, "public.u.c") == NULL);
    CHECK(!mask_changes(found, &(mask_column){false, true, INT32_MAX}));
    CHECK_TEXT(mask_parameter(found, &(mask_column){false, false, 1}, text), "masked");
    CHECK_TEXT(text, "true");
    masks_free(made);
    config = (postgres_config){.cuts = family_of(cut)};
    made = masks_new(&config, NULL);
    found = masks_find(made, "public.t.c");
    CHECK(!mask_changes(found, &(mask_column){true, true, 3}));
    CHECK(mask_parameter(found, &(mask_column){true, true, 3}, text) == NULL);
    CHECK(!mask_changes(found, &(mask_column){false, false, 10}));
    CHECK_TEXT(mask_parameter(found, &(mask_column){false, false, 10}, text),
               "truncateLength");
    CHECK_TEXT(text, "3");
    masks_free(made);
}

TEST(keys_that_would_hide_nothing_are_refused)
{
    static const char *const names[] = {"column.mask.hash.NOPE.with.salt.a",
                                        "column.mask.hash.SHA-256.with.salt.a"};
    static const char *const values[] = {"public.t.c", "public.(t"};
    static const char *const far[] = {"column.mask.with.99999999999999999999.chars"};
    postgres_config config = {.hashes = {2, names, values}, .stars = family_of(far)};
    sluice_error *err = sluice_error_new();
    masks_free(masks_new(&config, err));
    CHECK_INT(sluice_error_count(err), 3);
    CHECK_TEXT(sluice_error_key(err, 0), far[0]);
    CHECK(strstr(sluice_error_message(err, 0), "at most 1048576") != NULL);
    CHECK_TEXT(sluice_error_key(err, 1), names[0]);
    CHECK(strstr(sluice_error_message(err, 1), "'NOPE' is no hash algorithm") != NULL);
    CHECK(strstr(sluice_error_message(err, 2), "public.(t") != NULL);
    sluice_error_free(err);
}

TEST_MAIN
