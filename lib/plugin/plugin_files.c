/* Files, loaded plugins and their features; finding a feature by one of its names. */
#include "plugin_files.h"
#include "../base/buffer.h"
#include "../base/memory.h"
#include "../base/text.h"
#include "check.h"
#include "elf.h"
#include "files.h"
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum file_state { file_closed = 0, file_loaded, file_refused } file_state;

typedef struct plugin_file {
    char *path;
    file_state state;
    char *reason; /* Why it was refused. */
} plugin_file;

struct plugin_files {
    plugin_file *files;
    size_t file_count;
    plugin_feature **features;
    size_t feature_count;
    sluice_arena *arena; /* The copies of what plugins declare. */
};

plugin_files *plugin_files_new(void)
{
    plugin_files *self = memory_zero(sizeof *self);
    self->arena = sluice_arena_new();
    return self;
}

void plugin_files_free(plugin_files *self)
{
    if (self == NULL) {
        return;
    }
    for (size_t i = 0; i < self->file_count; i++) {
        free(self->files[i].path);
        free(self->files[i].reason);
    }
    free(self->files);
    free(self->features);
    sluice_arena_free(self->arena);
    free(self);
}

void plugin_files_add_file(plugin_files *self, const char *path)
{
    for (size_t i = 0; i < self->file_count; i++) {
        if (strcmp(self->files[i].path, path) == 0) {
            return;
        }
    }
    size_t size = (self->file_count + 1) * sizeof *self->files;
    self->files = memory_resize(self->files, size);
    self->files[self->file_count++] = (plugin_file){.path = memory_text(path)};
}

static void add_file(void *argument, const char *path)
{
    plugin_files_add_file(argument, path);
}

sluice_status plugin_files_add(plugin_files *self, const char *path, sluice_error *err)
{
    return files_list(path, add_file, self, err);
}

sluice_status plugin_files_add_list(plugin_files *self, const char *plugin_path,
                                    sluice_error *err)
{
    size_t count;
    char **paths = text_split(plugin_path, &count);
    sluice_error *fault = sluice_error_new();
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count; i++) {
        if (*paths[i] != '\0' && plugin_files_add(self, paths[i], fault) != SLUICE_OK) {
            status =
                sluice_fail_key(err, "plugin.path", "%s", sluice_error_text(fault));
        }
    }
    sluice_error_free(fault);
    free(paths);
    return status;
}

void plugin_files_add_own(plugin_files *self)
{
    files_list_own(add_file, self);
}

size_t plugin_files_count(const plugin_files *self)
{
    return self->file_count;
}

const char *plugin_files_path(const plugin_files *self, size_t index)
{
    assert(index < self->file_count);
    return self->files[index].path;
}

size_t plugin_files_feature_count(const plugin_files *self)
{
    return self->feature_count;
}

const plugin_feature *plugin_files_feature(const plugin_files *self, size_t index)
{
    assert(index < self->feature_count);
    return self->features[index];
}

/* A copy in which everything behind the first `old_size` bytes is zero. */
static void *widen(sluice_arena *arena, const void *old, size_t old_size, size_t size)
{
    char *copy = sluice_arena_take(arena, size);
    memset(copy, 0, size);
    memcpy(copy, old, old_size < size ? old_size : size);
    *(size_t *)(void *)copy = size; /* `size` leads in all of them. */
    return copy;
}

static size_t ops_size(sluice_kind kind)
{
    switch (kind) {
    case SLUICE_SOURCE:
        return sizeof(sluice_source_ops);
    case SLUICE_SINK:
        return sizeof(sluice_sink_ops);
    case SLUICE_CONVERTER:
        return sizeof(sluice_converter_ops);
    case SLUICE_TRANSFORM:
        return sizeof(sluice_transform_ops);
    case SLUICE_PREDICATE:
        return sizeof(sluice_predicate_ops);
    }
    return 0;
}

static const sluice_config *widen_config(sluice_arena *arena, const sluice_config *old)
{
    static const sluice_key none = {0};
    static const sluice_config empty = {
        .size = sizeof empty, .key_size = sizeof none, .struct_size = 1, .keys = &none};
    return old == NULL ? &empty : widen(arena, old, old->size, sizeof *old);
}

/* The feature in structs of this build's sizes. */
static plugin_feature *adopt(sluice_arena *arena, const sluice_manifest *manifest,
                             const char *path, const sluice_feature *old)
{
    plugin_feature *made = sluice_arena_take(arena, sizeof *made);
    const sluice_feature *is = widen(arena, old, old->size, sizeof *old);
    *made = (plugin_feature){.path = path,
                             .plugin = manifest->name,
                             .version = manifest->version,
                             .license = manifest->license,
                             .is = *is};
    bool has_alias = is->aliases != NULL && is->aliases[0] != NULL;
    made->class_name = has_alias ? is->aliases[0] : is->name;
    made->shown_version = is->stands_for == NULL ? manifest->version : is->stands_for;
    size_t old_size = *(const size_t *)(const void *)is->ops.source;
    made->is.ops.source = widen(arena, is->ops.source, old_size, ops_size(is->kind));
    made->is.config = widen_config(arena, is->config);
    return made;
}

