/* JSON token by token, as Jackson reads it. */
#include "worker/rest/json_reader.h"
#include "base/memory.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE                                                                         \
    "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); "    \
    "line: %d, column: %zu]"
#define VALUES "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"

void json_reader_init(json_reader *self, const char *base, size_t len)
{
    bool has_mark = len >= 3 && memcmp(base, "\xef\xbb\xbf", 3) == 0;
    *self = (json_reader){.base = base, .len = len, .line = 1};
    buffer_init(&self->text, len + 16); /* Nothing in it is longer than it was. */
    self->at = has_mark ? 3 : 0;
}

void json_reader_done(json_reader *self)
{
    buffer_done(&self->text);
}

json_place json_reader_place(const json_reader *self)
{
    return (json_place){self->line, self->at - self->line_begin + 1};
}

char *json_reader_located(json_place place, const char *message)
{
    return memory_print("%s\n at " SOURCE, message, place.line, place.column);
}

const char *json_token_name(json_token token)
{
    static const char *const names[] = {
        "END",          "START_OBJECT",     "END_OBJECT",
        "START_ARRAY",  "END_ARRAY",        "FIELD_NAME",
        "VALUE_STRING", "VALUE_NUMBER_INT", "VALUE_NUMBER_FLOAT",
        "VALUE_TRUE",   "VALUE_FALSE",      "VALUE_NULL"};
    return names[token];
}

/* --- Faults, each where the next byte would be read. --- */

__attribute__((format(printf, 3, 4))) static sluice_status
fail(const json_reader *self, sluice_error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = memory_vprint(format, arguments);
    va_end(arguments);
    char *located = json_reader_located(json_reader_place(self), message);
    sluice_fail(err, SLUICE_BAD_CONFIG, "%s", located);
    free(located);
    free(message);
    return SLUICE_BAD_CONFIG;
}

/* "Unexpected character ('x' (code 120))" and what is wrong with it. */
static sluice_status unexpected(const json_reader *self, const char *reason,
                                sluice_error *err)
{
    unsigned char c = (unsigned char)self->base[self->at];
    if (c < ' ' || c >= 127) {
        return fail(self, err, "Unexpected character ((CTRL-CHAR, code %d))%s", c,
                    reason);
    }
    return fail(self, err, "Unexpected character ('%c' (code %d))%s", c, c, reason);
}

static bool is_over(const json_reader *self)
{
    return self->at >= self->len;
}

static char peek(const json_reader *self)
{
    return is_over(self) ? '\0' : self->base[self->at];
}

static sluice_status cut_short(const json_reader *self, const char *where,
                               sluice_error *err)
{
    return fail(self, err, "Unexpected end-of-input%s", where);
}

/* --- Between tokens. --- */

static sluice_status skip_space(json_reader *self, sluice_error *err)
{
    for (; !is_over(self) && (unsigned char)peek(self) <= ' '; self->at++) {
        char c = peek(self);
        if (c == '\n') {
            self->line++;
            self->line_begin = self->at + 1;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            self->at++; /* Jackson says where it would go on. */
            return fail(self, err,
                        "Illegal character ((CTRL-CHAR, code %d)): only regular white "
                        "space (\\r, \\n, \\t) is allowed between tokens",
                        c);
        }
    }
    return SLUICE_OK;
}

static struct json_open *top(json_reader *self)
{
    return self->depth == 0 ? NULL : &self->open[self->depth - 1];
}

static sluice_status open_one(json_reader *self, bool is_object, sluice_error *err)
{
    if (self->depth == json_depth_max) {
        return fail(self, err,
                    "Document nesting depth (%d) exceeds the maximum allowed (%d, from "
                    "`StreamReadConstraints.getMaxNestingDepth()`)",
                    json_depth_max + 1, json_depth_max);
    }
    self->open[self->depth++] =
        (struct json_open){.start = self->start, .is_object = is_object};
    self->token = is_object ? token_object : token_array;
    self->at++;
    return SLUICE_OK;
}

