/* connectors/postgres/mask.c - asterisks, hashes and cuts. */
#include "mask.h"
#include "pattern.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHARS_MAX = 1024 * 1024 };

/* In the order in which they are looked for. */
typedef enum mask_kind { MASK_CUT, MASK_CHARS, MASK_HASH, MASK_HASH_V2 } mask_kind;

struct mask {
    mask_kind kind;
    const char *key; /* The configuration's. */
    pattern_list columns;
    int64_t chars;
    char *stars;
    EVP_MD *digest;
    const char *salt;
};

struct masks {
    size_t count;
    mask *items;
};

/* --- Keys. --- */

/* Java's names, and OpenSSL's. */
static const struct {
    const char *name, *digest;
} algorithms[] = {{"MD5", "MD5"},
                  {"SHA", "SHA1"},
                  {"SHA1", "SHA1"},
                  {"SHA-1", "SHA1"},
                  {"SHA224", "SHA2-224"},
                  {"SHA-224", "SHA2-224"},
                  {"SHA256", "SHA2-256"},
                  {"SHA-256", "SHA2-256"},
                  {"SHA384", "SHA2-384"},
                  {"SHA-384", "SHA2-384"},
                  {"SHA512", "SHA2-512"},
                  {"SHA-512", "SHA2-512"},
                  {"SHA512/224", "SHA2-512/224"},
                  {"SHA-512/224", "SHA2-512/224"},
                  {"SHA512/256", "SHA2-512/256"},
                  {"SHA-512/256", "SHA2-512/256"},
                  {"SHA3-224", "SHA3-224"},
                  {"SHA3-256", "SHA3-256"},
                  {"SHA3-384", "SHA3-384"},
                  {"SHA3-512", "SHA3-512"}};

static EVP_MD *digest_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (strlen(algorithms[i].name) == len &&
            strncasecmp(algorithms[i].name, name, len) == 0) {
            return EVP_MD_fetch(NULL, algorithms[i].digest, NULL);
        }
    }
    return NULL;
}

/* "ALGORITHM.with.salt.SALT", the form having been checked. */
static void read_hash(mask *made, const char *text, sluice_error *err)
{
    const char *dot = strchr(text, '.');
    made->digest = digest_of(text, (size_t)(dot - text));
    made->salt = dot + strlen(".with.salt.");
    if (made->digest == NULL) {
        sluice_fail_key(err, made->key,
                        "Unknown configuration '%s': '%.*s' is no hash algorithm: MD5, "
                        "SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/224, "
                        "SHA-512/256 and SHA3-224 to SHA3-512 are allowed",
                        made->key, (int)(dot - text), text);
    }
}

/* "N.chars", the form having been checked. */
static void read_chars(mask *made, const char *text, sluice_error *err)
{
    for (; *text >= '0' && *text <= '9' && made->chars <= CHARS_MAX; text++) {
        made->chars = made->chars * 10 + (*text - '0');
    }
    if (made->chars > CHARS_MAX) {
        sluice_fail_key(err, made->key,
                        "Unknown configuration '%s': at most %d characters are allowed",
                        made->key, CHARS_MAX);
        made->chars = 0;
    }
    made->stars = pattern_take((size_t)made->chars + 1);
    memset(made->stars, '*', (size_t)made->chars);
}

/* The expressions between commas. */
static void read_columns(mask *made, const char *value, sluice_error *err)
{
    size_t room = strlen(value) + 1;
    char *copy = pattern_take(room), *rest = copy, *item;
    const char **items = pattern_take(room * sizeof *items);
    sluice_list list = {0, items};
    memcpy(copy, value, room);
    while ((item = strsep(&rest, ",")) != NULL) {
        item += strspn(item, " \t");
        size_t len = strlen(item);
        while (len > 0 && strchr(" \t", item[len - 1]) != NULL) {
            item[--len] = '\0';
        }
        if (len > 0) {
            items[list.count++] = item;
        }
    }
    pattern_list_init(&made->columns, made->key, &list, err);
    free(items);
    free(copy);
}

static void add(masks *self, const sluice_family *family, mask_kind kind,
                const char *before, sluice_error *err)
{
    for (size_t i = 0; i < family->count; i++) {
        mask *made = &self->items[self->count++];
        const char *text = family->names[i] + strlen(before);
        made->kind = kind;
        made->key = family->names[i];
        read_columns(made, family->values[i], err);
        if (kind == MASK_HASH || kind == MASK_HASH_V2) {
            read_hash(made, text, err);
        } else {
            read_chars(made, text, err);
        }
    }
}

masks *masks_new(const postgres_config *config, sluice_error *err)
{
    masks *self = pattern_take(sizeof *self);
    size_t count = config->cuts.count + config->stars.count + config->hashes.count +
                   config->hashes_v2.count;
    self->items = pattern_take(count * sizeof *self->items);
    add(self, &config->cuts, MASK_CUT, "column.truncate.to.", err);
    add(self, &config->stars, MASK_CHARS, "column.mask.with.", err);
    add(self, &config->hashes, MASK_HASH, "column.mask.hash.", err);
    add(self, &config->hashes_v2, MASK_HASH_V2, "column.mask.hash.v2.", err);
    return self;
}

void masks_free(masks *self)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        pattern_list_done(&self->items[i].columns);
        EVP_MD_free(self->items[i].digest);
        free(self->items[i].stars);
    }
    if (self != NULL) {
        free(self->items);
        free(self);
    }
}

