/* The fuzz target of groups: a log of `__consumer_offsets` that somebody has written,
 * and metadata that a consumer has sent.
 *
 * The first byte says what the others are: 'l' records, each a key and a value behind
 * their lengths (u16, 65535 is null), that are loaded, after which time passes and
 * somebody joins each group; 'm' two subscriptions, of half the bytes each, that are
 * compared. With clang, -fsanitize=fuzzer makes it a fuzzer: CC=clang meson setup
 * build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false && ninja -C
 * build-fuzz && build-fuzz/broker/group/group-fuzz broker/group/corpus. Otherwise it is
 * a test that runs over the corpus. */
#include "broker/group/core.h"
#include "broker/group/subscription.h"
#include "protocol/wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* ---- A log ---------------------------------------------------------------------- */

static bool take(const uint8_t **at, const uint8_t *end, sluice_bytes *ret_bytes)
{
    if (end - *at < 2) {
        return false;
    }
    size_t len = wire_get_16(*at);
    *at += 2;
    if (len == UINT16_MAX) {
        *ret_bytes = (sluice_bytes){NULL, 0};
        return true;
    }
    if ((size_t)(end - *at) < len) {
        return false;
    }
    *ret_bytes = (sluice_bytes){*at, len};
    *at += len;
    return true;
}

static void load(group_core *core, const uint8_t *at, const uint8_t *end)
{
    sluice_error *err = sluice_error_new();
    sluice_bytes key, value;
    while (take(&at, end, &key) && take(&at, end, &value)) {
        sluice_status status = group_core_load(core, key, value, err);
        demand((status == SLUICE_OK) == (sluice_error_count(err) == 0));
        sluice_error_clear(err);
    }
    sluice_error_free(err);
}

static void step(group_core *core, group_event event, int64_t at_ms,
                 group_actions *actions)
{
    group_core_step(core, &event, (group_time){at_ms, INT64_C(1700000000000) + at_ms},
                    actions);
}

static void join_all(group_core *core, sluice_arena *arena, group_actions *actions)
{
    static const group_protocol protocol = {{"range", 5}, {"", 0}};
    group_description *groups;
    size_t count;
    group_core_list(core, arena, &groups, &count);
    for (size_t i = 0; i < count; i++) {
        group_description found;
        demand(group_core_describe(core, groups[i].group_id, arena, &found));
        step(core,
             (group_event){.type = GROUP_JOIN,
                           .request = core,
                           .join = {.group_id = groups[i].group_id,
                                    .protocol_type = {"consumer", 8},
                                    .session_timeout_ms = 6000,
                                    .rebalance_timeout_ms = 6000,
                                    .protocols = &protocol,
                                    .protocol_count = 1}},
             0, actions);
    }
}

static void fuzz_log(const uint8_t *base, size_t size)
{
    group_config config = GROUP_CONFIG_DEFAULT;
    group_core *core = group_core_new(&config, (uint64_t[2]){1, 2});
    sluice_arena *arena = sluice_arena_new();
    group_actions actions;
    group_actions_init(&actions);
    load(core, base, base + size);
    group_core_loaded(core, (group_time){0, INT64_C(1700000000000)}, &actions);
    join_all(core, arena, &actions);
    for (int64_t at_ms = 1000; at_ms < 1000000000; at_ms *= 10) {
        step(core, (group_event){.type = GROUP_WAKE}, at_ms, &actions);
    }
    group_core_free(core);
    group_actions_done(&actions);
    sluice_arena_free(arena);
}

/* ---- Metadata ------------------------------------------------------------------- */

static void fuzz_metadata(const uint8_t *base, size_t size)
{
    sluice_bytes a = {base, size / 2}, b = {base + size / 2, size - size / 2};
    bool known;
    group_subscription_has(a, (sluice_bytes){"t", 1}, &known);
    demand(group_subscription_same(a, a));
    demand(group_subscription_same(a, b) == group_subscription_same(b, a));
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    if (size > 0 && base[0] == 'l') {
        fuzz_log(base + 1, size - 1);
    } else if (size > 0 && base[0] == 'm') {
        fuzz_metadata(base + 1, size - 1);
    }
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
