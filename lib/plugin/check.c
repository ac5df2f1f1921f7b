/* Judging a manifest, its features and their keys: the first fault, in a sentence. */
#include "check.h"
#include "../config/key.h"
#include <inttypes.h>
#include <string.h>

static sluice_status fail_abi(const sluice_manifest *manifest, const char *path,
                              const char *advice, sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "'%s' was built for plugin ABI %u.%u, this worker has %d.%d: %s",
                       path, manifest->abi_major, manifest->abi_minor, SLUICE_ABI_MAJOR,
                       SLUICE_ABI_MINOR, advice);
}

sluice_status check_manifest(const sluice_manifest *manifest, const char *path,
                             sluice_error *err)
{
    size_t least = offsetof(sluice_manifest, features) + sizeof manifest->features;
    if (manifest->magic != SLUICE_MAGIC) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' is not a plugin: its manifest begins with 0x%08" PRIx32
                           ", not with 0x%08" PRIx32,
                           path, manifest->magic, SLUICE_MAGIC);
    }
    if (manifest->abi_major != SLUICE_ABI_MAJOR) {
        return fail_abi(manifest, path, "use the matching worker, or rebuild it", err);
    }
    if (manifest->abi_minor > SLUICE_ABI_MINOR) {
        return fail_abi(manifest, path, "rebuild it, or upgrade the worker", err);
    }
    if (manifest->size < least) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' has a manifest of %zu bytes: at least %zu are needed",
                           path, manifest->size, least);
    }
    if (manifest->name == NULL || manifest->version == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' has a manifest without a name or a version", path);
    }
    if (manifest->features == NULL || manifest->features[0] == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s' offers nothing: no features",
                           path);
    }
    return SLUICE_OK;
}

/* What the first version of each operations struct had; `size` leads them all. */
static size_t ops_least(sluice_kind kind)
{
    switch (kind) {
    case SLUICE_SOURCE:
        return offsetof(sluice_source_ops, committed);
    case SLUICE_SINK:
        return offsetof(sluice_sink_ops, open);
    case SLUICE_CONVERTER:
        return sizeof(sluice_converter_ops);
    case SLUICE_TRANSFORM:
        return sizeof(sluice_transform_ops);
    case SLUICE_PREDICATE:
        return sizeof(sluice_predicate_ops);
    }
    return 0;
}

static sluice_status fail_feature(const sluice_feature *feature, const char *path,
                                  const char *reason, sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s': feature '%s' %s", path,
                       feature->name == NULL ? "" : feature->name, reason);
}

sluice_status check_sizes(const sluice_feature *feature, const char *path,
                          sluice_error *err)
{
    if (feature->size < offsetof(sluice_feature, ops) + sizeof feature->ops) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' has a feature of %zu bytes: at least %zu are needed",
                           path, feature->size, sizeof *feature);
    }
    if (ops_least(feature->kind) == 0) {
        return fail_feature(feature, path, "is of no known kind", err);
    }
    const size_t *ops_size = (const size_t *)(const void *)feature->ops.source;
    if (ops_size == NULL || *ops_size < ops_least(feature->kind)) {
        return fail_feature(feature, path, "has no operations, or too few", err);
    }
    const sluice_config *config = feature->config;
    size_t config_least = offsetof(sluice_config, keys) + sizeof config->keys;
    size_t key_least = offsetof(sluice_key, offset) + sizeof config->keys->offset;
    if (config != NULL &&
        (config->size < config_least || config->key_size < key_least ||
         config->key_size % _Alignof(sluice_key) != 0)) {
        return fail_feature(feature, path,
                            "has a table of keys whose sizes are not set right", err);
    }
    return SLUICE_OK;
}

static const char *missing_of_source(const sluice_source_ops *ops)
{
    return ops->create == NULL    ? "create"
           : ops->destroy == NULL ? "destroy"
           : ops->poll == NULL    ? "poll"
                                  : NULL;
}

static const char *missing_of_sink(const sluice_sink_ops *ops)
{
    return ops->create == NULL    ? "create"
           : ops->destroy == NULL ? "destroy"
           : ops->put == NULL     ? "put"
           : ops->flush == NULL   ? "flush"
                                  : NULL;
}

static const char *missing_of_converter(const sluice_converter_ops *ops)
{
    return ops->create == NULL    ? "create"
           : ops->destroy == NULL ? "destroy"
           : ops->encode == NULL  ? "encode"
           : ops->decode == NULL  ? "decode"
                                  : NULL;
}

static const char *missing_of_transform(const sluice_transform_ops *ops)
{
    return ops->create == NULL    ? "create"
           : ops->destroy == NULL ? "destroy"
           : ops->apply == NULL   ? "apply"
                                  : NULL;
}

