/* JSON text taken apart, token by token. */
#include "json/scanner.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool json_refuse(json_scanner *self, const char *reason)
{
    int line = 1, column = 1;
    for (const char *at = self->begin; at < self->at; at++) {
        column = *at == '\n' ? 1 : column + 1;
        line += *at == '\n';
    }
    sluice_fail(self->err, SLUICE_BAD_RECORD,
                "Converting byte[] to Kafka Connect data failed due to serialization "
                "error: %s at line %d, column %d",
                reason, line, column);
    return false;
}

static bool unexpected(json_scanner *self, const char *wanted)
{
    char reason[160];
    if (self->at >= self->end) {
        snprintf(reason, sizeof reason, "Unexpected end-of-input: was expecting %s",
                 wanted);
    } else if ((unsigned char)*self->at >= 0x20 && (unsigned char)*self->at < 0x7f) {
        snprintf(reason, sizeof reason,
                 "Unexpected character ('%c' (code %d)): was expecting %s", *self->at,
                 *self->at, wanted);
    } else {
        snprintf(reason, sizeof reason,
                 "Unexpected character (code %d): was expecting %s",
                 (unsigned char)*self->at, wanted);
    }
    return json_refuse(self, reason);
}

static inline void skip_space(json_scanner *self)
{
    while (self->at < self->end && (*self->at == ' ' || *self->at == '\n' ||
                                    *self->at == '\r' || *self->at == '\t')) {
        self->at++;
    }
}

json_token json_peek(json_scanner *self)
{
    skip_space(self);
    if (self->at >= self->end) {
        return JSON_END;
    }
    switch (*self->at) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
        return JSON_TRUE;
    case 'f':
        return JSON_FALSE;
    case 'n':
        return JSON_NULL;
    default:
        if (*self->at == '-' || (*self->at >= '0' && *self->at <= '9')) {
            return JSON_NUMBER;
        }
        unexpected(self, "a JSON value");
        return JSON_BAD;
    }
}

const char *json_token_name(json_token token)
{
    switch (token) {
    case JSON_NULL:
        return "NULL";
    case JSON_TRUE:
    case JSON_FALSE:
        return "BOOLEAN";
    case JSON_NUMBER:
        return "NUMBER";
    case JSON_STRING:
        return "STRING";
    case JSON_ARRAY:
        return "ARRAY";
    case JSON_OBJECT:
        return "OBJECT";
    case JSON_END:
    case JSON_BAD:
        break;
    }
    return "MISSING";
}

static bool is_word_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '$';
}

bool json_take_literal(json_scanner *self, json_token token)
{
    const char *word = token == JSON_TRUE    ? "true"
                       : token == JSON_FALSE ? "false"
                                             : "null";
    size_t len = strlen(word);
    size_t left = (size_t)(self->end - self->at);
    if (left < len || memcmp(self->at, word, len) != 0 ||
        (left > len && is_word_byte(self->at[len]))) {
        return json_refuse(self,
                           "Unrecognized token: was expecting true, false or null");
    }
    self->at += len;
    return true;
}

/* Adds how many there are to `digits`. */
static bool take_digits(json_scanner *self, size_t *digits)
{
    const char *from = self->at;
    while (self->at < self->end && *self->at >= '0' && *self->at <= '9') {
        self->at++;
    }
    *digits += (size_t)(self->at - from);
    return self->at > from || unexpected(self, "a digit");
}

bool json_take_number(json_scanner *self, json_number *ret_number)
{
    const char *from = self->at;
    self->at += *self->at == '-';
    const char *digits = self->at;
    size_t count = 0;
    if (!take_digits(self, &count)) {
        return false;
    }
    uint64_t value = 0;
    for (const char *at = digits; at < self->at; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    bool whole = true;
    if (self->at < self->end && *self->at == '.') {
        whole = false;
        self->at++;
        if (!take_digits(self, &count)) {
            return false;
        }
    }
    if (self->at < self->end && (*self->at == 'e' || *self->at == 'E')) {
        whole = false;
        self->at++;
        if (self->at < self->end && (*self->at == '+' || *self->at == '-')) {
            self->at++;
        }
        if (!take_digits(self, &count)) {
            return false;
        }
    }
    uint64_t bits = *from == '-' ? 0 - value : value;
    memcpy(&ret_number->integer, &bits, sizeof bits);
    ret_number->whole = whole;
    ret_number->text = from;
    ret_number->len = (size_t)(self->at - from);
    if (count > JSON_DIGITS_MAX) {
        return json_refuse(self,
                           "Number value length exceeds the maximum allowed (1000)");
    }
    return true;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* The four digits behind \u, or -1. */
static int take_unit(json_scanner *self)
{
    int unit = 0;
    if (self->end - self->at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(self->at[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    self->at += 4;
    return unit;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 63));
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

/* \uXXXX, a pair of them for characters beyond 16 bits; a lone half is U+FFFD. */
static bool take_unicode(json_scanner *self, char **out)
{
    int unit = take_unit(self);
    if (unit < 0) {
        return json_refuse(self, "\\u needs four hexadecimal digits");
    }
    unsigned code = (unsigned)unit;
    if (code >= 0xd800 && code < 0xdc00 && self->end - self->at >= 6 &&
        self->at[0] == '\\' && self->at[1] == 'u') {
        const char *before = self->at;
        self->at += 2;
        int low = take_unit(self);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((unsigned)low - 0xdc00);
        } else {
            self->at = before;
        }
    }
    *out = put_utf8(*out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return true;
}

static bool take_escape(json_scanner *self, char **out)
{
    static const char known[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (self->at >= self->end) {
        return unexpected(self, "an escaped character");
    }
    if (*self->at == 'u') {
        self->at++;
        return take_unicode(self, out);
    }
    const char *found = *self->at == '\0' ? NULL : strchr(known, *self->at);
    if (found == NULL) {
        return json_refuse(self, "Unrecognized character escape");
    }
    *(*out)++ = meant[found - known];
    self->at++;
    return true;
}

/* The part of a text that needs no copy: up to a quote, a backslash or a control. */
static inline const char *clean_end(const char *at, const char *end, bool *wide)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones * 0x80;
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
        if ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
             ((slash - ones) & ~slash) | word) &
            highs) {
            break;
        }
        at += 8;
    }
    for (; at < end; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\' || byte < 0x20) {
            break;
        }
        *wide |= byte >= 0x80;
    }
    return at;
}

