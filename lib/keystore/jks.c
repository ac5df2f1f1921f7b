/* Java's own key store, read with bounds everywhere. */
#include "keystore/jks.h"
#include "base/memory.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

enum { sha1_len = 20, version_max = 2, tag_key = 1, tag_trusted = 2 };

typedef struct piece {
    const unsigned char *base;
    size_t len;
} piece;

/* What is left of the file; `bad` once something did not fit. */
typedef struct cursor {
    piece left;
    bool bad;
} cursor;

typedef struct reading {
    cursor at;
    uint32_t version;
    const jks_wanted *wanted;
    buffer *key;
    bool has_key;
    size_t certificates;
} reading;

/* --- Pieces. --- */

static piece take(cursor *at, size_t len)
{
    piece taken = {at->left.base, len};
    if (at->bad || len > at->left.len) {
        at->bad = true;
        return (piece){NULL, 0};
    }
    at->left.base += len;
    at->left.len -= len;
    return taken;
}

static uint32_t take_number(cursor *at, size_t len)
{
    piece digits = take(at, len);
    uint32_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        value = value << 8 | digits.base[i];
    }
    return value;
}

static piece take_counted(cursor *at, size_t len_of_count)
{
    return take(at, take_number(at, len_of_count));
}

/* A value of DER with this tag, its length in up to three bytes. */
static piece take_der(cursor *at, unsigned char tag)
{
    uint32_t first, len;
    if (take_number(at, 1) != tag) {
        at->bad = true;
    }
    first = take_number(at, 1);
    if (first > 0x83 || first == 0x80) {
        at->bad = true;
    }
    len = first < 0x80 ? first : take_number(at, first & 3);
    return take(at, len);
}

/* --- Passwords. --- */

/* A password in UTF-16, as Java counts characters. */
static void append_password(buffer *out, const char *password)
{
    for (const unsigned char *at = (const unsigned char *)password; *at != '\0';) {
        uint32_t code = *at++;
        int more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;
        code &= more == 0 ? 0x7f : 0x3fU >> more;
        for (; more > 0 && (*at & 0xc0) == 0x80; more--) {
            code = code << 6 | (*at++ & 0x3f);
        }
        if (code >= 0x10000) {
            uint32_t high = 0xd800 + ((code - 0x10000) >> 10 & 0x3ff);
            buffer_append_byte(out, (char)(high >> 8));
            buffer_append_byte(out, (char)high);
            code = 0xdc00 + (code & 0x3ff);
        }
        buffer_append_byte(out, (char)(code >> 8));
        buffer_append_byte(out, (char)code);
    }
}

static void wipe(buffer *secret)
{
    if (secret->base != NULL) {
        explicit_bzero(secret->base, secret->len);
    }
    buffer_done(secret);
}

/* SHA-1 over the password and two pieces. */
static bool digest(const char *password, piece one, piece two, unsigned char *ret_sum)
{
    gnutls_hash_hd_t hash;
    buffer text = BUFFER_INIT;
    if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA1) != 0) {
        return false;
    }
    append_password(&text, password);
    bool good = gnutls_hash(hash, buffer_text(&text), text.len) == 0 &&
                gnutls_hash(hash, one.base, one.len) == 0 &&
                gnutls_hash(hash, two.base, two.len) == 0;
    gnutls_hash_deinit(hash, ret_sum);
    wipe(&text);
    return good;
}

static bool is_whole(piece file, const char *password)
{
    static const char salt[] = "Mighty Aphrodite";
    const piece spice = {(const unsigned char *)salt, sizeof salt - 1};
    const piece body = {file.base, file.len - sha1_len};
    unsigned char sum[sha1_len];
    return digest(password, spice, body, sum) &&
           memcmp(sum, body.base + body.len, sha1_len) == 0;
}

/* --- Keys. --- */

/* What is protected: a salt, the key XOR the stream, and a digest of the key. Each
 * digest of the stream is over the password and the one before, first the salt. */
static jks_result open_key(piece shut, const char *password, buffer *out)
{
    if (shut.len <= (size_t)2 * sha1_len) {
        return JKS_BROKEN;
    }
    const piece none = {shut.base, 0};
    unsigned char stream[sha1_len];
    const unsigned char *from = shut.base + sha1_len;
    size_t len = shut.len - (size_t)2 * sha1_len;
    memcpy(stream, shut.base, sha1_len);
    buffer_reserve(out, len);
    for (size_t i = 0; i < len; i++) {
        if (i % sha1_len == 0 &&
            !digest(password, (piece){stream, sha1_len}, none, stream)) {
            return JKS_KEY_SHUT;
        }
        buffer_append_byte(out, (char)(from[i] ^ stream[i % sha1_len]));
    }
    const piece opened = {(const unsigned char *)out->base, out->len};
    explicit_bzero(stream, sizeof stream);
    return digest(password, opened, none, stream) &&
                   memcmp(stream, from + len, sha1_len) == 0
               ? JKS_OK
               : JKS_KEY_SHUT;
}