static const char *missing_of_predicate(const sluice_predicate_ops *ops)
{
    return ops->create == NULL    ? "create"
           : ops->destroy == NULL ? "destroy"
           : ops->test == NULL    ? "test"
                                  : NULL;
}

/* The first operation that must be there and is not, or NULL. */
static const char *missing_operation(const sluice_feature *feature)
{
    switch (feature->kind) {
    case SLUICE_SOURCE:
        return missing_of_source(feature->ops.source);
    case SLUICE_SINK:
        return missing_of_sink(feature->ops.sink);
    case SLUICE_CONVERTER:
        return missing_of_converter(feature->ops.converter);
    case SLUICE_TRANSFORM:
        return missing_of_transform(feature->ops.transform);
    case SLUICE_PREDICATE:
        return missing_of_predicate(feature->ops.predicate);
    }
    return "everything";
}

static bool is_empty(const char *text)
{
    return text == NULL || *text == '\0';
}

/* A key and where it stands, for the checks below. */
typedef struct seat {
    const sluice_feature *feature;
    const char *path;
    sluice_key key;
} seat;

static sluice_status fail_seat(const seat *at, const char *reason, sluice_error *err)
{
    return sluice_fail(err, SLUICE_BAD_CONFIG, "'%s': key '%s' of '%s' %s", at->path,
                       at->key.name, at->feature->name, reason);
}

static sluice_status check_default(const seat *at, sluice_error *err)
{
    const char *text = key_default(&at->key);
    if (text == NULL) {
        bool null_choice = at->key.fallback != NULL && at->key.type == SLUICE_ENUM;
        return null_choice ? fail_seat(at, "is an enumeration: it can't be null", err)
                           : SLUICE_OK;
    }
    sluice_arena *arena = sluice_arena_new();
    sluice_error *fault = sluice_error_new();
    sluice_list value; /* The largest field of those that have a default. */
    sluice_status status = key_parse(&at->key, text, arena, &value, fault);
    if (status != SLUICE_OK) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "'%s': key '%s' of '%s' has a bad default: %s", at->path,
                             at->key.name, at->feature->name, sluice_error_text(fault));
    }
    sluice_error_free(fault);
    sluice_arena_free(arena);
    return status;
}

static sluice_status check_place(const seat *at, sluice_error *err)
{
    size_t size = key_field_size(at->key.type);
    size_t struct_size = at->feature->config->struct_size;
    size_t alignment = size > 8 ? 8 : size;
    if (size == 0) {
        return fail_seat(at, "is of no known type", err);
    }
    if (at->key.offset > struct_size || size > struct_size - at->key.offset ||
        at->key.offset % alignment != 0) {
        return fail_seat(at, "does not lie within its struct", err);
    }
    return SLUICE_OK;
}

static sluice_status check_key(const seat *at, sluice_error *err)
{
    const sluice_key *key = &at->key;
    if (*key->name == '\0') {
        return fail_seat(at, "has no name", err);
    }
    if (key->unused != NULL) {
        return SLUICE_OK;
    }
    if (is_empty(key->doc)) {
        return fail_seat(at, "has no doc", err);
    }
    if (key->type == SLUICE_ENUM && (key->choices == NULL || key->choices[0] == NULL)) {
        return fail_seat(at, "is an enumeration without choices", err);
    }
    if (key->type == SLUICE_FAMILY &&
        (key->fallback == NULL || strcmp(key->fallback, SLUICE_NULL) != 0)) {
        return fail_seat(at, "is a family: its default must be SLUICE_NULL", err);
    }
    if (key->max != 0 && key->min > key->max) {
        return fail_seat(at, "allows nothing: its min is above its max", err);
    }
    sluice_status status = check_place(at, err);
    return status == SLUICE_OK ? check_default(at, err) : status;
}

static sluice_status check_keys(const sluice_feature *feature, const char *path,
                                sluice_error *err)
{
    seat at = {feature, path, {0}};
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; status == SLUICE_OK && config_key(feature->config, i, &at.key);
         i++) {
        sluice_key first = at.key;
        for (size_t j = 0; j < i; j++) {
            config_key(feature->config, j, &first);
            if (strcmp(first.name, at.key.name) == 0) {
                return fail_seat(&at, "is there twice", err);
            }
        }
        status = check_key(&at, err);
    }
    return status;
}

static bool is_name(const char *name)
{
    return !is_empty(name) &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

sluice_status check_feature(const sluice_feature *feature, const char *path,
                            sluice_error *err)
{
    const char *missing = missing_operation(feature);
    if (!is_name(feature->name)) {
        return fail_feature(feature, path,
                            "has a bad name: lower-case letters, digits and dashes are "
                            "allowed",
                            err);
    }
    if (is_empty(feature->summary)) {
        return fail_feature(feature, path, "has no summary", err);
    }
    if (missing != NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s': feature '%s' lacks the operation '%s'", path,
                           feature->name, missing);
    }
    return check_keys(feature, path, err);
}
