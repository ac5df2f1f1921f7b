/* The plugins of this process, found by a configuration's names. */
#include "worker/host/plugins.h"
#include "base/memory.h"
#include "plugin/catalog.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct plugin_set {
    plugin_files *files;
    pthread_mutex_t lock; /* Finding opens files. */
    json_t *catalog;      /* NULL: not asked for. */
};

plugin_set *plugins_new(const char *path)
{
    plugin_set *self = memory_zero(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->files = plugin_files_new();
    plugin_files_add_own(self->files);
    sluice_error *err = sluice_error_new();
    if (path != NULL && plugin_files_add_list(self->files, path, err) != SLUICE_OK) {
        sluice_log(SLUICE_WARN, "worker.plugins", "plugin.path: %s; going on without",
                   sluice_error_text(err));
    }
    sluice_error_free(err);
    return self;
}

void plugins_free(plugin_set *self)
{
    if (self != NULL) {
        plugin_files_free(self->files);
        json_decref(self->catalog);
        pthread_mutex_destroy(&self->lock);
        free(self);
    }
}

const json_t *plugins_catalog(plugin_set *self)
{
    sluice_error *err = sluice_error_new();
    if (self->catalog == NULL && catalog_scan(self->files, CATALOG_LOAD_MS_MAX,
                                              &self->catalog, err) != SLUICE_OK) {
        sluice_log(SLUICE_ERROR, "worker.plugins", "%s; no plugin is listed",
                   sluice_error_text(err));
        self->catalog = json_pack("{s:[],s:[]}", "plugins", "refused");
    }
    sluice_error_free(err);
    return self->catalog;
}

static const plugin_feature *find(plugin_set *self, unsigned kinds, const char *name,
                                  sluice_error *why)
{
    const plugin_feature *found = NULL;
    pthread_mutex_lock(&self->lock);
    if (plugin_files_find(self->files, kinds, name, &found, why) != SLUICE_OK) {
        found = NULL;
    }
    pthread_mutex_unlock(&self->lock);
    return found;
}

const plugin_feature *plugins_find(plugin_set *self, sluice_kind kind, const char *name)
{
    return find(self, PLUGIN_KIND(kind), name, NULL);
}

sluice_status plugins_find_connector(plugin_set *self, const char *name,
                                     const plugin_feature **ret_feature,
                                     sluice_error *err)
{
    sluice_error *why = sluice_error_new();
    sluice_status status = SLUICE_OK;
    *ret_feature = find(self, PLUGIN_CONNECTORS, name, why);
    if (*ret_feature == NULL) {
        /* The file that has it may have been changed since it was listed. */
        const char *reasons = strchr(sluice_error_text(why), ';');
        status = sluice_fail_key(err, "connector.class",
                                 "Failed to find any class that implements Connector "
                                 "and which name matches %s%s",
                                 name, reasons == NULL ? "" : reasons);
    }
    sluice_error_free(why);
    return status;
}
