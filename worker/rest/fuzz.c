/* Fuzz target: what a client or a file gives to a worker. The first byte chooses: a
 * request's target, a body of each kind, a Java map. Nothing may crash, and what is
 * taken must be of the form that is promised. */
#include "worker/rest/entity.h"
#include "worker/rest/string_map.h"
#include "worker/store/java_map.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void try_target(const char *text)
{
    url target;
    route_match match;
    if (url_parse(text, &target) == NULL) {
        route_find("GET", &target, &match);
        must(match.status == 200 || match.status == 404 || match.status == 405);
        route_find("PUT", &target, &match);
    }
    for (size_t i = 0; i < target.segment_count; i++) {
        char *encoded = url_encode(target.segments[i]);
        char *path = malloc(strlen(encoded) + 2);
        url again;
        must(path != NULL);
        snprintf(path, strlen(encoded) + 2, "/%s", encoded);
        must(url_parse(path, &again) == NULL);
        must(again.segment_count == (target.segments[i][0] != '\0'));
        must(again.segment_count == 0 ||
             strcmp(again.segments[0], target.segments[i]) == 0);
        url_done(&again);
        free(path);
        free(encoded);
    }
    url_done(&target);
}

static void try_body(route_body kind, const char *text, size_t len)
{
    json_t *body = NULL;
    sluice_error *err = sluice_error_new();
    if (entity_parse(kind, text, len, &body, err) == SLUICE_OK) {
        must(json_is_object(body));
        must(kind != route_map || string_map_is(body));
        must(kind != route_create || string_map_is(json_object_get(body, "config")));
        json_decref(body);
    } else {
        must(sluice_error_text(err)[0] != '\0');
    }
    sluice_error_free(err);
}

static sluice_status take_entry(void *context, const char *key, size_t key_len,
                                const char *value, size_t value_len, sluice_error *err)
{
    volatile char last = key_len > 0 ? key[key_len - 1] : '\0';
    (void)last;
    last = value_len > 0 ? value[value_len - 1] : '\0';
    return SLUICE_OK;
}

static void try_java(const uint8_t *base, size_t size)
{
    char path[] = "/tmp/sluice-fuzz-XXXXXX";
    int fd = mkstemp(path);
    must(fd >= 0 && write(fd, base, size) == (ssize_t)size);
    close(fd);
    java_map_read(path, take_entry, NULL, NULL);
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    must(text != NULL);
    memcpy(text, base + 1, size - 1);
    text[size - 1] = '\0';
    switch (base[0]) {
    case 't':
        try_target(text);
        break;
    case 'c':
        try_body(route_create, text, size - 1);
        break;
    case 'm':
        try_body(route_map, text, size - 1);
        break;
    case 'o':
        try_body(route_offsets, text, size - 1);
        break;
    case 'j':
        try_java(base + 1, size - 1);
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