/* EncryptedPrivateKeyInfo: { { OID, … }, OCTET STRING }. */
static jks_result take_key(piece info, const char *password, buffer *out)
{
    /* 1.3.6.1.4.1.42.2.17.1.1: JKS's own protection. */
    static const unsigned char own[] = {0x2b, 6, 1, 4, 1, 42, 2, 17, 1, 1};
    cursor outer = {info, false};
    cursor inside = {take_der(&outer, 0x30), false};
    cursor algorithm = {take_der(&inside, 0x30), false};
    piece oid = take_der(&algorithm, 0x06);
    piece shut = take_der(&inside, 0x04);
    if (outer.bad || inside.bad || algorithm.bad) {
        return JKS_BROKEN;
    }
    if (oid.len != sizeof own || memcmp(oid.base, own, sizeof own) != 0) {
        return JKS_KEY_OTHER;
    }
    return open_key(shut, password, out);
}

/* --- Entries. --- */

static bool give_certificate(reading *self, bool wanted)
{
    static const char type[] = "X.509";
    if (self->version > 1) {
        piece name = take_counted(&self->at, 2);
        self->at.bad |= name.len != sizeof type - 1 ||
                        memcmp(name.base, type, sizeof type - 1) != 0;
    }
    piece certificate = take_counted(&self->at, 4);
    if (self->at.bad || !wanted) {
        return !self->at.bad;
    }
    self->certificates++;
    return self->wanted->certificate(self->wanted->context, certificate.base,
                                     certificate.len);
}

static jks_result read_key(reading *self)
{
    piece info = take_counted(&self->at, 4);
    uint32_t count = take_number(&self->at, 4);
    bool key_wanted = self->wanted->key_password != NULL;
    bool taken = key_wanted && !self->has_key;
    jks_result result = JKS_OK;
    if (self->at.bad) {
        return JKS_BROKEN;
    }
    if (taken) {
        self->has_key = true;
        result = take_key(info, self->wanted->key_password, self->key);
    }
    for (uint32_t i = 0; i < count && result == JKS_OK; i++) {
        if (!give_certificate(self, taken || (!key_wanted && i == 0))) {
            return JKS_BROKEN;
        }
    }
    return result;
}

static jks_result read_entry(reading *self)
{
    uint32_t tag = take_number(&self->at, 4);
    take_counted(&self->at, 2); /* The alias … */
    take(&self->at, 8);         /* … and its date. */
    if (self->at.bad || (tag != tag_key && tag != tag_trusted)) {
        return JKS_BROKEN;
    }
    if (tag == tag_key) {
        return read_key(self);
    }
    return give_certificate(self, self->wanted->key_password == NULL) ? JKS_OK
                                                                      : JKS_BROKEN;
}

bool jks_is(const void *base, size_t len)
{
    return len >= 4 && memcmp(base, "\xfe\xed\xfe\xed", 4) == 0;
}

jks_result jks_read(const void *base, size_t len, const jks_wanted *wanted, buffer *key)
{
    const piece file = {base, len};
    reading self = {.wanted = wanted, .key = key};
    if (!jks_is(base, len) || len < (size_t)12 + sha1_len) {
        return JKS_BROKEN;
    }
    self.at.left = (piece){file.base + 4, len - 4 - sha1_len};
    self.version = take_number(&self.at, 4);
    uint32_t count = take_number(&self.at, 4);
    if (self.version == 0 || self.version > version_max) {
        return JKS_BROKEN;
    }
    if (wanted->password != NULL && !is_whole(file, wanted->password)) {
        return JKS_CHANGED;
    }
    jks_result result = JKS_OK;
    for (uint32_t i = 0; i < count && result == JKS_OK; i++) {
        result = read_entry(&self);
    }
    if (result != JKS_OK) {
        return result;
    }
    if (self.at.left.len > 0) {
        return JKS_BROKEN;
    }
    return self.certificates == 0 ? JKS_EMPTY : JKS_OK;
}
