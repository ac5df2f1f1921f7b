/* Who may ask: users and passwords of a file. */
#include "worker/rest/basic_auth.h"
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include "worker/rest/jaas.h"
#include <errno.h>
#include <sluice/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EXTENSION "BasicAuthSecurityRestExtension"
#define MODULE    "PropertyFileLoginModule"

enum { file_bytes_max = 1024 * 1024 };

struct basic_auth {
    properties *users; /* Name to password. */
};

/* --- Making. --- */

/* `name` alone, or behind the packages that Kafka has it in. */
static bool is_class(const char *class, const char *name)
{
    return strcmp(class, name) == 0 ||
           (text_ends(class, name) &&
            text_starts(class, "org.apache.kafka.connect.rest.basic.auth.extension."));
}

sluice_status basic_auth_wanted(const sluice_list *classes, bool *ret_wanted,
                                sluice_error *err)
{
    *ret_wanted = false;
    for (size_t i = 0; i < classes->count; i++) {
        if (is_class(classes->items[i], EXTENSION)) {
            *ret_wanted = true;
        } else if (text_starts(classes->items[i], "io.debezium.")) {
            sluice_log(SLUICE_WARN, "worker.rest",
                       "rest.extension.classes: '%s' serves resources that are not "
                       "here; everything else is served without it",
                       classes->items[i]);
        } else {
            return sluice_fail(
                err, SLUICE_BAD_CONFIG,
                "rest.extension.classes has '%s': only "
                "org.apache.kafka.connect.rest.basic.auth.extension." EXTENSION
                " is here, and without it everybody might be let in",
                classes->items[i]);
        }
    }
    return SLUICE_OK;
}

/* The whole of a file, the caller's. */
static sluice_status read_text(const char *path, char **ret_text, sluice_error *err)
{
    FILE *file = fopen(path, "rbe");
    char *base = file == NULL ? NULL : malloc(file_bytes_max + 1);
    size_t len = base == NULL ? 0 : fread(base, 1, file_bytes_max, file);
    bool failed = base == NULL || ferror(file) || len == file_bytes_max;
    const char *reason = file == NULL ? strerror(errno) : "it is too large or no file";
    if (file != NULL) {
        fclose(file);
    }
    if (failed) {
        free(base);
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "java.security.auth.login.config: '%s' cannot be read: %s",
                           path, reason);
    }
    base[len] = '\0';
    *ret_text = base;
    return SLUICE_OK;
}

static sluice_status check_entry(const char *path, const jaas_entry *entry,
                                 sluice_error *err)
{
    const char *file =
        entry->module == NULL ? NULL : sluice_props_get(entry->options, "file");
    if (entry->module == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' has no application KafkaConnect", path);
    }
    if (entry->modules != 1 || !is_class(entry->module, MODULE)) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "'%s': KafkaConnect has %zu login modules, the first '%s': must be one, "
            "org.apache.kafka.connect.rest.basic.auth.extension." MODULE,
            path, entry->modules, entry->module);
    }
    if (file == NULL || file[0] == '\0') {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s': the login module has no option file, which names the "
                           "users and their passwords",
                           path);
    }
    return SLUICE_OK;
}

static sluice_status find_users(const char *path, char **ret_file, sluice_error *err)
{
    char *text = NULL;
    jaas_entry entry = {0};
    sluice_status status = read_text(path, &text, err);
    if (status == SLUICE_OK) {
        status = jaas_parse(text, path, "KafkaConnect", &entry, err);
    }
    if (status == SLUICE_OK) {
        status = check_entry(path, &entry, err);
    }
    if (status == SLUICE_OK) {
        *ret_file = memory_text(sluice_props_get(entry.options, "file"));
    }
    jaas_entry_done(&entry);
    free(text);
    return status;
}

/* A fault of the file is told without its line, which may have a password. */
static sluice_status read_users(const char *file, properties **ret_users,
                                sluice_error *err)
{
    properties *users = properties_new();
    sluice_error *inner = sluice_error_new();
    sluice_status status = properties_read(users, file, inner);
    if (status != SLUICE_OK) {
        properties_free(users);
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "the file of users and passwords cannot be read: %s",
                             sluice_error_text(inner));
    } else {
        *ret_users = users;
    }
    sluice_error_free(inner);
    return status;
}

sluice_status basic_auth_new(const char *path, basic_auth **ret_auth, sluice_error *err)
{
    char *file = NULL;
    properties *users = NULL;
    sluice_status status = find_users(path, &file, err);
    if (status == SLUICE_OK) {
        status = read_users(file, &users, err);
    }
    if (status == SLUICE_OK) {
        if (properties_count(users) == 0) {
            sluice_log(SLUICE_WARN, "worker.rest",
                       "'%s' has no users: nobody is let in (Kafka Connect would let "
                       "in everybody)",
                       file);
        }
        *ret_auth = memory_zero(sizeof **ret_auth);
        (*ret_auth)->users = users;
    }
    free(file);
    return status;
}

void basic_auth_free(basic_auth *self)
{
    if (self != NULL) {
        properties_free(self->users);
        free(self);
    }
}

char *basic_auth_file_of(const char *java_options)
{
    static const char key[] = "-Djava.security.auth.login.config=";
    char *found = NULL;
    for (const char *at = java_options; at != NULL && *at != '\0';) {
        at += strspn(at, " \t\n");
        size_t len = strcspn(at, " \t\n");
        if (len >= strlen(key) && memcmp(at, key, strlen(key)) == 0) {
            const char *value = at + strlen(key);
            value += *value == '='; /* Java: this file and no other. */
            value += text_starts(value, "file:") ? strlen("file:") : 0;
            value += text_starts(value, "///") ? 2 : 0;
            free(found);
            found = memory_copy(value, (size_t)(at + len - value));
        }
        at += len;
    }
    return found;
}

/* --- Asking. --- */

static int digit_of(char byte)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = byte == '\0' ? NULL : strchr(digits, byte);
    return at == NULL ? -1 : (int)(at - digits);
}

/* Base64, with or without its padding, of a text; the caller's, or NULL. */
static char *decode(const char *text, size_t *ret_len)
{
    size_t len = strlen(text), count = 0;
    while (len > 0 && text[len - 1] == '=') {
        len--;
    }
    char *out = memory_zero(len * 3 / 4 + 1);
    unsigned bits = 0, held = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0 || len % 4 == 1) {
            free(out);
            return NULL;
        }
        bits = (bits << 6 | (unsigned)digit) & 0xffffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[count++] = (char)(bits >> held & 0xff);
        }
    }
    *ret_len = count;
    return out;
}

static bool is_same(const char *given, const char *known)
{
    size_t len = strlen(given), known_len = strlen(known);
    unsigned char differ = len != known_len;
    for (size_t i = 0; i < len; i++) {
        differ |= (unsigned char)(given[i] ^ known[known_len == 0 ? 0 : i % known_len]);
    }
    return differ == 0;
}

bool basic_auth_allows(const basic_auth *self, const char *authorization)
{
    if (authorization == NULL || strncasecmp(authorization, "Basic ", 6) != 0) {
        return false;
    }
    size_t len = 0;
    char *pair = decode(authorization + 6, &len);
    char *colon = pair == NULL ? NULL : strchr(pair, ':');
    bool allowed = false;
    if (colon != NULL && colon > pair && strlen(pair) == len) {
        *colon = '\0';
        const char *known = properties_get(self->users, pair);
        allowed = is_same(colon + 1, known == NULL ? "" : known) && known != NULL;
    }
    if (pair != NULL) {
        explicit_bzero(pair, len);
    }
    free(pair);
    return allowed;
}
