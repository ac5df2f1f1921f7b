/* tests/integration/convert.c - bytes in, and what each converter makes of them out, a
 * line each: for the comparison with Kafka Connect's own.
 *
 * usage: convert JSON.so STRING.so BYTES.so NUMBER.so
 *
 * The converters: eight for JSON (by the bits of their number: schemas.enable,
 * decimal.format=NUMERIC, replace.null.with.default), the String one in each encoding,
 * the ByteArray one, six for numbers and booleans, the header one. A line of standard
 * input is the number of the one that reads, in two hex digits, a space, and the bytes
 * in hex, or '-' for none. A line of output: what each writes of the value, with tabs
 * between: hex, "null", or '!' and a message. Or only that, where nothing could be
 * read. */
#include <dlfcn.h>
#include <sluice/plugin.h>
#include <sluice/test.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "worker/host/simple_header.h"

enum { JSON_CONVERTERS = 8, NUMBER_CONVERTERS = 6, CONVERTERS_MAX = 40 };

static const char *const encodings[] = {"UTF-8",  "ISO-8859-1", "US-ASCII",
                                        "UTF-16", "UTF-16LE",   "windows-1252",
                                        "KOI8-R", "GB18030",    NULL};

typedef struct converter {
    const sluice_converter_ops *ops;
    void *self;
} converter;

static sluice_fake *fake;
static sluice_error *err;
static converter
    converters[CONVERTERS_MAX]; /* The last one, for headers, has no ops. */
static int count;

static void fault(const char *what)
{
    fprintf(stderr, "convert: %s\n", what);
    exit(2);
}

static const sluice_feature *load(const char *path, int index)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fault(dlerror());
    }
    const sluice_manifest *manifest = dlsym(library, "sluice_plugin_manifest");
    if (manifest == NULL) {
        fault(dlerror());
    }
    return manifest->features[index];
}

static void create(const sluice_feature *feature, const void *config)
{
    converter *self = &converters[count++];
    self->ops = feature->ops.converter;
    if (config == NULL ||
        self->ops->create(config, false, &self->self, err) != SLUICE_OK) {
        fault(config == NULL ? sluice_fake_fault(fake) : sluice_error_text(err));
    }
}

static void create_all(char **paths)
{
    const sluice_feature *feature = load(paths[0], 0);
    for (int i = 0; i < JSON_CONVERTERS; i++) {
        create(feature, sluice_fake_config(fake, feature->config, "schemas.enable",
                                           i & 1 ? "true" : "false", "decimal.format",
                                           i & 2 ? "NUMERIC" : "BASE64",
                                           "replace.null.with.default",
                                           i & 4 ? "true" : "false", NULL));
    }
    feature = load(paths[1], 0);
    for (int i = 0; encodings[i] != NULL; i++) {
        create(feature, sluice_fake_config(fake, feature->config, "converter.encoding",
                                           encodings[i], NULL));
    }
    feature = load(paths[2], 0);
    create(feature, sluice_fake_config(fake, feature->config, NULL));
    for (int i = 0; i < NUMBER_CONVERTERS; i++) {
        feature = load(paths[3], i);
        create(feature, sluice_fake_config(fake, feature->config, NULL));
    }
    count++;
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
    sluice_status status = self->ops == NULL
                               ? simple_header_encode(schema, value, arena, &bytes, err)
                               : self->ops->encode(self->self, "t", NULL, schema, value,
                                                   arena, &bytes, err);
    if (status != SLUICE_OK) {
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
    sluice_status status =
        reader->ops == NULL ? simple_header_decode(bytes, arena, &schema, &value, err)
                            : reader->ops->decode(reader->self, "t", NULL, bytes, arena,
                                                  &schema, &value, err);
    if (status != SLUICE_OK) {
        print_fault();
    } else {
        for (int i = 0; i < count; i++) {
            printf(i == 0 ? "" : "\t");
            print_written(&converters[i], schema, value, arena);
        }
    }
    putchar('\n');
    sluice_arena_free(arena);
}

/* Makes the bytes of `line` of its digits, in place, behind the number. */
static void convert_line(char *line)
{
    unsigned char number;
    size_t len = strcspn(line, "\n"), digits = len < 3 ? 0 : len - 3;
    sluice_bytes bytes = {line + 3, digits / 2};
    if (len < 3 || !text_unhex(&number, 1, line, 2) || number >= count) {
        fault("a line is not a number in two hex digits, a space and hex");
    }
    if (line[3] == '-') {
        bytes = (sluice_bytes){NULL, 0};
    } else if (!text_unhex(line + 3, digits / 2, line + 3, digits)) {
        fault("a line has bytes that are not hex");
    }
    convert(&converters[number], bytes);
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    if (argc != 5) {
        fault("usage: convert JSON.so STRING.so BYTES.so NUMBER.so");
    }
    fake = sluice_fake_new();
    err = sluice_error_new();
    create_all(argv + 1);
    while (getline(&line, &size, stdin) > 0) {
        convert_line(line);
    }
    free(line);
    for (int i = 0; i < count; i++) {
        if (converters[i].ops != NULL) {
            converters[i].ops->destroy(converters[i].self);
        }
    }
    sluice_error_free(err);
    sluice_fake_free(fake);
    return 0;
}
