/* Keys and certificates as text: blocks between two dashed lines. */
#include "keystore/pem.h"
#include "base/memory.h"
#include "base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN  "-----BEGIN "
#define DASHES "-----"

enum { line_len = 64 };

/* Base64 in lines; a body with fields ("Proc-Type: ...") as it is. */
static void append_body(buffer *out, const char *base, size_t len)
{
    size_t in_line = 0;
    if (memchr(base, ':', len) != NULL) {
        const char *start = base;
        while (len > 0 && isspace((unsigned char)*start)) {
            start++;
            len--;
        }
        buffer_append(out, start, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)base[i])) {
            continue;
        }
        if (in_line == line_len) {
            buffer_append_byte(out, '\n');
            in_line = 0;
        }
        buffer_append_byte(out, base[i]);
        in_line++;
    }
    buffer_append_byte(out, '\n');
}

size_t pem_blocks(const char *text, const char *label, buffer *out)
{
    size_t count = 0;
    const char *begin;
    while ((begin = strstr(text, BEGIN)) != NULL) {
        const char *name = begin + strlen(BEGIN);
        const char *after = strstr(name, DASHES);
        if (after == NULL) {
            return count;
        }
        char *found = memory_copy(name, (size_t)(after - name));
        char *end_line = memory_print("-----END %s-----", found);
        const char *body = after + strlen(DASHES), *end = strstr(body, end_line);
        if (end != NULL && text_ends(found, label)) {
            buffer_print(out, BEGIN "%s" DASHES "\n", found);
            append_body(out, body, (size_t)(end - body));
            buffer_print(out, "%s\n", end_line);
            count++;
        }
        text = end == NULL ? body : end + strlen(end_line);
        free(end_line);
        free(found);
    }
    return count;
}
