/* cli/markdown.h - tables of keys as pages of the manual.
 *
 * Everything comes from the tables that also parse a configuration; the pages are in
 * docs/, a test compares them. All is printed to standard output.
 *
 * Threads: the main one. */
#ifndef CLI_MARKDOWN_H
#define CLI_MARKDOWN_H

#include <jansson.h>

/* The page of a describe_feature(). */
void markdown_feature(const json_t *feature);

/* The list of all pages, in the order given. */
void markdown_index(json_t *const *features, size_t count);

/* Prints `text` as a paragraph; outside of `code` nothing of it is markup. */
void markdown_paragraph(const char *text);

/* The keys of a describe_table(), with a heading where the group changes, and behind
 * them those without effect. */
void markdown_keys(const json_t *table);

#endif
