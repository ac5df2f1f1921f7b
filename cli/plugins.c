/* sluice plugins: lists what connectors, converters and transforms there are, and shows
 * the page of one, made from the table that also parses its configuration. */
#include "base/memory.h"
#include "base/text.h"
#include "command.h"
#include "markdown.h"
#include "options.h"
#include "plugin/catalog.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct plugins_options {
    const char *plugin_path;
    bool json, markdown;
} plugins_options;

static const cli_option options[] = {
    {"plugin-path", 0, CLI_TEXT, "PATH,…",
     "More files and folders to look in, as plugin.path of a worker.", 0, 0,
     CLI_AT(const char *, plugins_options, plugin_path)},
    {"json", 0, CLI_FLAG, NULL, "Prints JSON.", 0, 0,
     CLI_AT(bool, plugins_options, json)},
    {"markdown", 0, CLI_FLAG, NULL, "Prints Markdown, as in docs/plugins/.", 0, 0,
     CLI_AT(bool, plugins_options, markdown)},
    {.name = NULL},
};

static const cli_usage usage = {
    .synopsis = "sluice plugins [list|show NAME] [OPTION…]",
    .doc =
        "Lists the plugins, or shows what one does and which keys it has. NAME is its "
        "own name, its Java class, or a short form of that. A plugin that cannot be "
        "used is named on standard error with the reason.",
    .options = options,
    .examples = "  sluice plugins\n"
                "  sluice plugins show file-source\n"
                "  sluice plugins show FileStreamSink --json\n",
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    printf("\n");
}

static void print_refused(const json_t *catalog)
{
    size_t index;
    json_t *refused;
    json_array_foreach(json_object_get(catalog, "refused"), index, refused)
    {
        fprintf(stderr, "refused: %s\n", text_of(refused, "reason"));
    }
}

/* Sinks, sources, transformations, predicates, converters: as REST lists them. */
static int rank(const json_t *feature)
{
    static const char *const kinds[] = {"sink", "source", "transformation", "predicate",
                                        "converter"};
    int at = 0;
    while (at < 5 && strcmp(kinds[at], text_of(feature, "kind")) != 0) {
        at++;
    }
    return at;
}

static int compare(const void *one, const void *other)
{
    const json_t *a = *(const json_t *const *)one, *b = *(const json_t *const *)other;
    int order = rank(a) - rank(b);
    return order != 0 ? order : strcmp(text_of(a, "name"), text_of(b, "name"));
}

static json_t **sorted(const json_t *features)
{
    size_t count = json_array_size(features);
    json_t **list = memory_take((count + 1) * sizeof(json_t *));
    for (size_t i = 0; i < count; i++) {
        list[i] = json_array_get(features, i);
    }
    qsort(list, count, sizeof *list, compare);
    return list;
}

static int widest(const json_t *features, const char *key)
{
    size_t index, width = strlen(key);
    json_t *feature;
    json_array_foreach(features, index, feature)
    {
        size_t len = strlen(text_of(feature, key));
        width = len > width ? len : width;
    }
    return (int)width;
}

static int list_table(const json_t *catalog)
{
    const json_t *features = json_object_get(catalog, "plugins");
    int kind = widest(features, "kind"), name = widest(features, "name");
    int version = widest(features, "version"), class = widest(features, "class");
    json_t **listed = sorted(features);
    printf("%-*s  %-*s  %-*s  %-*s  %s\n", kind, "KIND", name, "NAME", version,
           "VERSION", class, "CLASS", "SUMMARY");
    for (size_t i = 0; i < json_array_size(features); i++) {
        printf("%-*s  %-*s  %-*s  %-*s  %s\n", kind, text_of(listed[i], "kind"), name,
               text_of(listed[i], "name"), version, text_of(listed[i], "version"),
               class, text_of(listed[i], "class"), text_of(listed[i], "summary"));
    }
    free(listed);
    print_refused(catalog);
    return CLI_DONE;
}

static int list(const json_t *catalog, const plugins_options *chosen)
{
    const json_t *features = json_object_get(catalog, "plugins");
    if (chosen->json) {
        print_json(catalog);
        return CLI_DONE;
    }
    if (!chosen->markdown) {
        return list_table(catalog);
    }
    json_t **listed = sorted(features);
    markdown_index(listed, json_array_size(features));
    free(listed);
    print_refused(catalog);
    return CLI_DONE;
}

/* Prints `text` in lines of at most 80 columns behind four spaces. */
static void print_paragraph(const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int len = (int)strcspn(text, " \n");
        if (column > 0 && column + 1 + len > 80) {
            printf("\n");
            column = 0;
        }
        column += printf("%s%.*s", column == 0 ? "    " : " ", len, text);
        text += len;
        if (*text == '\n') {
            printf("\n");
            column = 0;
        }
        text += *text != '\0';
    }
    printf("\n");
}

static void print_key(const json_t *feature, const json_t *key)
{
    const char *name = text_of(key, "name");
    const char *allowed = text_of(json_object_get(feature, "allowed"), name);
    const char *instead = text_of(json_object_get(feature, "deprecated"), name);
    const json_t *fallback = json_object_get(key, "default_value");
    printf("\n  %s  %s", name, text_of(key, "type"));
    if (json_is_true(json_object_get(key, "required"))) {
        printf(", required");
    } else if (json_is_string(fallback)) {
        printf(", default \"%s\"", json_string_value(fallback));
    } else {
        printf(", optional");
    }
    printf("%s%s%s", *allowed == '\0' ? "" : " (", allowed,
           *allowed == '\0' ? "" : ")");
    printf(", importance %s\n", text_of(key, "importance"));
    if (*instead != '\0') {
        printf("    Deprecated: use '%s' instead.\n", instead);
    }
    print_paragraph(text_of(key, "documentation"));
}

