/* lib/plugin/files.h - where plugin files lie. Threads: any. */
#ifndef SLUICE_PLUGIN_FILES_H
#define SLUICE_PLUGIN_FILES_H

#include <sluice/error.h>

typedef void (*files_visit)(void *argument, const char *path);

/* Visits `path`, or, of a folder, each *.so in it and in the folders right below,
 * sorted. BAD_CONFIG where it cannot be read. */
sluice_status files_list(const char *path, files_visit visit, void *argument,
                         sluice_error *err);

/* Visits the plugins that belong to this program: beside it in a build tree, else in
 * the plugin folder that was installed with it, wherever the tree was moved to. */
void files_list_own(files_visit visit, void *argument);

/* Whether the bytes of `text` are anywhere in the file. */
bool files_contain(const char *path, const char *text);

#endif
