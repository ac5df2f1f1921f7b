/* Strict parsing of numbers and lists, distances between words, hex, UTF-8. */
#include "text.h"
#include "memory.h"
#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
    return (unsigned char)c <= ' ';
}

const char *text_trim(const char *text, size_t *ret_len)
{
    while (*text != '\0' && is_space(*text)) {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && is_space(text[len - 1])) {
        len--;
    }
    *ret_len = len;
    return text;
}

char *text_trimmed(const char *text)
{
    size_t len;
    const char *base = text_trim(text, &len);
    return memory_copy(base, len);
}

/* Digits up to `max`, all of them. */
static bool digits_to(const char *base, size_t len, uint64_t max, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        if (base[i] < '0' || base[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(base[i] - '0');
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret = value;
    return len > 0;
}

bool text_to_int64_of(const char *base, size_t len, int64_t *ret)
{
    bool negative = len > 0 && base[0] == '-';
    size_t sign = negative || (len > 0 && base[0] == '+') ? 1 : 0;
    uint64_t value;
    uint64_t max = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (!digits_to(base + sign, len - sign, max, &value)) {
        return false;
    }
    *ret = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool text_to_uint64_of(const char *base, size_t len, uint64_t *ret)
{
    size_t sign = len > 0 && base[0] == '+' ? 1 : 0;
    return digits_to(base + sign, len - sign, UINT64_MAX, ret);
}

static size_t count_digits(const char *base, size_t len)
{
    size_t count = 0;
    while (count < len && base[count] >= '0' && base[count] <= '9') {
        count++;
    }
    return count;
}

/* The length of the exponent at `base`, 0 if there is none, or SIZE_MAX if half. */
static size_t exponent_len(const char *base, size_t len)
{
    if (len == 0 || (base[0] != 'e' && base[0] != 'E')) {
        return 0;
    }
    size_t sign = len > 1 && (base[1] == '+' || base[1] == '-') ? 1 : 0;
    size_t digits = count_digits(base + 1 + sign, len - 1 - sign);
    return digits == 0 ? SIZE_MAX : 1 + sign + digits;
}

/* Whether the unsigned bytes are a Java number; the length without a suffix. */
static bool is_double(const char *base, size_t len, size_t *ret_len)
{
    size_t whole = count_digits(base, len);
    size_t at = whole, fraction = 0;
    if (at < len && base[at] == '.') {
        fraction = count_digits(base + at + 1, len - at - 1);
        at += 1 + fraction;
    }
    size_t exponent = exponent_len(base + at, len - at);
    if (whole + fraction == 0 || exponent == SIZE_MAX) {
        return false;
    }
    at += exponent;
    *ret_len = at;
    return at == len || (at + 1 == len && strchr("dDfF", base[at]) != NULL);
}

static locale_t plain_locale;
static pthread_once_t plain_once = PTHREAD_ONCE_INIT;

static void plain_locale_make(void)
{
    plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool is_word(const char *base, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(base, word, len) == 0;
}

bool text_to_double_of(const char *base, size_t len, double *ret)
{
    enum { number_bytes_max = 1024 };
    bool negative = len > 0 && base[0] == '-';
    size_t sign = negative || (len > 0 && base[0] == '+') ? 1 : 0;
    const char *number = base + sign;
    size_t number_len;
    double value;
    if (is_word(number, len - sign, "NaN")) {
        value = (double)NAN;
    } else if (is_word(number, len - sign, "Infinity")) {
        value = (double)INFINITY;
    } else if (len <= number_bytes_max && is_double(number, len - sign, &number_len)) {
        char copy[number_bytes_max + 1];
        memcpy(copy, number, number_len);
        copy[number_len] = '\0';
        pthread_once(&plain_once, plain_locale_make);
        value = strtod_l(copy, NULL, plain_locale);
    } else {
        return false;
    }
    *ret = negative ? -value : value;
    return true;
}

bool text_to_int64(const char *text, int64_t *ret)
{
    size_t len;
    const char *base = text_trim(text, &len);
    return text_to_int64_of(base, len, ret);
}

bool text_to_uint64(const char *text, uint64_t *ret)
{
    size_t len;
    const char *base = text_trim(text, &len);
    return text_to_uint64_of(base, len, ret);
}

bool text_to_int32(const char *text, int32_t *ret)
{
    int64_t value;
    if (!text_to_int64(text, &value) || value < INT32_MIN || value > INT32_MAX) {
        return false;
    }
    *ret = (int32_t)value;
    return true;
}

bool text_to_double(const char *text, double *ret)
{
    size_t len;
    const char *base = text_trim(text, &len);
    return text_to_double_of(base, len, ret);
}

bool text_to_bool(const char *text, bool *ret)
{
    size_t len;
    const char *base = text_trim(text, &len);
    bool is_true = len == 4 && strncasecmp(base, "true", 4) == 0;
    if (!is_true && !(len == 5 && strncasecmp(base, "false", 5) == 0)) {
        return false;
    }
    *ret = is_true;
    return true;
}

/* `item` to `end`, where a comma was, without the white space before it. */
static void end_item(char *item, char *end)
{
    while (end > item && is_space(end[-1])) {
        end--;
    }
    *end = '\0';
}

char **text_split(const char *text, size_t *ret_count)
{
    size_t len, count = 0;
    const char *base = text_trim(text, &len);
    if (len > 0) {
        count = 1;
        for (size_t i = 0; i < len; i++) {
            count += base[i] == ',';
        }
    }
    char **items = memory_take((count + 1) * sizeof *items + len + 1);
    char *copy = (char *)(items + count + 1);
    memcpy(copy, base, len);
    copy[len] = '\0';
    for (size_t i = 0; i < count; i++) {
        items[i] = copy;
        char *comma = strchr(copy, ',');
        copy = comma == NULL ? copy + strlen(copy) : comma + 1;
        end_item(items[i], comma == NULL ? copy : comma);
        while (*copy != '\0' && is_space(*copy)) {
            copy++;
        }
    }
    items[count] = NULL;
    *ret_count = count;
    return items;
}

bool text_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);
    return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

bool text_equal_nocase(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

enum { word_max = 255 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table of distances of prefixes. */
size_t text_distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, word_max), b_len = strnlen(b, word_max);
    size_t rows[3][word_max + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            now[j] = smaller(last[j], now[j - 1]) + 1;
            now[j] = smaller(now[j], last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = smaller(now[j], before[j - 2] + 1);
            }
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_len];
}

/* The distance if it counts as near, else SIZE_MAX. */
static size_t near_distance(const char *word, const char *known)
{
    size_t len = strlen(word), known_len = strlen(known);
    size_t shorter = smaller(len, known_len);
    size_t longer = len + known_len - shorter;
    size_t allowed = shorter >= 10 ? 2 : shorter >= 4 ? 1 : 0;
    if (strcasecmp(word, known) == 0) {
        return strcmp(word, known) == 0 ? SIZE_MAX : 0;
    }
    if (longer - shorter > allowed || longer > word_max) {
        return SIZE_MAX;
    }
    size_t distance = text_distance(word, known);
    return distance <= allowed ? distance : SIZE_MAX;
}

bool text_is_near(const char *word, const char *known)
{
    return near_distance(word, known) != SIZE_MAX;
}

const char *text_nearest(const char *word, const char *const *known, size_t count)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t distance = near_distance(word, known[i]);
        if (distance < least) {
            least = distance;
            nearest = known[i];
        }
    }
    return nearest;
}

void text_hex(char *out, const void *base, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = base;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool text_unhex(void *out, size_t len, const char *digits, size_t digit_count)
{
    unsigned char *bytes = out;
    if (digit_count / 2 != len || digit_count % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(digits[2 * i]), low = hex_digit(digits[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* The length of the character at `at`, or 0 if it is not a valid one. */
static size_t character_len(const unsigned char *at, size_t len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = at[0] < 0x80             ? 1
                  : (at[0] & 0xE0) == 0xC0 ? 2
                  : (at[0] & 0xF0) == 0xE0 ? 3
                  : (at[0] & 0xF8) == 0xF0 ? 4
                                           : 0;
    if (size <= 1 || size > len) {
        return size == 1 ? 1 : 0;
    }
    uint32_t code_point = at[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
        code_point = code_point << 6 | (at[i] & 0x3F);
    }
    bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    return code_point >= least[size] && code_point <= 0x10FFFF && !surrogate ? size : 0;
}

/* Eight ASCII bytes at a time, since most text is. */
bool text_is_utf8(const void *base, size_t len)
{
    const unsigned char *at = base, *end = at + len;
    while (at < end) {
        uint64_t eight;
        if (end - at >= 8 &&
            (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
            continue;
        }
        size_t size = character_len(at, (size_t)(end - at));
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

void text_make_utf8(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t size = character_len((const unsigned char *)text, left);
        if (size == 0) {
            *text = '?';
            size = 1;
        }
        text += size;
        left -= size;
    }
}