static sluice_status close_one(json_reader *self, sluice_error *err)
{
    bool is_object = peek(self) == '}';
    const struct json_open *last = top(self);
    if (last == NULL) {
        return fail(self, err, "Unexpected close marker '%c': no open %s to close",
                    peek(self), is_object ? "Object" : "Array");
    }
    if (last->is_object != is_object) {
        return fail(self, err,
                    "Unexpected close marker '%c': expected '%c' (for %s starting "
                    "at " SOURCE ")",
                    peek(self), last->is_object ? '}' : ']',
                    last->is_object ? "Object" : "Array", last->start.line,
                    last->start.column);
    }
    self->depth--;
    self->at++;
    self->token = is_object ? token_object_end : token_array_end;
    return SLUICE_OK;
}

/* --- Texts. --- */

static sluice_status take_hex(json_reader *self, unsigned *ret_code, sluice_error *err)
{
    *ret_code = 0;
    for (int i = 0; i < 4; i++, self->at++) {
        if (is_over(self)) {
            return cut_short(self, " in character escape sequence", err);
        }
        int c = (unsigned char)peek(self);
        if (!isxdigit(c)) {
            return unexpected(
                self, ": expected a hex-digit for character escape sequence", err);
        }
        *ret_code =
            *ret_code * 16 + (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    return SLUICE_OK;
}

/* Behind "\u". Half of a pair by itself is no character: U+FFFD, as in the answers of
 * Java. */
static sluice_status take_unicode(json_reader *self, sluice_error *err)
{
    unsigned code, low;
    sluice_status status = take_hex(self, &code, err);
    if (status == SLUICE_OK && code == 0) {
        status = fail(self, err, "\\u0000 cannot be part of a text here");
    }
    if (status == SLUICE_OK && code >= 0xd800 && code < 0xdc00 &&
        self->len - self->at >= 6 && memcmp(self->base + self->at, "\\u", 2) == 0) {
        size_t back = self->at;
        self->at += 2;
        status = take_hex(self, &low, err);
        if (status == SLUICE_OK && low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else if (status == SLUICE_OK) {
            self->at = back;
        }
    }
    if (status == SLUICE_OK) {
        buffer_append_utf8(&self->text,
                           code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    }
    return status;
}

/* Behind a backslash. */
static sluice_status take_escape(json_reader *self, sluice_error *err)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = peek(self);
    if (is_over(self)) {
        return cut_short(self, " in character escape sequence", err);
    }
    const char *known = c == '\0' ? NULL : strchr(from, c);
    if (c == 'u') {
        self->at++;
        return take_unicode(self, err);
    }
    if (known == NULL) {
        return fail(self, err, "Unrecognized character escape '%c' (code %d)",
                    isprint((unsigned char)c) ? c : '?', (unsigned char)c);
    }
    buffer_append_byte(&self->text, to[known - from]);
    self->at++;
    return SLUICE_OK;
}

/* A character of more than one byte. */
static sluice_status take_wide(json_reader *self, sluice_error *err)
{
    const unsigned char *bytes = (const unsigned char *)self->base + self->at;
    size_t left = self->len - self->at;
    size_t size = bytes[0] >= 0xf0 && bytes[0] < 0xf5   ? 4
                  : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                  : bytes[0] >= 0xc2 && bytes[0] < 0xe0 ? 2
                                                        : 0;
    if (size == 0) {
        self->at++;
        return fail(self, err, "Invalid UTF-8 start byte 0x%x", bytes[0]);
    }
    for (size_t i = 1; i < size; i++) {
        bool too_small = i == 1 && ((bytes[0] == 0xe0 && bytes[1] < 0xa0) ||
                                    (bytes[0] == 0xf0 && bytes[1] < 0x90) ||
                                    (bytes[0] == 0xed && bytes[1] >= 0xa0) ||
                                    (bytes[0] == 0xf4 && bytes[1] >= 0x90));
        if (i >= left) {
            self->at = self->len;
            return cut_short(self, " in VALUE_STRING", err);
        }
        if ((bytes[i] & 0xc0) != 0x80 || too_small) {
            self->at += i + 1;
            return fail(self, err, "Invalid UTF-8 middle byte 0x%x", bytes[i]);
        }
    }
    buffer_append(&self->text, bytes, size);
    self->at += size;
    return SLUICE_OK;
}

/* From its first quote to behind its last. */
static sluice_status take_text(json_reader *self, const char *what, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    buffer_clear(&self->text);
    self->at++;
    while (status == SLUICE_OK && peek(self) != '"') {
        unsigned char c = (unsigned char)peek(self);
        if (is_over(self)) {
            return cut_short(self, what, err);
        }
        if (c < ' ') {
            return fail(self, err,
                        "Illegal unquoted character ((CTRL-CHAR, code %d)): has to be "
                        "escaped using backslash to be included in %s",
                        c, self->token == token_name ? "name" : "string value");
        }
        if (c == '\\') {
            self->at++;
            status = take_escape(self, err);
        } else if (c >= 0x80) {
            status = take_wide(self, err);
        } else {
            buffer_append_byte(&self->text, (char)c);
            self->at++;
        }
    }
    self->at++;
    return status;
}

/* --- Numbers and words. --- */

static void take_byte(json_reader *self)
{
    buffer_append_byte(&self->text, peek(self));
    self->at++;
}

static void take_digits(json_reader *self)
{
    while (isdigit((unsigned char)peek(self))) {
        take_byte(self);
    }
}

/* At least one digit, else it is a fault for this reason. */
static sluice_status need_digits(json_reader *self, const char *reason,
                                 sluice_error *err)
{
    if (is_over(self)) {
        return cut_short(self, " in VALUE_NUMBER_INT", err);
    }
    if (!isdigit((unsigned char)peek(self))) {
        return unexpected(self, reason, err);
    }
    take_digits(self);
    return SLUICE_OK;
}

static sluice_status take_fraction(json_reader *self, sluice_error *err)
{
    sluice_status status = SLUICE_OK;
    if (peek(self) == '.') {
        self->token = token_float;
        take_byte(self);
        status = need_digits(
            self, " in numeric value: Decimal point not followed by a digit", err);
    }
    if (status == SLUICE_OK && (peek(self) == 'e' || peek(self) == 'E')) {
        self->token = token_float;
        take_byte(self);
        if (peek(self) == '+' || peek(self) == '-') {
            take_byte(self);
        }
        status = need_digits(
            self, " in numeric value: Exponent indicator not followed by a digit", err);
    }
    return status;
}

static sluice_status take_number(json_reader *self, sluice_error *err)
{
    self->token = token_integer;
    buffer_clear(&self->text);
    if (peek(self) == '-') {
        take_byte(self);
    }
    if (peek(self) == '0') {
        take_byte(self);
        if (isdigit((unsigned char)peek(self))) {
            return fail(self, err, "Invalid numeric value: Leading zeroes not allowed");
        }
    } else {
        sluice_status status =
            need_digits(self,
                        " in numeric value: expected digit (0-9) to follow minus sign, "
                        "for valid numeric value",
                        err);
        if (status != SLUICE_OK) {
            return status;
        }
    }
    sluice_status status = take_fraction(self, err);
    if (status == SLUICE_OK && self->depth == 0 && !is_over(self) &&
        (unsigned char)peek(self) > ' ') {
        return unexpected(self, ": Expected space separating root-level values", err);
    }
    return status;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

/* true, false, null, or what stands in their place. */
static sluice_status take_word(json_reader *self, sluice_error *err)
{
    static const struct {
        const char *word;
        json_token token;
    } words[] = {{"true", token_true}, {"false", token_false}, {"null", token_null}};
    const char *word = self->base + self->at;
    size_t begin = self->at;
    self->at += peek(self) == '-';
    while (!is_over(self) && is_word(peek(self))) {
        self->at++;
    }
    size_t len = self->at - begin;
    for (size_t i = 0; i < 3; i++) {
        if (strlen(words[i].word) == len && memcmp(words[i].word, word, len) == 0) {
            self->token = words[i].token;
            buffer_clear(&self->text);
            buffer_append(&self->text, word, len);
            return SLUICE_OK;
        }
    }
    if ((len == 3 && memcmp(word, "NaN", 3) == 0) ||
        (len == 8 && memcmp(word, "Infinity", 8) == 0) ||
        (len == 9 && memcmp(word, "-Infinity", 9) == 0)) {
        return fail(self, err,
                    "Non-standard token '%.*s': enable "
                    "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                    (int)len, word);
    }
    self->at += !is_over(self); /* Jackson has read what ended the word. */
    return fail(self, err, "Unrecognized token '%.*s': was expecting (" VALUES ")",
                (int)(len < 256 ? len : 256), word);
}

/* --- Tokens. --- */

static sluice_status take_value(json_reader *self, sluice_error *err)
{
    char c = peek(self);
    bool before_word = self->at + 1 < self->len && self->base[self->at + 1] == 'I';
    self->after_name = false;
    if (c == '"') {
        self->token = token_text;
        return take_text(self, " in VALUE_STRING", err);
    }
    if (c == '{' || c == '[') {
        return open_one(self, c == '{', err);
    }
    if (isdigit((unsigned char)c) || (c == '-' && !before_word)) {
        return take_number(self, err);
    }
    if (c == '-' || is_word(c)) {
        return take_word(self, err);
    }
    if (c == '+') {
        self->at++;
        return fail(self, err,
                    "Unexpected character ('+' (code 43)) in numeric value: JSON spec "
                    "does not allow numbers to have plus signs: enable "
                    "`JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow");
    }
    return unexpected(self,
                      c == '/' ? ": maybe a (non-standard) comment? (not recognized as "
                                 "one since Feature 'ALLOW_COMMENTS' not enabled for "
                                 "parser)"
                      : c == ',' || c == '}' || c == ']'
                          ? ": expected a value"
                          : ": expected a valid value (" VALUES ")",
                      err);
}

/* A name and the colon behind it. */
static sluice_status take_name(json_reader *self, sluice_error *err)
{
    if (peek(self) != '"') {
        return unexpected(self, ": was expecting double-quote to start field name",
                          err);
    }
    self->token = token_name;
    sluice_status status = take_text(self, " in field name", err);
    if (status == SLUICE_OK) {
        status = skip_space(self, err);
    }
    if (status == SLUICE_OK && is_over(self)) {
        return cut_short(self, " within/between Object entries", err);
    }
    if (status == SLUICE_OK && peek(self) != ':') {
        return unexpected(
            self, ": was expecting a colon to separate field name and value", err);
    }
    self->at++;
    self->after_name = true;
    return status;
}

/* The comma between two members of what is open. */
static sluice_status take_comma(json_reader *self, const struct json_open *in,
                                sluice_error *err)
{
    if (peek(self) != ',') {
        return unexpected(self,
                          in->is_object
                              ? ": was expecting comma to separate Object entries"
                              : ": was expecting comma to separate Array entries",
                          err);
    }
    self->at++;
    sluice_status status = skip_space(self, err);
    if (status == SLUICE_OK && is_over(self)) {
        return cut_short(self,
                         in->is_object ? " within/between Object entries"
                                       : " within/between Array entries",
                         err);
    }
    self->start = json_reader_place(self);
    return status;
}

sluice_status json_reader_next(json_reader *self, sluice_error *err)
{
    sluice_status status = skip_space(self, err);
    struct json_open *in = top(self);
    self->start = json_reader_place(self);
    if (status != SLUICE_OK) {
        return status;
    }
    if (is_over(self) && in != NULL) {
        return fail(self, err,
                    "Unexpected end-of-input: expected close marker for %s (start "
                    "marker at " SOURCE ")",
                    in->is_object ? "Object" : "Array", in->start.line,
                    in->start.column);
    }
    if (is_over(self)) {
        self->token = token_end;
        return SLUICE_OK;
    }
    if (!self->after_name && (peek(self) == '}' || peek(self) == ']')) {
        return close_one(self, err);
    }
    if (in != NULL && in->has_members && !self->after_name) {
        status = take_comma(self, in, err);
    }
    if (status == SLUICE_OK && in != NULL) {
        in->has_members = true;
    }
    return status != SLUICE_OK                                ? status
           : in != NULL && in->is_object && !self->after_name ? take_name(self, err)
                                                              : take_value(self, err);
}
