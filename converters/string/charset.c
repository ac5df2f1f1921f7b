/* Java's charsets, three at hand, any other by iconv(). */
#include "charset.h"
#include <errno.h>
#include <iconv.h>
#include <sluice/text.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum kind { UTF8, LATIN1, ASCII, OTHER } kind;

enum { name_max = 64, TEXT = -2 /* It is UTF-8 that is read. */ };

struct charset {
    kind kind;
    const char *mark; /* What is written in front, of two bytes; or NULL. */
    bool has_order;   /* A mark that is read says which order the bytes have. */
    int high;         /* As conversion.high, without such a mark. */
    iconv_t to, from, swapped;
};

static const iconv_t none = (iconv_t)-1;

static const struct {
    const char *name;
    kind kind;
} at_hand[] = {
    {"UTF-8", UTF8},       {"UTF8", UTF8},        {"ISO-8859-1", LATIN1},
    {"ISO8859_1", LATIN1}, {"ISO8859-1", LATIN1}, {"LATIN1", LATIN1},
    {"US-ASCII", ASCII},   {"ASCII", ASCII},
};

/* Where Java's name is one that iconv() has for something else, or not at all. */
static const struct {
    const char *name, *plain, *swapped, *mark;
} others[] = {
    {"UTF-16", "UTF-16BE", "UTF-16LE", "\xfe\xff"},
    {"UTF16", "UTF-16BE", "UTF-16LE", "\xfe\xff"},
    {"UTF_16", "UTF-16BE", "UTF-16LE", "\xfe\xff"},
    {"UTF-32", "UTF-32BE", "UTF-32LE", NULL},
    {"UTF32", "UTF-32BE", "UTF-32LE", NULL},
    {"UTF_32", "UTF-32BE", "UTF-32LE", NULL},
    {"x-MacRoman", "MACINTOSH", NULL, NULL},
    {"x-windows-874", "CP874", NULL, NULL},
    {"x-IBM874", "CP874", NULL, NULL},
};

static void close_one(iconv_t way)
{
    if (way != none) {
        iconv_close(way);
    }
}

static bool open_other(charset *self, const char *name, const char *swapped)
{
    bool wide = strncasecmp(name, "UTF-16", 6) == 0;
    self->high = !wide ? -1 : strcasecmp(name + 6, "LE") == 0;
    self->to = iconv_open(name, "UTF-8");
    self->from = iconv_open("UTF-8", name);
    self->swapped = swapped == NULL ? none : iconv_open("UTF-8", swapped);
    if (self->to != none && self->from != none) {
        return true;
    }
    close_one(self->to);
    close_one(self->from);
    self->to = self->from = none;
    return false;
}

/* iconv() takes "//" for the beginning of options, and has '-' for Java's '_'. */
static bool open_by_name(charset *self, const char *name)
{
    char copy[name_max];
    if (strlen(name) >= sizeof copy || strchr(name, '/') != NULL || *name == '\0') {
        return false;
    }
    if (open_other(self, name, NULL)) {
        return true;
    }
    size_t len = strlen(name) + 1;
    for (size_t i = 0; i < len; i++) {
        copy[i] = name[i] == '_' ? '-' : name[i];
    }
    return open_other(self, copy, NULL);
}

static bool open_charset(charset *self, const char *name)
{
    for (size_t i = 0; i < sizeof at_hand / sizeof *at_hand; i++) {
        if (strcasecmp(name, at_hand[i].name) == 0) {
            self->kind = at_hand[i].kind;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcasecmp(name, others[i].name) == 0) {
            self->mark = others[i].mark;
            self->has_order = others[i].swapped != NULL;
            return open_other(self, others[i].plain, others[i].swapped);
        }
    }
    return open_by_name(self, name);
}

charset *charset_new(const char *name)
{
    charset *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (charset){OTHER, NULL, false, -1, none, none, none};
    if (!open_charset(self, name)) {
        charset_free(self);
        return NULL;
    }
    return self;
}

void charset_free(charset *self)
{
    if (self != NULL) {
        close_one(self->to);
        close_one(self->from);
        close_one(self->swapped);
        free(self);
    }
}

/* --- One byte a character. --- */

/* The code point at `*at` of valid UTF-8, and moves on. */
static uint32_t next_code_point(const unsigned char **at)
{
    const unsigned char *c = *at;
    int more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
    uint32_t code = more == 0 ? c[0] : c[0] & (0x3fu >> more);
    for (int i = 1; i <= more; i++) {
        code = code << 6 | (c[i] & 0x3f);
    }
    *at += more + 1;
    return code;
}

static sluice_bytes to_single_bytes(sluice_arena *arena, sluice_bytes text,
                                    uint32_t max)
{
    const unsigned char *at = text.base, *end = at + text.len;
    unsigned char *out = sluice_arena_take(arena, text.len + 1);
    size_t used = 0;
    while (at < end) {
        uint32_t code = next_code_point(&at);
        out[used++] = code <= max ? (unsigned char)code : '?';
    }
    return (sluice_bytes){out, used};
}

