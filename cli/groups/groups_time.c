/* Times and durations as ISO 8601 writes them and Kafka's tool takes them. */
#include "base/text.h"
#include "groups.h"
#include <math.h>
#include <string.h>
#include <time.h>

/* Takes "+02:00", "-0230", "Z" or nothing; false when it is none of them. */
static bool read_zone(const char *text, int64_t *ret_seconds)
{
    int hours, minutes, used = 0;
    *ret_seconds = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0) {
        return true;
    }
    if (*text != '+' && *text != '-') {
        return false;
    }
    if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 &&
        sscanf(text + 1, "%2d%2d%n", &hours, &minutes, &used) != 2) {
        return false;
    }
    *ret_seconds = (*text == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
    return text[1 + used] == '\0' && hours >= 0 && minutes >= 0 && minutes < 60;
}

sluice_status groups_datetime(const groups_work *self, int64_t *ret_ms,
                              sluice_error *err)
{
    const char *text = self->given->to_datetime;
    const char *class = self->given->kafkas ? "java.text.ParseException: " : "";
    struct tm when = {0};
    int used = 0, ms = 0, ms_used = 0;
    int64_t zone;
    if (strchr(text, 'T') == NULL) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "%sError parsing timestamp. It does not contain a 'T' according "
            "to ISO8601 format",
            class);
    }
    bool good =
        sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &when.tm_year, &when.tm_mon,
               &when.tm_mday, &when.tm_hour, &when.tm_min, &when.tm_sec, &used) == 6;
    if (good && text[used] == '.') {
        good = sscanf(text + used + 1, "%3d%n", &ms, &ms_used) == 1 && ms >= 0;
        used += 1 + ms_used;
    }
    if (!good || !read_zone(text + used, &zone)) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG, "%sUnparseable date: \"%s\"%s", class, text,
            self->given->kafkas ? ""
                                : ": must be as 2026-01-31T12:00:00.000, in UTC, or "
                                  "with +02:00 behind it");
    }
    when.tm_year -= 1900;
    when.tm_mon -= 1;
    *ret_ms = ((int64_t)timegm(&when) - zone) * 1000 + ms;
    return SLUICE_OK;
}

/* Takes a number and its letter from `*text`. */
static bool take_part(const char **text, double *ret_number, char *ret_letter)
{
    size_t len = strspn(*text, "+-.0123456789");
    *ret_letter = (*text)[len];
    if (len == 0 || *ret_letter == '\0' || !text_to_double_of(*text, len, ret_number)) {
        return false;
    }
    *text += len + 1;
    return true;
}

/* Adds up the parts: days before the T; hours, minutes, seconds behind it. */
static bool add_parts(const char *text, double *ret_seconds)
{
    bool in_time = false, some = false;
    while (*text != '\0') {
        double number;
        char letter;
        if (*text == 'T' && !in_time) {
            in_time = true;
            some = false;
            text++;
            continue;
        }
        if (!take_part(&text, &number, &letter)) {
            return false;
        }
        double unit = !in_time && letter == 'D'  ? 86400
                      : in_time && letter == 'H' ? 3600
                      : in_time && letter == 'M' ? 60
                      : in_time && letter == 'S' ? 1
                                                 : 0;
        *ret_seconds += number * unit;
        some = true;
        if (unit == 0) {
            return false;
        }
    }
    return some;
}

sluice_status groups_duration(const groups_work *self, int64_t *ret_ms,
                              sluice_error *err)
{
    const char *text = self->given->by_duration;
    double seconds = 0, sign = *text == '-' ? -1 : 1;
    const char *at = text + (*text == '-' || *text == '+');
    if (*at != 'P' || !add_parts(at + 1, &seconds) || fabs(seconds) > 1e12) {
        return self->given->kafkas
                   ? sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "Text cannot be parsed to a Duration")
                   : sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "'%s' is no duration: must be as P1DT2H30M, with "
                                 "days, hours, minutes and seconds",
                                 text);
    }
    *ret_ms = (int64_t)(sign * seconds * 1000);
    return SLUICE_OK;
}
