/* Arenas: alignment, growth in place, large pieces and reuse. */
#include "test.h"
#include <sluice/arena.h>
#include <stdint.h>

TEST(every_piece_is_aligned_and_its_own)
{
    sluice_arena *arena = sluice_arena_new();
    char *pieces[300];
    for (size_t i = 0; i < 300; i++) {
        pieces[i] = sluice_arena_take(arena, i * 7);
        CHECK((uintptr_t)pieces[i] % 16 == 0);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 1; i < 300; i++) {
        CHECK((unsigned char)pieces[i][0] == (unsigned char)i);
        CHECK((unsigned char)pieces[i][i * 7 - 1] == (unsigned char)i);
    }
    sluice_arena_free(arena);
}

TEST(a_piece_larger_than_a_chunk_is_given)
{
    sluice_arena *arena = sluice_arena_new();
    char *large = sluice_arena_take(arena, 1000 * 1000);
    memset(large, 1, 1000 * 1000);
    CHECK(sluice_arena_used(arena) >= 1000 * 1000);
    sluice_arena_reset(arena);
    CHECK_INT(sluice_arena_used(arena), 0);
    sluice_arena_free(arena);
}

TEST(growing_the_newest_piece_keeps_its_place_and_content)
{
    sluice_arena *arena = sluice_arena_new();
    char *text = sluice_arena_grow(arena, NULL, 0, 10);
    memcpy(text, "123456789", 10);
    char *same = sluice_arena_grow(arena, text, 10, 1000);
    CHECK(same == text);
    char *moved = sluice_arena_grow(arena, same, 1000, 100000);
    CHECK_TEXT(moved, "123456789");
    sluice_arena_free(arena);
}

TEST(texts_are_copied_and_printed_with_an_end)
{
    sluice_arena *arena = sluice_arena_new();
    size_t len;
    CHECK_TEXT(sluice_arena_copy(arena, "abcdef", 3), "abc");
    CHECK_TEXT(sluice_arena_print(arena, &len, "%d-%s", 42, "x"), "42-x");
    CHECK_INT(len, 4);
    sluice_arena_free(arena);
    sluice_arena_free(NULL);
}

TEST_MAIN
