/* Loading plugins: what a good one offers, and the sentence for each way to be wrong.
 */
#include "base/text.h"
#include "plugin/catalog.h"
#include "plugin/describe.h"
#include "test.h"
#include <sys/stat.h>
#include <unistd.h>

#define FILE_OF(name) ABI_FOLDER "/abi-" name ".so"

/* Loads a file; its fault, or "". */
static const char *loaded(const char *path)
{
    static char text[1000];
    plugin_files *all = plugin_files_new();
    sluice_error *err = sluice_error_new();
    if (plugin_files_add(all, path, err) == SLUICE_OK) {
        plugin_files_load(all, 0, err);
    }
    snprintf(text, sizeof text, "%s", sluice_error_text(err));
    sluice_error_free(err);
    plugin_files_free(all);
    return text;
}

static void check_refused(const char *path, const char *reason)
{
    char sentence[1000];
    snprintf(sentence, sizeof sentence, "'%s'%s", path, reason);
    CHECK_TEXT(loaded(path), sentence);
}

TEST(a_good_plugin_loads)
{
    CHECK_TEXT(loaded(FILE_OF("good")), "");
}

TEST(a_foreign_file_is_not_a_plugin)
{
    check_refused(FILE_OF("symbol"), " is not a plugin: it has no symbol "
                                     "sluice_plugin_manifest");
    check_refused(FILE_OF("magic"), " is not a plugin: its manifest begins with "
                                    "0x12345678, not with 0x31434c53");
    CHECK_TEXT(loaded("/nonexistent.so"),
               "plugin.path '/nonexistent.so' cannot be read: "
               "No such file or directory; it is left out");
}

TEST(a_plugin_of_another_abi_is_refused_with_advice)
{
    check_refused(FILE_OF("major"),
                  " was built for plugin ABI 2.2, this worker has 1.2: "
                  "use the matching worker, or rebuild it");
    check_refused(FILE_OF("minor"),
                  " was built for plugin ABI 1.7, this worker has 1.2: "
                  "rebuild it, or upgrade the worker");
    check_refused(FILE_OF("size"),
                  " has a manifest of 16 bytes: at least 48 are needed");
}

TEST(a_missing_function_is_found_at_load_not_at_the_first_record)
{
    check_refused(FILE_OF("undefined"),
                  " cannot be loaded: undefined symbol: sluice_missing");
    check_refused(FILE_OF("operation"),
                  ": feature 'abi-good' lacks the operation 'poll'");
    check_refused(FILE_OF("kind"), ": feature 'abi-good' is of no known kind");
    check_refused(FILE_OF("name"), ": feature 'Bad_Name' has a bad name: lower-case "
                                   "letters, digits and dashes are allowed");
}

TEST(a_table_of_keys_is_checked_before_anybody_configures_it)
{
    check_refused(FILE_OF("default"),
                  ": key 'number' of 'abi-good' has a bad default: Invalid value many "
                  "for configuration number: Not a number of type INT");
    check_refused(FILE_OF("doc"), ": key 'number' of 'abi-good' has no doc");
    check_refused(FILE_OF("offset"),
                  ": key 'number' of 'abi-good' does not lie within its struct");
    check_refused(FILE_OF("twice"), ": key 'number' of 'abi-good' is there twice");
}

TEST(a_refusal_is_remembered)
{
    plugin_files *all = plugin_files_new();
    sluice_error *err = sluice_error_new();
    CHECK(plugin_files_add(all, FILE_OF("doc"), NULL) == SLUICE_OK);
    CHECK(plugin_files_load(all, 0, NULL) == SLUICE_BAD_CONFIG);
    CHECK(plugin_files_load(all, 0, err) == SLUICE_BAD_CONFIG);
    CHECK(text_ends(sluice_error_text(err), "has no doc"));
    CHECK_INT(plugin_files_feature_count(all), 0);
    sluice_error_free(err);
    plugin_files_free(all);
}

