/* Fuzz target: what a client or a file gives to a worker. The first byte chooses: a
 * request's target, a body of each kind, a Java map; a login file, rules for headers,
 * origins, a text with secrets. Nothing may crash, and what is taken must be of
 * the form that is promised. */
#include "worker/config/secrets.h"
#include "worker/rest/basic_auth.h"
#include "worker/rest/cors.h"
#include "worker/rest/entity.h"
#include "worker/rest/header_rules.h"
#include "worker/rest/jaas.h"
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
        must(json_is_object(body) || (kind == route_patch && json_is_null(body)));
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

static void try_jaas(const char *text)
{
    jaas_entry entry = {0};
    sluice_error *err = sluice_error_new();
    if (jaas_parse(text, "file", "KafkaConnect", &entry, err) == SLUICE_OK) {
        must((entry.module == NULL) == (entry.modules == 0));
        must(entry.module == NULL || (entry.flag != NULL && entry.options != NULL));
        jaas_entry_done(&entry);
    } else {
        must(strncmp(sluice_error_text(err), "file:", 5) == 0);
    }
    sluice_error_free(err);
    free(basic_auth_file_of(text));
}

/* What is taken may stand in an answer: no line ends in it. */
static void try_headers(const char *text)
{
    header_rules rules = {0};
    sluice_error *err = sluice_error_new();
    if (header_rules_parse(text, &rules, err) == SLUICE_OK) {
        for (size_t i = 0; i < rules.count; i++) {
            char *value = header_rule_value(&rules.items[i], 1000);
            must(rules.items[i].name[0] != '\0');
            must(strpbrk(rules.items[i].name, " :\r\n\t") == NULL);
            must(strpbrk(value, "\r\n") == NULL);
            free(value);
        }
        header_rules_done(&rules);
    } else {
        must(sluice_error_text(err)[0] != '\0');
    }
    sluice_error_free(err);
}

static void try_origins(const char *text)
{
    cors *rule = NULL;
    if (strlen(text) < 200 && cors_new(text, &rule, NULL) == SLUICE_OK &&
        rule != NULL) {
        cors_allows(rule, "http://good.example null");
        cors_free(rule);
    }
}

/* A secret between what no word has is not seen any more. */
static void try_secrets(const char *text)
{
    secrets *set = secrets_new();
    secrets_add(set, "sesame", "${file:/p:k}");
    char *framed = malloc(strlen(text) + 20);
    must(framed != NULL);
    snprintf(framed, strlen(text) + 20, " sesame %s", text);
    char *hidden = secrets_hide(set, framed);
    must(strncmp(hidden, " ${file:/p:k} ", 14) == 0);
    free(hidden);
    free(framed);
    secrets_free(set);
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
        try_body(route_patch, text, size - 1);
        break;
    case 'o':
        try_body(route_offsets, text, size - 1);
        break;
    case 'j':
        try_java(base + 1, size - 1);
        break;
    case 'a':
        try_jaas(text);
        break;
    case 'h':
        try_headers(text);
        break;
    case 'r':
        try_origins(text);
        break;
    case 's':
        try_secrets(text);
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
