/* Reads a HashMap<byte[], byte[]> as Java serialises it. The bytes, after the magic
 * number and version AC ED 00 05:
 *
 *   73                        an object of
 *     72 name suid flags fields 78 70          this class, described; no parent
 *     loadFactor threshold 77 08 buckets size  what HashMap writes itself
 *     { key value }*          size of them
 *   78
 *   key, value:  70                            null
 *                75 class length bytes         an array of class "[B": described (72 …)
 *                                              the first time, later by reference (71)
 */
#include "worker/store/java_map.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    file_bytes_max = 64 * 1024 * 1024,
    tag_null = 0x70,
    tag_reference = 0x71,
    tag_class = 0x72,
    tag_object = 0x73,
    tag_array = 0x75,
    tag_block = 0x77,
    tag_end = 0x78,
};

typedef struct reader {
    const unsigned char *at, *end;
} reader;

static const unsigned char magic[] = {0xac, 0xed, 0x00, 0x05};

static const unsigned char *take_bytes(reader *in, size_t len)
{
    if ((size_t)(in->end - in->at) < len) {
        return NULL;
    }
    in->at += len;
    return in->at - len;
}

/* The next `len` bytes as a big-endian number; -1 when they are not there. */
static int64_t take_number(reader *in, size_t len)
{
    const unsigned char *base = take_bytes(in, len);
    int64_t number = 0;
    for (size_t i = 0; base != NULL && i < len; i++) {
        number = number << 8 | base[i];
    }
    return base == NULL ? -1 : number;
}

static bool take_text(reader *in, const char *wanted)
{
    int64_t len = take_number(in, 2);
    const unsigned char *base = len < 0 ? NULL : take_bytes(in, (size_t)len);
    return base != NULL && (size_t)len == strlen(wanted) &&
           memcmp(base, wanted, (size_t)len) == 0;
}

/* "72 name suid flags", then `field_count` fields as they are known. */
static bool take_class(reader *in, const char *name, int64_t field_count)
{
    return take_number(in, 1) == tag_class && take_text(in, name) &&
           take_bytes(in, 8 + 1) != NULL && take_number(in, 2) == field_count;
}

static bool take_head(reader *in, int64_t *ret_size)
{
    const unsigned char *start = take_bytes(in, sizeof magic);
    if (start == NULL || memcmp(start, magic, sizeof magic) != 0 ||
        take_number(in, 1) != tag_object || !take_class(in, "java.util.HashMap", 2) ||
        take_number(in, 1) != 'F' || !take_text(in, "loadFactor") ||
        take_number(in, 1) != 'I' || !take_text(in, "threshold") ||
        take_number(in, 1) != tag_end || take_number(in, 1) != tag_null ||
        take_bytes(in, 4 + 4) == NULL || take_number(in, 1) != tag_block ||
        take_number(in, 1) != 8 || take_bytes(in, 4) == NULL) {
        return false;
    }
    *ret_size = take_number(in, 4);
    return *ret_size >= 0;
}

static bool take_array(reader *in, const unsigned char **ret_base, size_t *ret_len)
{
    int64_t tag = take_number(in, 1);
    *ret_base = NULL;
    *ret_len = 0;
    if (tag == tag_null) {
        return true;
    }
    if (tag != tag_array || in->at == in->end) {
        return false;
    }
    bool described = *in->at == tag_class;
    bool known = described
                     ? take_class(in, "[B", 0) && take_number(in, 1) == tag_end &&
                           take_number(in, 1) == tag_null
                     : take_number(in, 1) == tag_reference && take_bytes(in, 4) != NULL;
    int64_t len = known ? take_number(in, 4) : -1;
    *ret_len = len < 0 ? 0 : (size_t)len;
    *ret_base = len < 0 ? NULL : take_bytes(in, (size_t)len);
    return *ret_base != NULL;
}

static sluice_status read_map(reader *in, java_map_entry *take, void *context,
                              sluice_error *err)
{
    int64_t size;
    if (!take_head(in, &size)) {
        return sluice_fail(err, SLUICE_FATAL,
                           "it is not a serialised java.util.HashMap");
    }
    for (int64_t i = 0; i < size; i++) {
        const unsigned char *key, *value;
        size_t key_len, value_len;
        if (!take_array(in, &key, &key_len) || key == NULL ||
            !take_array(in, &value, &value_len)) {
            return sluice_fail(err, SLUICE_FATAL,
                               "entry %lld of %lld is not a pair of byte arrays",
                               (long long)i + 1, (long long)size);
        }
        sluice_status status = take(context, (const char *)key, key_len,
                                    (const char *)value, value_len, err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    return SLUICE_OK;
}

bool java_map_is(const char *path)
{
    unsigned char start[sizeof magic];
    FILE *file = fopen(path, "rbe");
    bool is = file != NULL && fread(start, sizeof start, 1, file) == 1 &&
              memcmp(start, magic, sizeof magic) == 0;
    if (file != NULL) {
        fclose(file);
    }
    return is;
}

sluice_status java_map_read(const char *path, java_map_entry *take, void *context,
                            sluice_error *err)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return sluice_fail(err, SLUICE_FATAL, "it cannot be read: %s", strerror(errno));
    }
    struct stat found;
    bool fits = fstat(fileno(file), &found) == 0 && found.st_size <= file_bytes_max;
    size_t size = fits ? (size_t)found.st_size : 0;
    unsigned char *base = malloc(size + 1);
    size_t len = base == NULL ? 0 : fread(base, 1, size, file);
    bool whole = fits && base != NULL && len == size;
    fclose(file);
    reader in = {base, base + len};
    sluice_status status =
        whole
            ? read_map(&in, take, context, err)
            : sluice_fail(err, SLUICE_FATAL, "it cannot be read whole (at most %d MiB)",
                          file_bytes_max >> 20);
    free(base);
    return status;
}
