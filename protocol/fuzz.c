/* The fuzz target of the codec: a frame from a stranger, read as request and response;
 * what can be read is written, and must read back.
 *
 * With clang, -fsanitize=fuzzer makes it a fuzzer: CC=clang meson setup build-fuzz
 * -Dfuzz=true && build-fuzz/protocol/protocol-fuzz protocol/corpus. Otherwise it is a
 * test that runs over the corpus. */
#include "protocol/header.h"
#include "protocol/messages.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void read_and_write(const message_schema *schema, int version,
                           const uint8_t *base, size_t size)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_error *err = sluice_error_new();
    void *value = sluice_arena_take(arena, schema->body->size);
    if (message_decode(schema, version, base, size, arena, value, err) == SLUICE_OK) {
        output out;
        output_init(&out);
        if (message_encode(schema, version, value, &out, err) != SLUICE_OK) {
            abort();
        }
        uint8_t *again = sluice_arena_take(arena, output_size(&out));
        output_copy(&out, again);
        if (message_decode(schema, version, again, output_size(&out), arena, value,
                           err) != SLUICE_OK) {
            abort();
        }
        output_done(&out);
    } else if (sluice_error_count(err) != 1) {
        abort();
    }
    sluice_error_free(err);
    sluice_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    request_header header;
    if (request_header_decode(base, size, &header, NULL) == SLUICE_OK &&
        header.api != NULL) {
        read_and_write(header.api->request, header.api_version, base + header.size,
                       size - header.size);
        read_and_write(header.api->response, header.api_version, base + header.size,
                       size - header.size);
    }
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include <dirent.h>

static void run(const char *folder, const char *name, int number)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("not ok %d - %s\n", number, name);
        return;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    printf("ok %d - %s\n", number, name);
}

int main(int argc, char **argv)
{
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            run(argv[1], entry->d_name, ++count);
        }
    }
    closedir(folder);
    printf("1..%d\n", count);
    return count == 0;
}
#endif