/* The good, the older and the duplicate one, not loaded yet. */
static plugin_files *three(void)
{
    plugin_files *all = plugin_files_new();
    CHECK(plugin_files_add_list(
              all, FILE_OF("good") " , " FILE_OF("older") "," FILE_OF("good"), NULL) ==
          SLUICE_OK);
    CHECK_INT(plugin_files_count(all), 2);
    CHECK(plugin_files_add(all, FILE_OF("duplicate"), NULL) == SLUICE_OK);
    return all;
}

TEST(two_plugins_with_one_name_are_not_both_loaded)
{
    plugin_files *all = three();
    sluice_error *err = sluice_error_new();
    CHECK(plugin_files_load(all, 0, NULL) == SLUICE_OK);
    CHECK(plugin_files_load(all, 2, err) == SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "'" FILE_OF("duplicate") "' offers 'abi-good', "
                                        "which is already in '" FILE_OF("good") "'");
    sluice_error_free(err);
    plugin_files_free(all);
}

TEST(an_older_plugin_is_seen_as_not_having_what_came_later)
{
    plugin_files *all = three();
    const plugin_feature *found = NULL;
    CHECK(plugin_files_find(all, PLUGIN_CONNECTORS, "abi-older", &found, NULL) ==
          SLUICE_OK);
    CHECK(found->is.ops.source->poll != NULL);
    CHECK(found->is.ops.source->committed == NULL);
    CHECK_INT(found->is.ops.source->size, sizeof(sluice_source_ops));
    plugin_files_free(all);
}

static void check_found(plugin_files *all, const char *name, const char *feature)
{
    const plugin_feature *found = NULL;
    CHECK(plugin_files_find(all, PLUGIN_CONNECTORS, name, &found, NULL) == SLUICE_OK);
    CHECK_TEXT(found->is.name, feature);
}

TEST(a_feature_is_found_by_each_of_its_names)
{
    plugin_files *all = three();
    check_found(all, "abi-older", "abi-older");
    check_found(all, "org.example.OlderConnector", "abi-older");
    check_found(all, "OlderConnector", "abi-older");
    check_found(all, "Older", "abi-older");
    CHECK_INT(plugin_files_feature_count(all), 1); /* The others stayed closed. */
    check_found(all, "Good", "abi-good");
    plugin_files_free(all);
}

static void check_not_found(plugin_files *all, unsigned kinds, const char *name,
                            const char *sentence)
{
    const plugin_feature *found = NULL;
    sluice_error *err = sluice_error_new();
    char text[1000];
    sluice_status status = plugin_files_find(all, kinds, name, &found, err);
    snprintf(text, sizeof text, "%s", sluice_error_text(err));
    sluice_error_free(err);
    CHECK(status == SLUICE_BAD_CONFIG && found == NULL);
    CHECK_TEXT(text, sentence);
}

TEST(who_is_not_found_is_compared_with_who_is_there)
{
    plugin_files *all = three();
    check_not_found(all, PLUGIN_CONNECTORS, "Nope",
                    "no plugin offers a connector called 'Nope'");
    CHECK_INT(plugin_files_feature_count(all), 0); /* No file was opened for it. */
    plugin_files_load(all, 1, NULL);
    check_not_found(all, PLUGIN_CONNECTORS, "org.example.OldConnector",
                    "no plugin offers a connector called 'org.example.OldConnector'; "
                    "did you mean 'org.example.OlderConnector'?");
    check_not_found(all, PLUGIN_KIND(SLUICE_SINK), "Older",
                    "no plugin offers a sink called 'Older'");
    plugin_files_free(all);
}

TEST(who_was_refused_is_not_just_missing)
{
    plugin_files *all = plugin_files_new();
    CHECK(plugin_files_add(all, FILE_OF("minor"), NULL) == SLUICE_OK);
    check_not_found(all, PLUGIN_CONNECTORS, "org.example.BadConnector",
                    "no plugin offers a connector called 'org.example.BadConnector'; "
                    "'" FILE_OF("minor") "' was built for plugin ABI 1.7, this worker "
                                         "has 1.2: rebuild it, or upgrade the worker");
    plugin_files_free(all);
}

