/* Fuzz target: the text of a header. What it means fits its schema, and is written
 * again. */
#include "base/text.h"
#include "worker/host/header_text.h"
#include "worker/host/simple_header.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_bytes again;
    const sluice_schema *schema = NULL;
    const sluice_value *value = NULL;
    if (text_is_utf8(base, size)) {
        header_text_parse((sluice_bytes){base, size}, arena, &schema, &value);
    }
    if (sluice_value_check(value, schema, NULL) != SLUICE_OK ||
        simple_header_encode(schema, value, arena, &again, NULL) != SLUICE_OK) {
        abort();
    }
    sluice_arena_free(arena);
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
