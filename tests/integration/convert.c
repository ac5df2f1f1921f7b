/* tests/integration/convert.c - JSON in, and what each converter makes of it out, a
 * line each: for the comparison with Kafka Connect's own.
 *
 * usage: convert JSON.so STRING.so BYTES.so
 *
 * A line of standard input is the number of a JSON converter (its bits: schemas.enable,
 * decimal.format=NUMERIC, replace.null.with.default) that reads, a space, and the bytes
 * in hex. A line of output: what the eight JSON converters, the String and the
 * ByteArray converter write of the value, with tabs between: hex, "null", or '!' and a
 * message. Or only that, where nothing could be read. */
#include <dlfcn.h>
#include <sluice/plugin.h>
#include <sluice/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { JSON_CONVERTERS = 8, CONVERTERS = JSON_CONVERTERS + 2, LINE_MAX_BYTES = 65536 };

typedef struct converter {
    const sluice_converter_ops *ops;
    void *self;
} converter;

static sluice_fake *fake;
static sluice_error *err;
static converter converters[CONVERTERS];

static void fault(const char *what)
{
    fprintf(stderr, "convert: %s\n", what);
    exit(2);
}

static const sluice_feature *load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fault(dlerror());
    }
    const sluice_manifest *manifest = dlsym(library, "sluice_plugin_manifest");
    if (manifest == NULL) {
        fault(dlerror());
    }
    return manifest->features[0];
}

static void create(converter *self, const sluice_feature *feature, const void *config)
{
    self->ops = feature->ops.converter;
    if (config == NULL ||
        self->ops->create(config, false, &self->self, err) != SLUICE_OK) {
        fault(config == NULL ? sluice_fake_fault(fake) : sluice_error_text(err));
    }
}

static void create_all(char **paths)
{
    const sluice_feature *json = load(paths[0]);
    for (int i = 0; i < JSON_CONVERTERS; i++) {
        create(&converters[i], json,
               sluice_fake_config(
                   fake, json->config, "schemas.enable", i & 1 ? "true" : "false",
                   "decimal.format", i & 2 ? "NUMERIC" : "BASE64",
                   "replace.null.with.default", i & 4 ? "true" : "false", NULL));
    }
    for (int i = JSON_CONVERTERS; i < CONVERTERS; i++) {
        const sluice_feature *other = load(paths[i - JSON_CONVERTERS + 1]);
        create(&converters[i], other, sluice_fake_config(fake, other->config, NULL));
    }
}

static void print_fault(void)
{
    putchar('!');
    for (const char *at = sluice_error_text(err); *at != '\0'; at++) {
        putchar(*at == '\n' || *at == '\t' ? ' ' : *at);
    }
}

static void print_written(const converter *self, const sluice_schema *schema,
                          const sluice_value *value, sluice_arena *arena)
{
    sluice_bytes bytes;
    if (self->ops->encode(self->self, "t", NULL, schema, value, arena, &bytes, err) !=
        SLUICE_OK) {
        print_fault();
        return;
    }
    if (bytes.base == NULL) {
        printf("null");
    }
    for (size_t i = 0; bytes.base != NULL && i < bytes.len; i++) {
        printf("%02x", ((const unsigned char *)bytes.base)[i]);
    }
}

static void convert(const converter *reader, sluice_bytes bytes)
{
    const sluice_schema *schema;
    const sluice_value *value;
    sluice_arena *arena = sluice_arena_new();
    if (reader->ops->decode(reader->self, "t", NULL, bytes, arena, &schema, &value,
                            err) != SLUICE_OK) {
        print_fault();
    } else {
        for (int i = 0; i < CONVERTERS; i++) {
            printf(i == 0 ? "" : "\t");
            print_written(&converters[i], schema, value, arena);
        }
    }
    putchar('\n');
    sluice_arena_free(arena);
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES], bytes[LINE_MAX_BYTES / 2];
    if (argc != 4) {
        fault("usage: convert JSON.so STRING.so BYTES.so");
    }
    fake = sluice_fake_new();
    err = sluice_error_new();
    create_all(argv + 1);
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t digits = strcspn(line, "\n") < 2 ? 0 : strcspn(line, "\n") - 2;
        if (line[0] < '0' || line[0] >= '0' + JSON_CONVERTERS ||
            !text_unhex(bytes, digits / 2, line + 2, digits)) {
            fault("a line is not a digit, a space and hex");
        }
        convert(&converters[line[0] - '0'], (sluice_bytes){bytes, digits / 2});
    }
    for (int i = 0; i < CONVERTERS; i++) {
        converters[i].ops->destroy(converters[i].self);
    }
    sluice_error_free(err);
    sluice_fake_free(fake);
    return 0;
}
