/* A fuzz target: whatever is read from a text can be written, and reads back the same.
 */
#include <sluice/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void try_text(bool schemas, sluice_bytes text, sluice_arena *arena)
{
    sluice_json_options options = {sizeof options, schemas, true, true, 4};
    sluice_json_decoder *decoder = sluice_json_decoder_new(&options);
    sluice_json_encoder *encoder = sluice_json_encoder_new(&options);
    const sluice_schema *schema, *schema_again;
    const sluice_value *value, *again;
    sluice_bytes written;
    sluice_error *err = sluice_error_new();
    if (sluice_json_decode(decoder, text, arena, &schema, &value, err) == SLUICE_OK &&
        sluice_json_encode(encoder, schema, value, arena, &written, err) == SLUICE_OK &&
        written.base != NULL) {
        if (sluice_json_decode(decoder, written, arena, &schema_again, &again, err) !=
            SLUICE_OK) {
            fprintf(stderr, "written, not read: %s\n", sluice_error_text(err));
            abort();
        }
    }
    sluice_error_free(err);
    sluice_json_encoder_free(encoder);
    sluice_json_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_bytes text = {base, size};
    try_text(false, text, arena);
    try_text(true, text, arena);
    sluice_arena_free(arena);
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