/* Neither a name nor, among connectors or within a kind, an alias may be there twice.
 */
static const char *common_name(const plugin_feature *one, const plugin_feature *other)
{
    if (strcmp(one->is.name, other->is.name) == 0) {
        return one->is.name;
    }
    unsigned kinds = PLUGIN_KIND(one->is.kind) | PLUGIN_KIND(other->is.kind);
    if (one->is.kind != other->is.kind && (kinds & ~PLUGIN_CONNECTORS) != 0) {
        return NULL;
    }
    const char *const *ours = one->is.aliases, *const *theirs = other->is.aliases;
    for (size_t i = 0; ours != NULL && ours[i] != NULL; i++) {
        for (size_t j = 0; theirs != NULL && theirs[j] != NULL; j++) {
            if (strcmp(ours[i], theirs[j]) == 0) {
                return ours[i];
            }
        }
    }
    return NULL;
}

static sluice_status check_unique(const plugin_files *self, const plugin_feature *added,
                                  sluice_error *err)
{
    for (size_t i = 0; i < self->feature_count; i++) {
        const char *name = common_name(added, self->features[i]);
        if (name != NULL) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "'%s' offers '%s', which is already in '%s'",
                               added->path, name, self->features[i]->path);
        }
    }
    return SLUICE_OK;
}

static sluice_status add_feature(plugin_files *self, const sluice_manifest *manifest,
                                 const char *path, const sluice_feature *old,
                                 sluice_error *err)
{
    sluice_status status = check_sizes(old, path, err);
    if (status != SLUICE_OK) {
        return status;
    }
    plugin_feature *added = adopt(self->arena, manifest, path, old);
    status = check_feature(&added->is, path, err);
    if (status == SLUICE_OK) {
        status = check_unique(self, added, err);
    }
    if (status == SLUICE_OK) {
        size_t size = (self->feature_count + 1) * sizeof(plugin_feature *);
        self->features = memory_resize(self->features, size);
        self->features[self->feature_count++] = added;
    }
    return status;
}

/* All features of a manifest, or none. */
static sluice_status adopt_manifest(plugin_files *self, const sluice_manifest *manifest,
                                    const char *path, sluice_error *err)
{
    size_t before = self->feature_count;
    sluice_status status = check_manifest(manifest, path, err);
    for (size_t i = 0; status == SLUICE_OK && manifest->features[i] != NULL; i++) {
        status = add_feature(self, manifest, path, manifest->features[i], err);
    }
    if (status != SLUICE_OK) {
        self->feature_count = before;
    }
    return status;
}

/* dlerror() begins with the path, which our sentence has already. */
static const char *open_fault(const char *path)
{
    const char *text = dlerror();
    size_t len = strlen(path);
    if (text == NULL) {
        return "unknown reason";
    }
    bool repeated = strncmp(text, path, len) == 0 && strncmp(text + len, ": ", 2) == 0;
    return repeated ? text + len + 2 : text;
}

static sluice_status open_file(plugin_files *self, const char *path, sluice_error *err)
{
    char *real =
        realpath(path, NULL); /* A path with a '/', so that no search happens. */
    if (real == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' cannot be loaded: %s", path,
                           strerror(errno));
    }
    sluice_status status = elf_check(path, err);
    void *handle = status == SLUICE_OK ? dlopen(real, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (status == SLUICE_OK && handle == NULL) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' cannot be loaded: %s", path,
                             open_fault(real));
    } else if (status == SLUICE_OK) {
        const sluice_manifest *manifest = dlsym(handle, "sluice_plugin_manifest");
        status = manifest != NULL
                     ? adopt_manifest(self, manifest, path, err)
                     : sluice_fail(err, SLUICE_BAD_CONFIG,
                                   "'%s' is not a plugin: it has no symbol "
                                   "sluice_plugin_manifest",
                                   path);
    }
    free(real);
    return status;
}

sluice_status plugin_files_load(plugin_files *self, size_t index, sluice_error *err)
{
    assert(index < self->file_count);
    plugin_file *file = &self->files[index];
    if (file->state == file_closed) {
        sluice_error *fault = sluice_error_new();
        sluice_status status = open_file(self, file->path, fault);
        file->state = status == SLUICE_OK ? file_loaded : file_refused;
        file->reason = memory_text(sluice_error_text(fault));
        sluice_error_free(fault);
    }
    if (file->state == file_refused) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "%s", file->reason);
    }
    return SLUICE_OK;
}

const char *feature_kind_name(sluice_kind kind)
{
    switch (kind) {
    case SLUICE_SOURCE:
        return "source";
    case SLUICE_SINK:
        return "sink";
    case SLUICE_CONVERTER:
        return "converter";
    case SLUICE_TRANSFORM:
        return "transformation";
    case SLUICE_PREDICATE:
        return "predicate";
    }
    return "unknown";
}

