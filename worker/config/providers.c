/* ${provider:path:key} in configurations. */
#include "worker/config/providers.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { providers_max = 64, file_bytes_max = 1024 * 1024 };

typedef enum provider_kind {
    provider_file,
    provider_directory,
    provider_environment
} provider_kind;

typedef struct provider {
    char *name;
    provider_kind kind;
    char *allowed_paths; /* NULL: all. */
    regex_t allowed;     /* Of variables, where has_allowed. */
    bool has_allowed;
} provider;

struct providers {
    provider items[providers_max];
    size_t count;
    char *const *environment;
    secrets *found; /* Who wants to know what was found; or NULL. */
};

/* --- Making. --- */

static const char *parameter(const sluice_props *worker, const char *name,
                             const char *key)
{
    char *full = memory_print("config.providers.%s.%s", name, key);
    const char *value = sluice_props_get(worker, full);
    free(full);
    return value;
}

static sluice_status find_kind(const char *name, const char *class,
                               provider_kind *ret_kind, sluice_error *err)
{
    static const char *const classes[] = {
        "FileConfigProvider", "DirectoryConfigProvider", "EnvVarConfigProvider"};
    for (size_t i = 0; class != NULL && i < 3; i++) {
        if (text_ends(class, classes[i])) {
            *ret_kind = (provider_kind)i;
            return SLUICE_OK;
        }
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "config.providers.%s.class is '%s': must be "
                       "org.apache.kafka.common.config.provider.FileConfigProvider, "
                       "DirectoryConfigProvider or EnvVarConfigProvider",
                       name, class == NULL ? "" : class);
}

/* Kafka's message for a path that cannot be allowed. */
static sluice_status check_paths(const char *list, sluice_error *err)
{
    size_t count;
    struct stat found;
    sluice_status status = SLUICE_OK;
    char **paths = text_split(list, &count);
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        if (paths[i][0] != '/') {
            status = sluice_fail(err, SLUICE_BAD_CONFIG, "Path %s is not absolute",
                                 paths[i]);
        } else if (stat(paths[i], &found) != 0) {
            status =
                sluice_fail(err, SLUICE_BAD_CONFIG, "Path %s does not exist", paths[i]);
        }
    }
    free(paths);
    return status;
}

static sluice_status set_pattern(provider *self, const char *pattern, sluice_error *err)
{
    char *whole = memory_print("^(%s)$", pattern);
    int refused = regcomp(&self->allowed, whole, REG_EXTENDED | REG_NOSUB);
    free(whole);
    if (refused != 0) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Invalid value %s for configuration allowlist.pattern: it is "
            "not a regular expression",
            pattern);
    }
    self->has_allowed = true;
    return SLUICE_OK;
}

static sluice_status add(providers *self, const sluice_props *worker, const char *name,
                         sluice_error *err)
{
    provider *p = &self->items[self->count];
    const char *paths = parameter(worker, name, "param.allowed.paths");
    const char *pattern = parameter(worker, name, "param.allowlist.pattern");
    *p = (provider){0};
    sluice_status status =
        find_kind(name, parameter(worker, name, "class"), &p->kind, err);
    if (status == SLUICE_OK && paths != NULL) {
        status = check_paths(paths, err);
    }
    if (status == SLUICE_OK && pattern != NULL) {
        status = set_pattern(p, pattern, err);
    }
    if (status == SLUICE_OK) {
        p->name = memory_text(name);
        p->allowed_paths = memory_text(paths);
        self->count++;
    }
    return status;
}

sluice_status providers_new(const sluice_props *worker, char *const *environment,
                            providers **ret_providers, sluice_error *err)
{
    size_t count;
    const char *list = sluice_props_get(worker, "config.providers");
    char **all = text_split(list == NULL ? "" : list, &count);
    providers *self = memory_zero(sizeof *self);
    self->environment = environment;
    sluice_status status = SLUICE_OK;
    if (count > providers_max) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "config.providers has %zu items: at most %d", count,
                             providers_max);
    }
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = add(self, worker, all[i], err);
    }
    free(all);
    if (status != SLUICE_OK) {
        providers_free(self);
        return status;
    }
    *ret_providers = self;
    return SLUICE_OK;
}

void providers_free(providers *self)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        free(self->items[i].name);
        free(self->items[i].allowed_paths);
        if (self->items[i].has_allowed) {
            regfree(&self->items[i].allowed);
        }
    }
    free(self);
}

/* --- Looking up. Each sets `*ret` to the caller's text, or leaves it NULL. --- */

/* The path without "." and "..", as Java's normalize(): by its words only. The
 * caller's. */
static char *normalize(const char *path)
{
    buffer out = BUFFER_INIT;
    size_t len;
    for (const char *at = path; *at != '\0';) {
        at += strspn(at, "/");
        size_t word = strcspn(at, "/");
        if (word == 2 && memcmp(at, "..", 2) == 0) {
            const char *last = out.len == 0 ? NULL : strrchr(buffer_text(&out), '/');
            buffer_truncate(&out, last == NULL ? 0 : (size_t)(last - out.base));
        } else if (word > 0 && !(word == 1 && at[0] == '.')) {
            buffer_append_byte(&out, '/');
            buffer_append(&out, at, word);
        }
        at += word;
    }
    return buffer_take(&out, &len);
}

static bool is_allowed(const provider *p, const char *path)
{
    size_t count;
    if (p->allowed_paths == NULL) {
        return true;
    }
    char *whole = normalize(path);
    char **paths = text_split(p->allowed_paths, &count);
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        char *root = normalize(paths[i]);
        size_t len = strlen(root);
        found |=
            strncmp(whole, root, len) == 0 && (whole[len] == '/' || whole[len] == '\0');
        free(root);
    }
    free(paths);
    free(whole);
    return found;
}