static const char *refusal(const json_t *catalog, size_t index)
{
    const json_t *one = json_array_get(json_object_get(catalog, "refused"), index);
    const char *reason = json_string_value(json_object_get(one, "reason"));
    return reason == NULL ? "" : reason;
}

TEST(a_plugin_that_crashes_while_it_is_loaded_is_a_line_in_the_list)
{
    plugin_files *all = plugin_files_new();
    json_t *catalog = NULL;
    CHECK(plugin_files_add_list(
              all,
              FILE_OF("crash") "," FILE_OF("good") "," FILE_OF("exit") "," FILE_OF(
                  "doc") "," FILE_OF("older") "," FILE_OF("duplicate"),
              NULL) == SLUICE_OK);
    CHECK(catalog_scan(all, CATALOG_LOAD_MS_MAX, &catalog, NULL) == SLUICE_OK);
    CHECK_INT(json_array_size(json_object_get(catalog, "plugins")), 2);
    CHECK_INT(json_array_size(json_object_get(catalog, "refused")), 4);
    CHECK_TEXT(refusal(catalog, 0),
               "'" FILE_OF("crash") "' crashed while it was loaded: "
                                    "signal 9 (Killed)");
    CHECK_TEXT(refusal(catalog, 1),
               "'" FILE_OF("exit") "' ended the process while it was "
                                   "loaded, with exit code 7");
    CHECK_TEXT(refusal(catalog, 2),
               "'" FILE_OF("doc") "': key 'number' of 'abi-good' has no doc");
    CHECK_TEXT(refusal(catalog, 3),
               "'" FILE_OF("duplicate") "' offers 'abi-good', which "
                                        "is already in '" FILE_OF("good") "'");
    CHECK_INT(plugin_files_feature_count(all), 0); /* Nothing was loaded here. */
    json_decref(catalog);
    plugin_files_free(all);
}

static void put_file(const char *path, const void *base, size_t len)
{
    FILE *file = fopen(path, "we");
    CHECK(file != NULL && fwrite(base, 1, len, file) == len);
    fclose(file);
}

/* A folder of files that are none, each refused by its own name, and a good one. */
TEST(what_is_no_plugin_at_all_is_told_with_its_own_name)
{
    char folder[] = "/tmp/sluice-loader-XXXXXX", path[300];
    static const char arm[20] = "\x7f"
                                "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0";
    static const char *const reasons[] = {
        "/a-arm.so' was built for another machine: AArch64 (ELF 183, 64 bit), not ",
        "/b-dangling.so' cannot be loaded: No such file or directory",
        "/c-empty.so' is not a plugin: it is no ELF file, as shared libraries are",
        "/d-fifo.so' cannot be loaded: it is not a file",
        "/f-text.so' is not a plugin: it is no ELF file, as shared libraries are",
    };
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    put_file("a-arm.so", arm, sizeof arm);
    CHECK(symlink("/nonexistent", "b-dangling.so") == 0);
    put_file("c-empty.so", "", 0);
    CHECK(mkfifo("d-fifo.so", 0600) == 0);
    CHECK(symlink(FILE_OF("good"), "e-good.so") == 0);
    put_file("f-text.so", "This is a text, and no library.\n", 32);
    plugin_files *all = plugin_files_new();
    json_t *catalog = NULL;
    CHECK(plugin_files_add(all, folder, NULL) == SLUICE_OK);
    CHECK(catalog_scan(all, CATALOG_LOAD_MS_MAX, &catalog, NULL) == SLUICE_OK);
    CHECK_INT(json_array_size(json_object_get(catalog, "plugins")), 1);
    CHECK_INT(json_array_size(json_object_get(catalog, "refused")), 5);
    for (size_t i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "'%s%s", folder, reasons[i]);
        CHECK(strncmp(refusal(catalog, i), path, strlen(path)) == 0);
    }
    const plugin_feature *none;
    CHECK(plugin_files_find(all, PLUGIN_CONNECTORS, "nobody", &none, NULL) !=
          SLUICE_OK); /* Nor does the search wait for the FIFO. */
    json_decref(catalog);
    plugin_files_free(all);
    static const char *const names[] = {"a-arm.so",  "b-dangling.so", "c-empty.so",
                                        "d-fifo.so", "e-good.so",     "f-text.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unlink(names[i]);
    }
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