static bool is_without_suffix(const char *simple, const char *name, const char *suffix)
{
    size_t len = strlen(name);
    return strncmp(simple, name, len) == 0 && strcmp(simple + len, suffix) == 0;
}

/* Kafka's short names: a nested class (Cast$Key) has none. */
static bool is_short_name(const char *alias, const char *name)
{
    static const char *const suffixes[] = {
        "", "Connector", "HeaderConverter", "Converter", "Transformation", "Predicate"};
    const char *dot = strrchr(alias, '.');
    if (dot == NULL || strchr(dot, '$') != NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (is_without_suffix(dot + 1, name, suffixes[i])) {
            return true;
        }
    }
    return false;
}

static bool is_full_name(const plugin_feature *feature, const char *name)
{
    const char *const *aliases = feature->is.aliases;
    for (size_t i = 0; aliases != NULL && aliases[i] != NULL; i++) {
        if (strcmp(aliases[i], name) == 0) {
            return true;
        }
    }
    return strcmp(feature->is.name, name) == 0;
}

static bool is_any_short_name(const plugin_feature *feature, const char *name)
{
    const char *const *aliases = feature->is.aliases;
    for (size_t i = 0; aliases != NULL && aliases[i] != NULL; i++) {
        if (is_short_name(aliases[i], name)) {
            return true;
        }
    }
    return false;
}

bool plugin_alias_is(const char *alias, const char *name)
{
    return strcmp(alias, name) == 0 || is_short_name(alias, name);
}

bool plugin_is_called(const plugin_feature *feature, const char *name)
{
    return is_full_name(feature, name) || is_any_short_name(feature, name);
}

/* The features of `kinds` called `name`: how many, and the last of them. */
static size_t match(const plugin_files *self, unsigned kinds, const char *name,
                    bool (*is_called)(const plugin_feature *feature, const char *name),
                    const plugin_feature **ret_feature)
{
    size_t count = 0;
    for (size_t i = 0; i < self->feature_count; i++) {
        const plugin_feature *feature = self->features[i];
        if ((kinds & PLUGIN_KIND(feature->is.kind)) != 0 && is_called(feature, name)) {
            *ret_feature = feature;
            count++;
        }
    }
    return count;
}

/* A name and its aliases are constants in the file; what is not there can't match. */
static void load_candidates(plugin_files *self, const char *name)
{
    for (size_t i = 0; i < self->file_count; i++) {
        if (self->files[i].state == file_closed &&
            files_contain(self->files[i].path, name)) {
            plugin_files_load(self, i, NULL);
        }
    }
}

/* Why files that hold the name, and so may have offered it, were refused. */
static void add_refusals(const plugin_files *self, const char *name, buffer *text)
{
    for (size_t i = 0; i < self->file_count; i++) {
        const plugin_file *file = &self->files[i];
        if (file->state == file_refused && files_contain(file->path, name)) {
            buffer_print(text, "; %s", file->reason);
        }
    }
}

/* The names of the wanted kinds that are loaded; the caller's. */
static const char **class_names(const plugin_files *self, unsigned kinds,
                                size_t *ret_count)
{
    const char **names = memory_take((self->feature_count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < self->feature_count; i++) {
        if ((kinds & PLUGIN_KIND(self->features[i]->is.kind)) != 0) {
            names[count++] = self->features[i]->class_name;
        }
    }
    *ret_count = count;
    return names;
}

static sluice_status fail_find(const plugin_files *self, unsigned kinds,
                               const char *name, sluice_error *err)
{
    buffer text = BUFFER_INIT;
    size_t count;
    const char **names = class_names(self, kinds, &count);
    const char *near = text_nearest(name, names, count);
    const char *kind = kinds == PLUGIN_CONNECTORS
                           ? "connector"
                           : feature_kind_name((sluice_kind)__builtin_ctz(kinds));
    add_refusals(self, name, &text);
    if (near != NULL) {
        buffer_print(&text, "; did you mean '%s'?", near);
    }
    sluice_fail(err, SLUICE_BAD_CONFIG, "no plugin offers a %s called '%s'%s", kind,
                name, buffer_text(&text));
    free(names);
    buffer_done(&text);
    return SLUICE_BAD_CONFIG;
}

sluice_status plugin_files_find(plugin_files *self, unsigned kinds, const char *name,
                                const plugin_feature **ret_feature, sluice_error *err)
{
    load_candidates(self, name);
    if (match(self, kinds, name, is_full_name, ret_feature) > 0) {
        return SLUICE_OK;
    }
    const plugin_feature *found = NULL;
    size_t count = match(self, kinds, name, is_any_short_name, &found);
    if (count == 0) {
        return fail_find(self, kinds, name, err);
    }
    if (count > 1) {
        return sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "'%s' means %zu plugins, one of them '%s': use the full name", name, count,
            found->class_name);
    }
    *ret_feature = found;
    return SLUICE_OK;
}