const mask *masks_find(const masks *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++) {
        if (pattern_list_has(&self->items[i].columns, name)) {
            return &self->items[i];
        }
    }
    return NULL;
}

bool mask_only_cuts(const mask *self)
{
    return self->kind == MASK_CUT;
}

bool mask_tells_nothing(const mask *self)
{
    return self->kind == MASK_CHARS;
}

/* --- Columns. --- */

bool mask_changes(const mask *self, const mask_column *column)
{
    return self->kind == MASK_CUT ? column->is_plain && column->length > self->chars
                                  : column->is_text;
}

const char *mask_parameter(const mask *self, const mask_column *column, char *value)
{
    if (self->kind != MASK_CUT) {
        memcpy(value, "true", 5);
        return "masked";
    }
    snprintf(value, 16, "%d", (int)self->chars);
    return column->length > self->chars ? "truncateLength" : NULL;
}

/* --- Values. --- */

/* How many bytes the first `units` units of UTF-16 have in UTF-8. A character of two
 * units that would be cut in half is left out. */
static size_t units_len(sluice_bytes text, int64_t units)
{
    const unsigned char *base = text.base;
    size_t at = 0;
    while (at < text.len) {
        unsigned char c = base[at];
        size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        units -= len == 4 ? 2 : 1;
        if (units < 0 || len > text.len - at) {
            break;
        }
        at += len;
    }
    return at;
}

static const sluice_value *cut(const sluice_value *value, int64_t chars,
                               sluice_arena *arena)
{
    bool is_text = sluice_value_type(value) == SLUICE_TYPE_STRING;
    sluice_bytes all = sluice_value_bytes(value);
    if (all.len <= (size_t)chars) {
        return value;
    }
    return is_text ? sluice_string(arena, all.base, units_len(all, chars))
                   : sluice_binary(arena, all.base, (size_t)chars);
}

/* Texts as Java writes them: a character beyond 16 bits as its two halves, each in
 * three bytes. Returns the length; `out` may be NULL, to ask for that. */
static size_t java_text(sluice_bytes text, unsigned char *out)
{
    const unsigned char *at = text.base, *end = at + text.len;
    size_t len = 0;
    while (at < end) {
        if (*at < 0xf0 || end - at < 4) {
            if (out != NULL) {
                out[len] = *at;
            }
            len++;
            at++;
            continue;
        }
        unsigned code = (unsigned)(*at & 7) << 18 | (unsigned)(at[1] & 63) << 12 |
                        (unsigned)(at[2] & 63) << 6 | (at[3] & 63);
        unsigned halves[] = {0xd800 + ((code - 0x10000) >> 10 & 0x3ff),
                             0xdc00 + (code & 0x3ff)};
        for (int i = 0; out != NULL && i < 2; i++) {
            out[len + 3 * i] = (unsigned char)(0xe0 | halves[i] >> 12);
            out[len + 3 * i + 1] = (unsigned char)(0x80 | (halves[i] >> 6 & 63));
            out[len + 3 * i + 2] = (unsigned char)(0x80 | (halves[i] & 63));
        }
        len += 6;
        at += 4;
    }
    return len;
}

/* A string as Java's object serialization writes it: magic, version, a tag that says
 * how long the length is, the length, the text. */
static sluice_bytes java_object(sluice_bytes text, sluice_arena *arena)
{
    size_t len = java_text(text, NULL);
    unsigned char *base = sluice_arena_take(arena, len + 13), *at = base;
    memcpy(at, "\xac\xed\x00\x05", 4);
    at += 4;
    bool is_long = len > UINT16_MAX;
    *at++ = is_long ? 0x7c : 0x74;
    for (int shift = is_long ? 56 : 8; shift >= 0; shift -= 8) {
        *at++ = (unsigned char)((uint64_t)len >> shift);
    }
    java_text(text, at);
    return (sluice_bytes){base, (size_t)(at - base) + len};
}

static const sluice_value *hash(const mask *self, const mask_column *column,
                                const sluice_value *value, sluice_arena *arena)
{
    sluice_bytes text = sluice_value_bytes(value);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    char digits[2 * EVP_MAX_MD_SIZE + 1];
    if (self->kind == MASK_HASH) {
        text = java_object(text, arena);
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, self->digest, NULL) != 1 ||
        EVP_DigestUpdate(context, self->salt, strlen(self->salt)) != 1 ||
        EVP_DigestUpdate(context, text.base, text.len) != 1 ||
        EVP_DigestFinal_ex(context, digest, &len) != 1) {
        abort(); /* Out of memory; the value must not be shown. */
    }
    EVP_MD_CTX_free(context);
    for (unsigned i = 0; i < len; i++) {
        snprintf(digits + 2 * i, 3, "%02x", digest[i]);
    }
    size_t shown = 2 * (size_t)len;
    bool shorter = column->length > 0 && (uint64_t)column->length < shown;
    return sluice_string(arena, digits, shorter ? (size_t)column->length : shown);
}

const sluice_value *mask_apply(const mask *self, const mask_column *column,
                               const sluice_value *value, sluice_arena *arena)
{
    if (self->kind == MASK_CHARS) {
        return sluice_string(arena, self->stars, (size_t)self->chars);
    }
    if (value == NULL) {
        return NULL;
    }
    return self->kind == MASK_CUT ? cut(value, self->chars, arena)
                                  : hash(self, column, value, arena);
}
