/* sluice storage: data directories are prepared and told about; kafka-storage. */
#include "base/memory.h"
#include "base/properties.h"
#include "base/text.h"
#include "base/uuid.h"
#include "command.h"
#include "options.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct storage_options {
    const char *config, *cluster_id, *release_version;
    cli_texts features;
    bool ignore_formatted, standalone, no_controllers;
} storage_options;

static const cli_option options[] = {
    {"config", 'c', CLI_TEXT, "FILE", "The broker's server.properties.", 0, 0,
     CLI_AT(const char *, storage_options, config)},
    {"cluster-id", 't', CLI_TEXT, "ID", "With format: the id of the cluster.", 0, 0,
     CLI_AT(const char *, storage_options, cluster_id)},
    {"ignore-formatted", 'g', CLI_FLAG, NULL,
     "With format: what is formatted for this cluster stays as it is.", 0, 0,
     CLI_AT(bool, storage_options, ignore_formatted)},
    {"release-version", 'r', CLI_TEXT, "VERSION", NULL, 0, 0,
     CLI_AT(const char *, storage_options, release_version)},
    {"feature", 'f', CLI_TEXTS, "FEATURE=LEVEL", NULL, 0, 0,
     CLI_AT(cli_texts, storage_options, features)},
    {"standalone", 's', CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, storage_options, standalone)},
    {"no-initial-controllers", 'N', CLI_FLAG, NULL, NULL, 0, 0,
     CLI_AT(bool, storage_options, no_controllers)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice storage random-uuid|format|info [OPTION…]",
    .doc = "Makes an id for a cluster; prepares the data directories of a "
           "server.properties; tells what they are. The broker prepares them by itself "
           "too, at its first start. Called as kafka-storage it is the same.",
    .options = options,
    .examples = "  kafka-storage format -t \"$(kafka-storage random-uuid)\" -c "
                "server.properties\n",
};

/* The directories of log.dirs, or log.dir; the list is the caller's. */
static sluice_status read_dirs(const char *path, properties *file, char ***ret_dirs,
                               size_t *ret_count, sluice_error *err)
{
    sluice_status status = properties_read(file, path, err);
    if (status != SLUICE_OK) {
        return status;
    }
    const char *dirs = properties_get(file, "log.dirs");
    dirs = dirs != NULL ? dirs : properties_get(file, "log.dir");
    if (dirs == NULL) {
        return sluice_fail(err, SLUICE_BAD_CONFIG,
                           "'%s' has no log.dirs: say where the data are", path);
    }
    *ret_dirs = text_split(dirs, ret_count);
    return SLUICE_OK;
}

static char *properties_path(const char *dir)
{
    return memory_print("%s/meta.properties", dir);
}

/* What a directory is: its meta.properties, or NULL where it has none. */
static properties *read_meta(const char *dir)
{
    char *path = properties_path(dir);
    properties *meta = properties_new();
    if (properties_read(meta, path, NULL) != SLUICE_OK) {
        properties_free(meta);
        meta = NULL;
    }
    free(path);
    return meta;
}

static const char *or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void print_list(const char *one, const char *many, char *const *dirs,
                       size_t count)
{
    if (count > 0) {
        printf("%s:\n", count == 1 ? one : many);
        for (size_t i = 0; i < count; i++) {
            printf("  %s\n", dirs[i]);
        }
        printf("\n");
    }
}

static void print_meta(const properties *meta)
{
    static const char *const keys[] = {"cluster.id", "directory.id", "node.id",
                                       "version"};
    const char *before = "";
    printf("Found metadata: {");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (properties_get(meta, keys[i]) != NULL) {
            printf("%s%s=%s", before, keys[i], properties_get(meta, keys[i]));
            before = ", ";
        }
    }
    printf("}\n\n");
}

/* Returns whether there is no problem. */
static bool show_info(char **dirs, size_t count)
{
    char **found = memory_zero((count + 1) * sizeof *found);
    char **problems = memory_zero((count + 1) * sizeof *problems);
    size_t found_count = 0, problem_count = 0;
    properties *first = NULL;
    for (size_t i = 0; i < count; i++) {
        struct stat info;
        if (stat(dirs[i], &info) != 0 || !S_ISDIR(info.st_mode)) {
            problems[problem_count++] = memory_print(
                errno == ENOENT ? "%s does not exist" : "%s is not a directory",
                dirs[i]);
            continue;
        }
        found[found_count++] = dirs[i];
        properties *meta = read_meta(dirs[i]);
        if (meta == NULL) {
            problems[problem_count++] = memory_print("%s is not formatted.", dirs[i]);
        } else if (first == NULL) {
            first = meta;
            continue;
        }
        properties_free(meta);
    }
    print_list("Found log directory", "Found log directories", found, found_count);
    if (first != NULL) {
        print_meta(first);
    }
    print_list("Found problem", "Found problems", problems, problem_count);
    for (size_t i = 0; i < problem_count; i++) {
        free(problems[i]);
    }
    properties_free(first);
    free(found);
    free(problems);
    return problem_count == 0;
}