static sluice_status from_file(const char *path, const char *key, char **ret,
                               sluice_error *err)
{
    properties *file = properties_new();
    if (properties_read(file, path, NULL) != SLUICE_OK) {
        properties_free(file);
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Could not read properties from file %s", path);
    }
    *ret = memory_text(properties_get(file, key));
    properties_free(file);
    return SLUICE_OK;
}

static sluice_status from_directory(const char *path, const char *key, char **ret,
                                    sluice_error *err)
{
    struct stat found;
    if (strchr(key, '/') != NULL || stat(path, &found) != 0) {
        return SLUICE_OK;
    }
    char *file_path = memory_print("%s/%s", path, key);
    char *base = malloc(file_bytes_max);
    FILE *file = stat(file_path, &found) == 0 && S_ISREG(found.st_mode)
                     ? fopen(file_path, "rbe")
                     : NULL;
    sluice_status status = SLUICE_OK;
    if (file != NULL) {
        size_t len = base == NULL ? 0 : fread(base, 1, file_bytes_max, file);
        if (base == NULL || ferror(file) || len == file_bytes_max) {
            status =
                sluice_fail(err, SLUICE_BAD_CONFIG,
                            "Could not read file %s for property %s", file_path, key);
        } else {
            *ret = memory_copy(base, len);
        }
        fclose(file);
    }
    free(base);
    free(file_path);
    return status;
}

static sluice_status from_environment(const providers *self, const provider *p,
                                      const char *path, const char *key, char **ret,
                                      sluice_error *err)
{
    size_t len = strlen(key);
    if (path[0] != '\0') {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Path is not supported for EnvVarConfigProvider, invalid value "
            "'%s'",
            path);
    }
    if (p->has_allowed && regexec(&p->allowed, key, 0, NULL, 0) != 0) {
        return SLUICE_OK;
    }
    for (char *const *at = self->environment; *at != NULL; at++) {
        if (strncmp(*at, key, len) == 0 && (*at)[len] == '=') {
            *ret = memory_text(*at + len + 1);
            break;
        }
    }
    return SLUICE_OK;
}

static sluice_status look_up(const providers *self, const char *name, const char *path,
                             const char *key, char **ret, sluice_error *err)
{
    const provider *p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        p = strcmp(self->items[i].name, name) == 0 ? &self->items[i] : p;
    }
    if (p == NULL) {
        return SLUICE_OK;
    }
    if (p->kind == provider_environment) {
        return from_environment(self, p, path, key, ret, err);
    }
    if (path[0] == '\0' || !is_allowed(p, path)) {
        return SLUICE_OK;
    }
    return p->kind == provider_file ? from_file(path, key, ret, err)
                                    : from_directory(path, key, ret, err);
}

/* --- Replacing. --- */

/* "provider:path:key" or "provider:key"; `ret` stays NULL where it is neither. */
static sluice_status resolve_one(const providers *self, const char *base, size_t len,
                                 char **ret, sluice_error *err)
{
    char *name = memory_copy(base, len);
    char *path = strchr(name, ':'), *key = NULL;
    sluice_status status = SLUICE_OK;
    if (path != NULL) {
        *path++ = '\0';
        key = strchr(path, ':');
        if (key != NULL) {
            *key++ = '\0';
        }
        status = look_up(self, name, key == NULL ? "" : path, key == NULL ? path : key,
                         ret, err);
    }
    free(name);
    return status;
}

void providers_tell(providers *self, secrets *found)
{
    self->found = found;
}

static void tell_found(const providers *self, const char *value, const char *reference,
                       size_t len)
{
    if (self->found != NULL) {
        char *shown = memory_copy(reference, len);
        secrets_add(self->found, value, shown);
        free(shown);
    }
}

sluice_status providers_resolve(const providers *self, const char *value,
                                char **ret_value, sluice_error *err)
{
    buffer out = BUFFER_INIT;
    size_t len;
    for (const char *at = value; *at != '\0';) {
        const char *end = at[0] == '$' && at[1] == '{' ? strchr(at, '}') : NULL;
        char *found = NULL;
        sluice_status status =
            end == NULL
                ? SLUICE_OK
                : resolve_one(self, at + 2, (size_t)(end - at - 2), &found, err);
        if (status != SLUICE_OK) {
            buffer_done(&out);
            return status;
        }
        bool reference = end != NULL && memchr(at, ':', (size_t)(end - at)) != NULL;
        size_t skipped = reference ? (size_t)(end - at) + 1 : 1;
        if (found != NULL) {
            tell_found(self, found, at, skipped);
            buffer_append_text(&out, found);
        } else {
            buffer_append(&out, at, skipped);
        }
        free(found);
        at += skipped;
    }
    *ret_value = buffer_take(&out, &len);
    return SLUICE_OK;
}

sluice_status providers_resolve_props(const providers *self, sluice_props *props,
                                      sluice_error *err)
{
    for (size_t i = 0; i < sluice_props_count(props) && self->count > 0; i++) {
        const char *value = sluice_props_value(props, i);
        char *resolved;
        if (value == NULL || strstr(value, "${") == NULL) {
            continue;
        }
        sluice_status status = providers_resolve(self, value, &resolved, err);
        if (status != SLUICE_OK) {
            sluice_prefix(err, "%s", sluice_props_name(props, i));
            return status;
        }
        char *name = memory_text(sluice_props_name(props, i));
        sluice_props_set(props, name, resolved);
        free(name);
        free(resolved);
    }
    return SLUICE_OK;
}