TEST(a_plugin_that_hangs_while_it_is_loaded_is_given_up)
{
    plugin_files *all = plugin_files_new();
    json_t *catalog = NULL;
    CHECK(plugin_files_add(all, FILE_OF("hang"), NULL) == SLUICE_OK);
    CHECK(catalog_scan(all, 200, &catalog, NULL) == SLUICE_OK);
    CHECK_TEXT(refusal(catalog, 0), "'" FILE_OF("hang") "' took longer than 200 ms to "
                                                        "load: the process was killed");
    json_decref(catalog);
    plugin_files_free(all);
}

TEST(keys_are_described_as_kafka_connect_describes_them)
{
    plugin_files *all = three();
    const plugin_feature *found = NULL;
    CHECK(plugin_files_find(all, PLUGIN_CONNECTORS, "Good", &found, NULL) == SLUICE_OK);
    json_t *keys = describe_keys(found->is.config);
    char *text = json_dumps(keys, JSON_COMPACT);
    CHECK_TEXT(text, "[{\"name\":\"number\",\"type\":\"INT\",\"required\":false,"
                     "\"default_value\":\"5\",\"importance\":\"HIGH\","
                     "\"documentation\":\"A number.\",\"group\":\"Common\",\"width\":"
                     "\"NONE\",\"display_name\":\"number\",\"dependents\":[],"
                     "\"order\":1}]");
    free(text);
    json_decref(keys);
    plugin_files_free(all);
}

TEST(values_are_described_with_their_faults)
{
    plugin_files *all = three();
    const plugin_feature *found = NULL;
    void *config = NULL;
    sluice_error *err = sluice_error_new();
    sluice_props *props = sluice_props_new();
    sluice_props_set(props, "number", "x");
    CHECK(plugin_files_find(all, PLUGIN_CONNECTORS, "Good", &found, NULL) == SLUICE_OK);
    CHECK(sluice_config_parse(found->is.config, props, &config, err) != SLUICE_OK);
    json_t *values = describe_values(found->is.config, props, err);
    char *text =
        json_dumps(json_object_get(json_array_get(values, 0), "value"), JSON_COMPACT);
    CHECK_TEXT(text, "{\"name\":\"number\",\"value\":null,\"recommended_values\":[],"
                     "\"errors\":[\"Invalid value x for configuration number: Not a "
                     "number of type INT\"],\"visible\":true}");
    free(text);
    json_decref(values);
    sluice_props_free(props);
    sluice_error_free(err);
    plugin_files_free(all);
}

TEST(a_folder_is_searched_with_the_folders_right_below)
{
    char folder[] = "/tmp/sluice-plugins-XXXXXX", path[200], below[100];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(below, sizeof below, "%s/connector", folder);
    snprintf(path, sizeof path, "%s/x.so", below);
    CHECK(mkdir(below, 0700) == 0 && symlink(FILE_OF("good"), path) == 0);
    plugin_files *all = plugin_files_new();
    CHECK(plugin_files_add(all, folder, NULL) == SLUICE_OK);
    CHECK_INT(plugin_files_count(all), 1);
    CHECK_TEXT(plugin_files_path(all, 0), path);
    CHECK(plugin_files_load(all, 0, NULL) == SLUICE_OK);
    plugin_files_free(all);
    unlink(path);
    rmdir(below);
    rmdir(folder);
}

TEST_MAIN