static sluice_status make_dir(const char *dir, sluice_error *err)
{
    char *path = memory_text(dir);
    sluice_status status = SLUICE_OK;
    for (char *at = path + 1; status == SLUICE_OK; at++) {
        if (*at == '/' || *at == '\0') {
            char end = *at;
            *at = '\0';
            if (mkdir(path, 0777) != 0 && errno != EEXIST) {
                status =
                    sluice_fail(err, SLUICE_FATAL, "'%s': %s", path, strerror(errno));
            }
            *at = end;
            if (end == '\0') {
                break;
            }
        }
    }
    free(path);
    return status;
}

static sluice_status write_meta(const char *dir, const char *cluster_id,
                                const char *node_id, sluice_error *err)
{
    char directory_id[UUID_TEXT_SIZE];
    uuid id = uuid_random();
    uuid_print(&id, directory_id);
    char *path = properties_path(dir);
    FILE *file = fopen(path, "wxe");
    sluice_status status = SLUICE_OK;
    if (file == NULL ||
        fprintf(file, "#\ncluster.id=%s\nversion=1\nnode.id=%s\ndirectory.id=%s\n",
                cluster_id, node_id, directory_id) < 0 ||
        fflush(file) != 0 || fsync(fileno(file)) != 0) {
        status = sluice_fail(err, SLUICE_FATAL, "'%s': %s", path, strerror(errno));
    }
    if (file != NULL) {
        fclose(file);
    }
    free(path);
    return status;
}

/* Formats one directory; one that is formatted must be of this cluster. */
static sluice_status format_dir(const storage_options *given, const char *dir,
                                const char *node_id, sluice_error *err)
{
    properties *meta = read_meta(dir);
    if (meta != NULL) {
        const char *id = or_none(properties_get(meta, "cluster.id"));
        sluice_status status =
            strcmp(id, given->cluster_id) != 0
                ? sluice_fail(err, SLUICE_FATAL,
                              "Invalid cluster.id in: %s/meta.properties. Expected %s, "
                              "but read %s",
                              dir, given->cluster_id, id)
            : given->ignore_formatted
                ? SLUICE_OK
                : sluice_fail(err, SLUICE_FATAL,
                              "Log directory %s is already formatted. Use "
                              "--ignore-formatted to ignore this directory and format "
                              "the others.",
                              dir);
        properties_free(meta);
        return status;
    }
    printf("Formatting data directory %s with metadata.version 4.1-IV1.\n", dir);
    sluice_status status = make_dir(dir, err);
    return status == SLUICE_OK ? write_meta(dir, given->cluster_id, node_id, err)
                               : status;
}

static sluice_status format(const storage_options *given, const properties *file,
                            char **dirs, size_t count, sluice_error *err)
{
    const char *node_id = properties_get(file, "node.id");
    node_id = node_id != NULL ? node_id : properties_get(file, "broker.id");
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = format_dir(given, dirs[i], node_id != NULL ? node_id : "1", err);
    }
    return status;
}

static int run_verb(const storage_options *given, bool formats)
{
    sluice_error *err = sluice_error_new();
    properties *file = properties_new();
    char **dirs = NULL;
    size_t count = 0;
    bool good = true;
    sluice_status status = read_dirs(given->config, file, &dirs, &count, err);
    if (status == SLUICE_OK && formats) {
        status = format(given, file, dirs, count, err);
    } else if (status == SLUICE_OK) {
        good = show_info(dirs, count);
    }
    if (status != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    free(dirs);
    properties_free(file);
    sluice_error_free(err);
    return status == SLUICE_OK && good ? CLI_DONE : CLI_FAILED;
}

static int storage_run(int argc, char **argv)
{
    storage_options given = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &given, &arguments, &exit_status)) {
        return exit_status;
    }
    const char *verb = arguments.count == 1 ? arguments.items[0] : "";
    bool formats = strcmp(verb, "format") == 0;
    if (strcmp(verb, "random-uuid") == 0) {
        char text[UUID_TEXT_SIZE];
        uuid id = uuid_random();
        uuid_print(&id, text);
        printf("%s\n", text);
        exit_status = CLI_DONE;
    } else if (!formats && strcmp(verb, "info") != 0) {
        exit_status = cli_misused(&usage, argv[0],
                                  "one action is to be given: random-uuid, format or "
                                  "info");
    } else if (given.config == NULL) {
        exit_status = cli_misused(&usage, argv[0], "argument --config/-c is required");
    } else if (formats && given.cluster_id == NULL) {
        exit_status =
            cli_misused(&usage, argv[0], "argument --cluster-id/-t is required");
    } else {
        exit_status = run_verb(&given, formats);
    }
    cli_parse_done(&usage, &given, &arguments);
    return exit_status;
}

static const char *const tools[] = {"kafka-storage", NULL};

const cli_command cli_storage = {
    .name = "storage",
    .summary = "prepares data directories, and tells what they are",
    .tools = tools,
    .run = storage_run,
};
