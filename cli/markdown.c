/* Pages of the manual, made from tables of keys. */
#include "markdown.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* Text, its paragraphs as they are; what would be markup is escaped, but in `code`. */
static void put_text(const char *text)
{
    bool code = false;
    for (; *text != '\0'; text++) {
        code = (*text == '`') != code;
        if (!code && strchr("*_<\\|", *text) != NULL) {
            putchar('\\');
        }
        putchar(*text);
    }
}

void markdown_paragraph(const char *text)
{
    if (*text != '\0') {
        put_text(text);
        printf("\n\n");
    }
}

/* "INT · default `2000` · 1 to 10 · importance low" */
static void put_facts(const json_t *table, const json_t *key)
{
    const char *name = text_of(key, "name");
    const char *allowed = text_of(json_object_get(table, "allowed"), name);
    const json_t *fallback = json_object_get(key, "default_value");
    printf("%s", text_of(key, "type"));
    if (json_is_true(json_object_get(key, "required"))) {
        printf(" · required");
    } else if (*text_of(key, "default_value") != '\0') {
        printf(" · default `%s`", json_string_value(fallback));
    } else {
        printf(json_is_string(fallback) ? " · default empty" : " · optional");
    }
    if (*allowed != '\0') {
        printf(" · ");
        put_text(allowed);
    }
    if (*text_of(key, "importance") != '\0') {
        printf(" · importance %s", text_of(key, "importance"));
    }
    printf("\n");
}

static void put_key(const json_t *table, const json_t *key)
{
    const char *name = text_of(key, "name");
    const char *instead = text_of(json_object_get(table, "deprecated"), name);
    printf("\n### `%s`\n\n", name);
    if (*instead != '\0') {
        printf("Deprecated: use `%s` instead.\n\n", instead);
    }
    markdown_paragraph(text_of(key, "documentation"));
    put_facts(table, key);
}

static void put_unused(const json_t *unused)
{
    const char *name;
    json_t *why;
    if (json_object_size(unused) > 0) {
        printf("\n## Accepted, and without effect here\n\n");
    }
    json_object_foreach((json_t *)unused, name, why)
    {
        printf("- `%s`: ", name);
        put_text(json_string_value(why));
        printf("\n");
    }
}

void markdown_keys(const json_t *table)
{
    const char *group = NULL;
    size_t index;
    json_t *key;
    json_array_foreach(json_object_get(table, "keys"), index, key)
    {
        const char *next = text_of(key, "group");
        if (group == NULL || strcmp(next, group) != 0) {
            group = next;
            printf("\n## %s\n", *group == '\0' ? "Keys" : group);
        }
        put_key(table, key);
    }
    put_unused(json_object_get(table, "unused"));
}

void markdown_feature(const json_t *feature)
{
    size_t index;
    json_t *alias;
    printf("# %s\n\n", text_of(feature, "name"));
    markdown_paragraph(text_of(feature, "summary"));
    printf("A %s. Its names in a configuration: `%s`", text_of(feature, "kind"),
           text_of(feature, "name"));
    json_array_foreach(json_object_get(feature, "aliases"), index, alias)
    {
        printf(", `%s`", json_string_value(alias));
    }
    printf(".\n");
    if (*text_of(feature, "doc") != '\0') {
        printf("\n");
        put_text(text_of(feature, "doc"));
        printf("\n");
    }
    if (json_array_size(json_object_get(feature, "keys")) == 0) {
        printf("\nIt has no keys.\n");
    }
    markdown_keys(feature);
}

void markdown_index(json_t *const *features, size_t count)
{
    const char *kind = "";
    printf("# Plugins\n\nWhat comes with Sluice. `sluice plugins show NAME` prints the "
           "same pages.\n");
    for (size_t i = 0; i < count; i++) {
        const char *name = text_of(features[i], "name");
        if (strcmp(kind, text_of(features[i], "kind")) != 0) {
            kind = text_of(features[i], "kind");
            printf("\n## %c%ss\n\n| name | class | what it does |\n|---|---|---|\n",
                   kind[0] - 'a' + 'A', kind + 1);
        }
        printf("| [%s](%s.md) | `%s` | ", name, name, text_of(features[i], "class"));
        put_text(text_of(features[i], "summary"));
        printf(" |\n");
    }
}
