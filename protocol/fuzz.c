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
#include "tests/lib/corpus.h"
#endif
