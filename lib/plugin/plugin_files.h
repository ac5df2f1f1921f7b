/* lib/plugin/plugin_files.h - loading plugins: the files, what is in them, who is
 * meant.
 *
 * Loading runs foreign code (constructors), so it is done in a connector host, or in a
 * child process: catalog.h. A file is opened once and never closed. What it offers is
 * checked whole before anybody sees it, and copied into structs of this build's size:
 * a member that an older plugin did not have is NULL, and never read from its memory.
 *
 * Threads: belongs to one thread at a time. Memory: all results are borrowed for as
 * long as the `plugin_files`; what a plugin's own constants hold, for ever. */
#ifndef SLUICE_PLUGIN_PLUGIN_FILES_H
#define SLUICE_PLUGIN_PLUGIN_FILES_H

#include <sluice/plugin.h>

typedef struct plugin_files plugin_files;

/* Something that a plugin offers. */
typedef struct plugin_feature {
    const char *path;                       /* The file. */
    const char *plugin, *version, *license; /* Of its plugin; the last may be NULL. */
    const char *stands_for; /* The version that REST shows; without one, `version`. */
    const char *class_name; /* What REST shows: the first alias, or the name. */
    const char *shown_version; /* And as its version: what it stands for, or its own. */
    sluice_feature is;         /* `config` is never NULL; `doc` may be. */
} plugin_feature;

plugin_files *plugin_files_new(void);
void plugin_files_free(plugin_files *self); /* NULL is accepted. Closes no file. */

/* Adds the files of `path`: itself, or, of a folder, every *.so in it and in the
 * folders right below, sorted by name. Nothing is loaded. A file that is there already
 * is not added again. BAD_CONFIG where it cannot be read. */
sluice_status plugin_files_add(plugin_files *self, const char *path, sluice_error *err);

/* Adds `path` as it is, whatever it is and though it may not be there. */
void plugin_files_add_file(plugin_files *self, const char *path);

/* Adds each entry of a list between commas, as `plugin.path` is. What cannot be read is
 * skipped; a message for each is in `err`, and BAD_CONFIG returned. */
sluice_status plugin_files_add_list(plugin_files *self, const char *plugin_path,
                                    sluice_error *err);

/* Adds what belongs to this very program, found from where it lies: in a build tree the
 * folders connectors, converters and transforms beside it; installed, the plugin folder
 * below `prefix/libdir`. A folder that is not there is skipped. */
void plugin_files_add_own(plugin_files *self);

size_t plugin_files_count(const plugin_files *self);
const char *plugin_files_path(const plugin_files *self, size_t index);

/* Loads file `index`, unless it is loaded. BAD_CONFIG with a sentence that names the
 * file and the reason, the same one at each further call. */
sluice_status plugin_files_load(plugin_files *self, size_t index, sluice_error *err);

/* The features of all files that are loaded. */
size_t plugin_files_feature_count(const plugin_files *self);
const plugin_feature *plugin_files_feature(const plugin_files *self, size_t index);

/* A set of kinds: PLUGIN_KIND(SLUICE_SOURCE) | PLUGIN_KIND(SLUICE_SINK). */
#define PLUGIN_KIND(kind) (1U << (kind))
#define PLUGIN_CONNECTORS (PLUGIN_KIND(SLUICE_SOURCE) | PLUGIN_KIND(SLUICE_SINK))

/* The feature of one of `kinds` that is called `name`: its own name ("file-source"), a
 * Java class name, the simple name of one, or that without "Connector", "Converter",
 * "HeaderConverter", "Transformation" or "Predicate". Opens only files in which the
 * name can be; other files stay closed. BAD_CONFIG where there is none, with the
 * reasons why files that hold the name were refused and the nearest name that is
 * loaded; or where a short name means several. */
sluice_status plugin_files_find(plugin_files *self, unsigned kinds, const char *name,
                                const plugin_feature **ret_feature, sluice_error *err);

/* Whether one of the feature's names is `name`, by the same rule. */
bool plugin_is_called(const plugin_feature *feature, const char *name);

/* Whether `name` is `alias`, a Java class name, or a short form of it. */
bool plugin_alias_is(const char *alias, const char *name);

/* "source", "sink", "converter", "transformation" or "predicate". */
const char *feature_kind_name(sluice_kind kind);

#endif