/* The rest of a text with escapes, whose first part is `from` to self->at. */
static bool take_escaped(json_scanner *self, const char *from, bool *wide,
                         sluice_bytes *ret_text)
{
    const char *close = self->at;
    while (close < self->end && *close != '"') {
        close += *close == '\\' ? 2 : 1;
    }
    size_t most = (size_t)((close < self->end ? close : self->end) - from);
    char *base = sluice_arena_take(self->arena, most + 1);
    char *out = base;
    for (;;) {
        memcpy(out, from, (size_t)(self->at - from));
        out += self->at - from;
        if (self->at >= self->end || *self->at != '\\') {
            break;
        }
        self->at++;
        if (!take_escape(self, &out)) {
            return false;
        }
        from = self->at;
        self->at = clean_end(from, self->end, wide);
    }
    *ret_text = (sluice_bytes){base, (size_t)(out - base)};
    return true;
}

bool json_take_string(json_scanner *self, sluice_bytes *ret_text)
{
    bool wide = false;
    const char *from = ++self->at;
    self->at = clean_end(from, self->end, &wide);
    *ret_text = (sluice_bytes){from, (size_t)(self->at - from)};
    if (self->at < self->end && *self->at == '\\' &&
        !take_escaped(self, from, &wide, ret_text)) {
        return false;
    }
    if (self->at >= self->end || *self->at != '"') {
        return unexpected(self, "closing quote of a string value");
    }
    if (wide && !text_is_utf8(ret_text->base, ret_text->len)) {
        return json_refuse(self, "Invalid UTF-8 in a text that ends");
    }
    self->at++;
    return true;
}

bool json_open(json_scanner *self, bool *ret_more)
{
    char close = *self->at == '[' ? ']' : '}';
    self->at++;
    skip_space(self);
    *ret_more = self->at >= self->end || *self->at != close;
    self->at += !*ret_more;
    return true;
}

bool json_next(json_scanner *self, char close, bool *ret_more)
{
    skip_space(self);
    if (self->at < self->end && (*self->at == ',' || *self->at == close)) {
        *ret_more = *self->at == ',';
        self->at++;
        return true;
    }
    return unexpected(self, close == ']' ? "comma or ]" : "comma or }");
}

bool json_take_name(json_scanner *self, sluice_bytes *ret_name)
{
    skip_space(self);
    if (self->at >= self->end || *self->at != '"') {
        return unexpected(self, "double-quote to start field name");
    }
    if (!json_take_string(self, ret_name)) {
        return false;
    }
    if (ret_name->len > JSON_NAME_MAX) {
        return json_refuse(self, "Name length exceeds the maximum allowed (50000)");
    }
    skip_space(self);
    if (self->at >= self->end || *self->at != ':') {
        return unexpected(self, "a colon to separate field name and value");
    }
    self->at++;
    return true;
}

static bool skip_members(json_scanner *self, bool object, int depth)
{
    bool more;
    sluice_bytes name;
    if (depth >= JSON_DEPTH_MAX) {
        return json_refuse(self, "nested deeper than 1000 levels");
    }
    json_open(self, &more);
    while (more) {
        if ((object && !json_take_name(self, &name)) || !json_skip(self, depth + 1) ||
            !json_next(self, object ? '}' : ']', &more)) {
            return false;
        }
    }
    return true;
}

bool json_skip(json_scanner *self, int depth)
{
    json_number number;
    sluice_bytes text;
    json_token token = json_peek(self);
    switch (token) {
    case JSON_NULL:
    case JSON_TRUE:
    case JSON_FALSE:
        return json_take_literal(self, token);
    case JSON_NUMBER:
        return json_take_number(self, &number);
    case JSON_STRING:
        return json_take_string(self, &text);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return skip_members(self, token == JSON_OBJECT, depth);
    case JSON_END:
        return unexpected(self, "a JSON value");
    case JSON_BAD:
        break;
    }
    return false;
}
