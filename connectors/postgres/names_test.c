/* connectors/postgres/names_test.c - names as Avro allows them. */
#include "names.h"
#include "test.h"

static const char *adjusted(adjustment_mode mode, bool full, const char *name)
{
    static sluice_arena *arena;
    sluice_arena_free(arena);
    arena = NULL;
    if (name == NULL) {
        return NULL;
    }
    arena = sluice_arena_new();
    return name_adjust(mode, full, name, arena);
}

TEST(without_adjustment_names_stay)
{
    CHECK_TEXT(adjusted(ADJUST_NONE, false, "a b-é.0"), "a b-é.0");
    adjusted(ADJUST_NONE, false, NULL);
}

TEST(what_avro_forbids_becomes_an_underscore)
{
    CHECK_TEXT(adjusted(ADJUST_AVRO, false, "a_b1"), "a_b1");
    CHECK_TEXT(adjusted(ADJUST_AVRO, false, "a b-é.c"), "a_b___c");
    CHECK_TEXT(adjusted(ADJUST_AVRO, false, "0"), "_0");
    CHECK_TEXT(adjusted(ADJUST_AVRO, true, "p.s-1.0.Value"), "p.s_1.0.Value");
    CHECK_TEXT(adjusted(ADJUST_AVRO, false, "😀"), "__");
    CHECK_TEXT(adjusted(ADJUST_AVRO, false, ""), "");
    adjusted(ADJUST_NONE, false, NULL);
}

TEST(or_its_code)
{
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "x.y"), "x_u002ey");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "0"), "_u0030");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "_"), "_u005f");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "é1"), "_u00e91");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, true, "p_1.t"), "p_u005f1.t");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "😀"), "_ud83d_ude00");
    CHECK_TEXT(adjusted(ADJUST_AVRO_UNICODE, false, "\xff"), "_u00ff");
    adjusted(ADJUST_NONE, false, NULL);
}

TEST_MAIN