/* Keys as an author ordered them, with a line where the group changes. */
static void print_keys(const json_t *feature)
{
    const char *group = "";
    size_t index;
    json_t *key;
    json_array_foreach(json_object_get(feature, "keys"), index, key)
    {
        if (strcmp(text_of(key, "group"), group) != 0) {
            group = text_of(key, "group");
            printf("\n%s\n", group);
        }
        print_key(feature, key);
    }
}

static void print_unused(const json_t *feature)
{
    const char *name;
    json_t *why;
    json_t *unused = json_object_get(feature, "unused");
    if (json_object_size(unused) > 0) {
        printf("\nAccepted, and without effect here\n\n");
    }
    json_object_foreach(unused, name, why)
    {
        printf("  %s: %s\n", name, json_string_value(why));
    }
}

static void print_feature(const json_t *feature)
{
    printf("%s %s: %s\n\n", text_of(feature, "kind"), text_of(feature, "name"),
           text_of(feature, "summary"));
    size_t index;
    json_t *alias;
    json_array_foreach(json_object_get(feature, "aliases"), index, alias)
    {
        printf("class    %s\n", json_string_value(alias));
    }
    const char *version = text_of(feature, "version");
    const char *shown = text_of(feature, "shown_version");
    printf("version  %s", version);
    if (strcmp(shown, version) != 0) {
        printf(", stands for %s", shown);
    }
    printf("\nfile     %s\n", text_of(feature, "path"));
    if (*text_of(feature, "doc") != '\0') {
        printf("\n%s\n", text_of(feature, "doc"));
    }
    print_keys(feature);
    print_unused(feature);
}

/* Its own name and its aliases, borrowed. Returns how many there are now. */
static size_t add_names(const json_t *feature, const char **names, size_t count)
{
    size_t index;
    json_t *alias;
    names[count++] = text_of(feature, "name");
    json_array_foreach(json_object_get(feature, "aliases"), index, alias)
    {
        names[count++] = json_string_value(alias);
    }
    return count;
}

/* Names the nearest plugin, and those that were refused: it may be among them. */
static int fail_unknown(const json_t *catalog, const char *name)
{
    const json_t *features = json_object_get(catalog, "plugins");
    size_t count = 0, room = 0, index;
    json_t *feature;
    json_array_foreach(features, index, feature)
    {
        room += 1 + json_array_size(json_object_get(feature, "aliases"));
    }
    const char **names = memory_take((room + 1) * sizeof *names);
    json_array_foreach(features, index, feature)
    {
        count = add_names(feature, names, count);
    }
    const char *near = text_nearest(name, names, count);
    print_refused(catalog);
    fprintf(stderr, "no plugin is called '%s': ", name);
    if (near != NULL) {
        fprintf(stderr, "did you mean '%s'?\n", near);
    } else {
        fprintf(stderr, "sluice plugins lists those there are\n");
    }
    free(names);
    return CLI_FAILED;
}

static int show(const json_t *catalog, const char *name, const plugins_options *chosen)
{
    size_t at = 0, count = 0;
    for (const json_t *feature; (feature = catalog_find(catalog, name, &at)) != NULL;) {
        printf("%s", count == 0 || chosen->json ? "" : "\n");
        if (chosen->json) {
            print_json(feature);
        } else if (chosen->markdown) {
            markdown_feature(feature);
        } else {
            print_feature(feature);
        }
        count++;
    }
    return count > 0 ? CLI_DONE : fail_unknown(catalog, name);
}

/* Finds all plugins; NULL, with a line on standard error, if that is not possible. */
static json_t *find_all(const plugins_options *chosen)
{
    plugin_files *files = plugin_files_new();
    sluice_error *err = sluice_error_new();
    json_t *catalog = NULL;
    plugin_files_add_own(files);
    if (chosen->plugin_path != NULL &&
        plugin_files_add_list(files, chosen->plugin_path, err) != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    if (catalog_scan(files, CATALOG_LOAD_MS_MAX, &catalog, err) != SLUICE_OK) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    sluice_error_free(err);
    plugin_files_free(files);
    return catalog;
}

static int misused(void)
{
    fprintf(stderr, "usage: %s\nsluice plugins --help tells more\n", usage.synopsis);
    return CLI_MISUSED;
}

static int run_with(const plugins_options *chosen, const cli_texts *arguments)
{
    const char *verb = arguments->count > 0 ? arguments->items[0] : "list";
    bool is_show = strcmp(verb, "show") == 0 && arguments->count == 2;
    bool is_list = strcmp(verb, "list") == 0 && arguments->count <= 1;
    if (!is_show && !is_list) {
        return misused();
    }
    json_t *catalog = find_all(chosen);
    if (catalog == NULL) {
        return CLI_FAILED;
    }
    int exit_status =
        is_show ? show(catalog, arguments->items[1], chosen) : list(catalog, chosen);
    json_decref(catalog);
    return exit_status;
}

static int run(int argc, char **argv)
{
    plugins_options chosen = {0};
    cli_texts arguments;
    int exit_status;
    if (!cli_begin(&usage, argc, argv, &chosen, &arguments, &exit_status)) {
        return exit_status;
    }
    exit_status = run_with(&chosen, &arguments);
    cli_parse_done(&usage, &chosen, &arguments);
    return exit_status;
}

const cli_command cli_plugins = {
    .name = "plugins",
    .summary = "lists connectors, converters and transforms, and shows their keys",
    .run = run,
};
