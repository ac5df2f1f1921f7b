/* Fuzz target: a file that is said to be a key store. A JKS store is read in each way,
 * anything else as PEM, whose blocks read back as the same. */
#include "keystore/jks.h"
#include "keystore/pem.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

/* What is given lies within the file. */
static bool look_at(void *context, const unsigned char *base, size_t len)
{
    unsigned *sum = context;
    for (size_t i = 0; i < len; i++) {
        *sum += base[i];
    }
    return true;
}

static void try_jks(const uint8_t *base, size_t size)
{
    static const char *const passwords[] = {NULL, "", "password"};
    for (size_t i = 0; i < 9; i++) {
        unsigned sum = 0;
        buffer key = BUFFER_INIT;
        const jks_wanted wanted = {passwords[i % 3], passwords[i / 3], look_at, &sum};
        jks_result result = jks_read(base, size, &wanted, &key);
        if (result == JKS_OK && (key.len > 0) != (wanted.key_password != NULL)) {
            abort();
        }
        buffer_done(&key);
    }
}

static void try_pem(const uint8_t *base, size_t size)
{
    buffer text = BUFFER_INIT, out = BUFFER_INIT, again = BUFFER_INIT;
    buffer_append(&text, base, size);
    size_t count = pem_blocks(buffer_text(&text), "CERTIFICATE", &out);
    size_t count_again = pem_blocks(buffer_text(&out), "CERTIFICATE", &again);
    if ((count == 0) != (out.len == 0) || count != count_again) {
        abort();
    }
    buffer_done(&text);
    buffer_done(&out);
    buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    if (jks_is(base, size)) {
        try_jks(base, size);
    } else {
        try_pem(base, size);
    }
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "tests/lib/corpus.h"
#endif
