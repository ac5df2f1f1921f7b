/* The transformations of a task, in order, with their predicates. */
#include "worker/host/chain.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/* An instance of a plugin with the configuration that it borrows. */
typedef struct part {
    const plugin_feature *plugin;
    void *config;
    void *self;
} part;

typedef struct link {
    part transform;
    part predicate; /* `plugin` NULL: none. */
    bool negate;
} link;

struct chain {
    size_t count;
    link links[];
};

static sluice_status make_transform(const void *config, const plugin_feature *plugin,
                                    void **ret_self, sluice_error *err)
{
    return plugin->is.kind == SLUICE_TRANSFORM
               ? plugin->is.ops.transform->create(config, ret_self, err)
               : plugin->is.ops.predicate->create(config, ret_self, err);
}

/* Makes the part that `props` (without its prefix) describe. */
static sluice_status part_make(part *self, sluice_kind kind, const char *prefix,
                               const sluice_props *props, plugin_set *plugins,
                               sluice_error *err)
{
    const char *type = sluice_props_get(props, "type");
    if (type == NULL) {
        return sluice_fail_key(err, prefix,
                               "Missing required configuration \"%stype\" which has no "
                               "default value.",
                               prefix);
    }
    self->plugin = plugins_find(plugins, kind, type);
    if (self->plugin == NULL) {
        return sluice_fail_key(err, prefix,
                               "Invalid value %s for configuration %stype: Class %s "
                               "could not be found.",
                               type, prefix, type);
    }
    sluice_status status =
        sluice_config_parse(self->plugin->is.config, props, &self->config, err);
    if (status == SLUICE_OK) {
        status = make_transform(self->config, self->plugin, &self->self, err);
    }
    if (status != SLUICE_OK) {
        sluice_prefix(err, "%.*s", (int)strlen(prefix) - 1, prefix);
    }
    return status;
}

static void part_done(part *self)
{
    if (self->self != NULL) {
        if (self->plugin->is.kind == SLUICE_TRANSFORM) {
            self->plugin->is.ops.transform->destroy(self->self);
        } else {
            self->plugin->is.ops.predicate->destroy(self->self);
        }
    }
    if (self->config != NULL) {
        sluice_config_free(self->plugin->is.config, self->config);
    }
}

static sluice_status make_predicate(link *self, const sluice_props *config,
                                    const common_config *common, const char *alias,
                                    const char *prefix, plugin_set *plugins,
                                    sluice_error *err)
{
    for (size_t i = 0; i < common->predicates.count; i++) {
        if (strcmp(common->predicates.items[i], alias) == 0) {
            char *below = memory_print("predicates.%s.", alias);
            sluice_props *props = props_below(config, below);
            sluice_status status = part_make(&self->predicate, SLUICE_PREDICATE, below,
                                             props, plugins, err);
            sluice_props_free(props);
            free(below);
            return status;
        }
    }
    return sluice_fail_key(err, prefix,
                           "Invalid value %s for configuration %spredicate: there is "
                           "no such alias in 'predicates'",
                           alias, prefix);
}

static sluice_status link_make(link *self, const sluice_props *config,
                               const common_config *common, const char *alias,
                               plugin_set *plugins, sluice_error *err)
{
    char *prefix = memory_print("transforms.%s.", alias);
    sluice_props *props = props_below(config, prefix);
    void *parsed = NULL;
    sluice_status status =
        sluice_config_parse(&transform_common_table, props, &parsed, err);
    if (status == SLUICE_OK) {
        status =
            part_make(&self->transform, SLUICE_TRANSFORM, prefix, props, plugins, err);
    }
    if (status == SLUICE_OK) {
        const transform_common *keys = parsed;
        self->negate = keys->negate;
        if (keys->predicate != NULL) {
            status = make_predicate(self, config, common, keys->predicate, prefix,
                                    plugins, err);
        }
    }
    if (parsed != NULL) {
        sluice_config_free(&transform_common_table, parsed);
    }
    sluice_props_free(props);
    free(prefix);
    return status;
}

sluice_status chain_new(const sluice_props *config, const common_config *common,
                        plugin_set *plugins, chain **ret_chain, sluice_error *err)
{
    size_t count = common->transforms.count;
    chain *self = memory_zero(sizeof *self + count * sizeof(link));
    for (self->count = 0; self->count < count; self->count++) {
        sluice_status status =
            link_make(&self->links[self->count], config, common,
                      common->transforms.items[self->count], plugins, err);
        if (status != SLUICE_OK) {
            self->count++; /* What is half made is taken apart too. */
            chain_free(self);
            return status;
        }
    }
    *ret_chain = self;
    return SLUICE_OK;
}

void chain_free(chain *self)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        part_done(&self->links[i].transform);
        part_done(&self->links[i].predicate);
    }
    free(self);
}

size_t chain_count(const chain *self)
{
    return self->count;
}

static sluice_status ask(const link *self, error_policy *errors,
                         const sluice_record *record, bool *ret_match,
                         sluice_error *err)
{
    error_attempts attempts = {0};
    sluice_status status;
    do {
        *ret_match = false;
        status = self->predicate.plugin->is.ops.predicate->test(self->predicate.self,
                                                                record, ret_match, err);
    } while (status == SLUICE_RETRY && errors_try_again(errors, &attempts));
    return status;
}

static sluice_status apply_one(const link *self, error_policy *errors,
                               sluice_record *record, bool *ret_keep, sluice_error *err)
{
    if (self->predicate.plugin != NULL) {
        bool match;
        sluice_status status = ask(self, errors, record, &match, err);
        if (status != SLUICE_OK || match == self->negate) {
            return status;
        }
    }
    error_attempts attempts = {0};
    sluice_status status;
    do {
        *ret_keep = true;
        status = self->transform.plugin->is.ops.transform->apply(self->transform.self,
                                                                 record, ret_keep, err);
    } while (status == SLUICE_RETRY && errors_try_again(errors, &attempts));
    return status;
}

sluice_status chain_apply(chain *self, error_policy *errors, sluice_record *record,
                          bool *ret_keep, sluice_error *err)
{
    *ret_keep = true;
    for (size_t i = 0; i < self->count && *ret_keep; i++) {
        sluice_status status =
            apply_one(&self->links[i], errors, record, ret_keep, err);
        if (status != SLUICE_OK) {
            *ret_keep = false;
            return errors_judge(errors, STAGE_TRANSFORMATION,
                                self->links[i].transform.plugin->class_name, record,
                                err);
        }
    }
    return SLUICE_OK;
}