static sluice_bytes from_single_bytes(sluice_arena *arena, sluice_bytes bytes,
                                      unsigned max)
{
    const unsigned char *at = bytes.base;
    char *out = sluice_arena_take(arena, 3 * bytes.len + 1);
    size_t used = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        if (at[i] < 0x80) {
            out[used++] = (char)at[i];
        } else if (at[i] <= max) {
            out[used++] = (char)(0xc0 | at[i] >> 6);
            out[used++] = (char)(0x80 | (at[i] & 0x3f));
        } else {
            memcpy(out + used, "\xef\xbf\xbd", 3);
            used += 3;
        }
    }
    return (sluice_bytes){out, used};
}

/* --- By iconv(). --- */

/* What is left to convert, and where it goes: room for six bytes for each byte, and
 * eight more, which no charset needs. */
typedef struct conversion {
    iconv_t way;
    char *in, *out;
    size_t left, room;
    int high; /* Of UTF-16: which byte of two is the high one; else -1. */
} conversion;

static void step(conversion *self, char *in, size_t len)
{
    char *from = in;
    size_t left = len;
    iconv(self->way, &from, &left, &self->out, &self->room);
}

/* How much is passed over where nothing can be read: as Java, of UTF-16 a unit, or two
 * where the first one wants another to follow. */
static size_t malformed(const conversion *self)
{
    if (self->high < 0) {
        return 1;
    }
    size_t len = ((unsigned char)self->in[self->high] & 0xfc) == 0xd8 ? 4 : 2;
    return len < self->left ? len : self->left;
}

/* Converts all; `stand_in` takes the place of what cannot be, a character of the input
 * at a time. */
static void convert_all(conversion *self, bool is_text, const char *stand_in)
{
    while (self->left > 0) {
        size_t result =
            iconv(self->way, &self->in, &self->left, &self->out, &self->room);
        if (result != (size_t)-1 || errno == E2BIG) {
            break;
        }
        size_t skipped = errno == EINVAL ? self->left : malformed(self);
        while (is_text && skipped < self->left && (self->in[skipped] & 0xc0) == 0x80) {
            skipped++;
        }
        self->in += skipped;
        self->left -= skipped;
        if (is_text) {
            step(self, (char *)stand_in, strlen(stand_in));
        } else {
            memcpy(self->out, stand_in, strlen(stand_in));
            self->out += strlen(stand_in);
            self->room -= strlen(stand_in);
        }
    }
    iconv(self->way, NULL, NULL, &self->out, &self->room);
}

static sluice_bytes run(iconv_t way, sluice_bytes from, const char *mark, int high,
                        sluice_arena *arena)
{
    bool is_text = high == TEXT;
    size_t room = 6 * from.len + 8;
    char *base = sluice_arena_take(arena, room);
    conversion self = {way, (char *)from.base, base, from.len, room, high};
    iconv(way, NULL, NULL, NULL, NULL);
    if (mark != NULL && from.len > 0) {
        memcpy(base, mark, 2);
        self.out += 2;
        self.room -= 2;
    }
    convert_all(&self, is_text, is_text ? "?" : "\xef\xbf\xbd");
    return (sluice_bytes){base, (size_t)(self.out - base)};
}

sluice_bytes charset_encode(charset *self, sluice_bytes text, sluice_arena *arena)
{
    switch (self->kind) {
    case UTF8:
        return text;
    case LATIN1:
        return to_single_bytes(arena, text, 0xff);
    case ASCII:
        return to_single_bytes(arena, text, 0x7f);
    case OTHER:
        break;
    }
    return run(self->to, text, self->mark, TEXT, arena);
}

/* Takes the mark from the front of `bytes`. */
static iconv_t way_of(const charset *self, sluice_bytes *bytes)
{
    static const struct {
        const char *mark;
        size_t len;
        bool swapped;
    } marks[] = {{"\xff\xfe\0\0", 4, true},
                 {"\0\0\xfe\xff", 4, false},
                 {"\xff\xfe", 2, true},
                 {"\xfe\xff", 2, false}};
    size_t width = self->mark == NULL ? 4 : 2;
    for (size_t i = 0; self->has_order && i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].len == width && bytes->len >= width &&
            memcmp(bytes->base, marks[i].mark, width) == 0) {
            bytes->base = (const char *)bytes->base + width;
            bytes->len -= width;
            return marks[i].swapped ? self->swapped : self->from;
        }
    }
    return self->from;
}

sluice_bytes charset_decode(charset *self, sluice_bytes bytes, sluice_arena *arena)
{
    size_t len;
    const char *text;
    iconv_t way;
    switch (self->kind) {
    case UTF8:
        if (sluice_text_is_utf8(bytes.base, bytes.len)) {
            return bytes;
        }
        text = sluice_text_repair(arena, bytes.base, bytes.len, &len);
        return (sluice_bytes){text, len};
    case LATIN1:
        return from_single_bytes(arena, bytes, 0xff);
    case ASCII:
        return from_single_bytes(arena, bytes, 0x7f);
    case OTHER:
        break;
    }
    way = way_of(self, &bytes);
    return run(way, bytes, NULL, way == self->swapped ? 1 : self->high, arena);
}
