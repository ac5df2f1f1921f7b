/* A connector's configuration from a file: JSON in two forms, or properties. */
#include "worker/config/connector_file.h"
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include "worker/rest/string_map.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { file_bytes_max = 16 * 1024 * 1024 };

/* The whole file, NUL-ended, the caller's. */
static char *read_file(const char *path, size_t *ret_len, sluice_error *err)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' cannot be read: %s", path,
                    strerror(errno));
        return NULL;
    }
    char *base = malloc(file_bytes_max + 1);
    size_t len = base == NULL ? 0 : fread(base, 1, file_bytes_max + 1, file);
    bool whole = base != NULL && !ferror(file) && len <= file_bytes_max;
    fclose(file);
    if (!whole) {
        free(base);
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "'%s' cannot be read, or has more than %d MiB", path,
                    file_bytes_max >> 20);
        return NULL;
    }
    base[len] = '\0';
    *ret_len = len;
    return base;
}

static json_t *from_properties(const char *base, size_t len, const char *path,
                               sluice_error *err)
{
    properties *source = properties_new();
    json_t *config = NULL;
    if (properties_parse(source, base, len, path, err) == SLUICE_OK) {
        config = json_object();
        for (size_t i = 0; i < properties_count(source); i++) {
            json_object_set_new(config, properties_key(source, i),
                                json_string(properties_value(source, i)));
        }
    }
    properties_free(source);
    return config;
}

/* The REST form, or NULL: it is not that. */
static json_t *from_request(json_t *parsed)
{
    json_t *name = json_object_get(parsed, "name");
    json_t *config = json_object_get(parsed, "config");
    if (!json_is_string(name) || !string_map_is(config)) {
        return NULL;
    }
    json_t *body = json_pack("{s:O, s:O}", "name", name, "config", config);
    json_t *state = json_object_get(parsed, "initial_state");
    if (json_is_string(state)) {
        json_object_set(body, "initial_state", state);
    }
    return body;
}

static sluice_status check_name(const json_t *body, const char *path, sluice_error *err)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    json_t *config = json_object_get(body, "config");
    const char *inner = json_string_value(json_object_get(config, "name"));
    if (name == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Connector configuration at '%s' is missing the mandatory "
                           "'name' configuration",
                           path);
    }
    if (inner != NULL && strcmp(inner, name) != 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "Connector name configuration in 'config' doesn't match the "
                           "one specified in 'name' at '%s'",
                           path);
    }
    return SLUICE_OK;
}

sluice_status connector_file_read(const char *path, json_t **ret_body,
                                  sluice_error *err)
{
    size_t len;
    char *base = read_file(path, &len, err);
    if (base == NULL) {
        return SLUICE_BAD_CONFIG;
    }
    json_t *parsed = string_map_load(base, len, false, NULL);
    json_t *body = json_is_object(parsed) ? from_request(parsed) : NULL;
    if (body == NULL) {
        json_t *config = string_map_is(parsed) ? json_incref(parsed)
                                               : from_properties(base, len, path, err);
        json_t *name = json_object_get(config, "name");
        body = config == NULL
                   ? NULL
                   : json_pack("{s:O?, s:o}", "name", name, "config", config);
    }
    json_decref(parsed);
    free(base);
    sluice_status status =
        body == NULL ? SLUICE_BAD_CONFIG : check_name(body, path, err);
    if (status != SLUICE_OK) {
        json_decref(body);
        return status;
    }
    *ret_body = body;
    return SLUICE_OK;
}

static int is_connector(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return name[0] != '.' &&
           (text_ends(name, ".json") || text_ends(name, ".properties"));
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

static sluice_status files_of_folder(const char *folder, json_t *paths,
                                     sluice_error *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_connector, by_name);
    if (count < 0) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "folder '%s' cannot be read: %s",
                           folder, strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        char *path = memory_print("%s/%s", folder, entries[i]->d_name);
        json_array_append_new(paths, json_string_nocheck(path));
        free(path);
        free(entries[i]);
    }
    free(entries);
    return count > 0 ? SLUICE_OK
                     : sluice_fail(err, SLUICE_BAD_CONFIG,
                                   "folder '%s' has no .json and no .properties: there "
                                   "must be a file for each connector",
                                   folder);
}

sluice_status connector_files(const char *path, json_t **ret_paths, sluice_error *err)
{
    struct stat about;
    json_t *paths = json_array();
    sluice_status status = SLUICE_OK;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        status = files_of_folder(path, paths, err);
    } else {
        json_array_append_new(paths, json_string_nocheck(path)); /* Any bytes. */
    }
    if (status != SLUICE_OK) {
        json_decref(paths);
        return status;
    }
    *ret_paths = paths;
    return SLUICE_OK;
}
