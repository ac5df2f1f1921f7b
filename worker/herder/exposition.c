/* Prometheus' text format: names, labels, values, and what must be escaped. */
#include "exposition.h"
#include "base/text.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

void expose_family(buffer *out, const char *name, const char *help)
{
    buffer_print(out, "# HELP %s ", name);
    for (; *help != '\0'; help++) {
        buffer_append_text(out, *help == '\\' ? "\\\\" : *help == '\n' ? "\\n" : "");
        if (*help != '\\' && *help != '\n') {
            buffer_append_byte(out, *help);
        }
    }
    buffer_print(out, "\n# TYPE %s %s\n", name,
                 text_ends(name, "_total") ? "counter" : "gauge");
}

void expose_row(buffer *out, const char *name)
{
    buffer_append_text(out, name);
}

void expose_escaped(buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\' || *text == '"') {
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, *text);
        } else if (*text == '\n') {
            buffer_append_text(out, "\\n");
        } else {
            buffer_append_byte(out, *text);
        }
    }
}

/* A row that has labels ends in a quote. */
void expose_label(buffer *out, const char *key, const char *value)
{
    bool first = out->base[out->len - 1] != '"';
    buffer_append_byte(out, first ? '{' : ',');
    buffer_append_text(out, key);
    buffer_append_text(out, "=\"");
    expose_escaped(out, value);
    buffer_append_byte(out, '"');
}

void expose_value(buffer *out, double value)
{
    buffer_append_text(out, out->base[out->len - 1] == '"' ? "} " : " ");
    if (isnan(value)) {
        buffer_append_text(out, "NaN\n");
    } else if (isinf(value)) {
        buffer_append_text(out, value > 0 ? "+Inf\n" : "-Inf\n");
    } else if (value == trunc(value) && fabs(value) < 1e15) {
        buffer_print(out, "%.0f\n", value);
    } else {
        buffer_print(out, "%.15g\n", value);
    }
}

bool expose_is_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool letter = isalpha((unsigned char)name[i]) || name[i] == '_';
        if (!letter && (i == 0 || !isdigit((unsigned char)name[i]))) {
            return false;
        }
    }
    return len > 0;
}
