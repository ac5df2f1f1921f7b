/* References in configurations: what they lead to, and what stays as it is. */
#include "base/memory.h"
#include "folder.h"
#include "test.h"
#include "worker/config/providers.h"
#include <sys/stat.h>
#include <unistd.h>

static char *const environment[] = {"HOME_X=/h", "HOME=/root", "EMPTY=", NULL};

static void write_file(const char *name, const char *text)
{
    char *path = memory_print("%s/%s", test_folder(), name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
    free(path);
}

static void make_files(void)
{
    write_file("p", "u=joe\np.w=x y \nmulti=a\\nb\nempty=\n");
    write_file("pw", "secret\n");
}

static providers *make(const char *allowed_paths, const char *pattern,
                       sluice_error *err)
{
    sluice_props *worker = sluice_props_new();
    providers *made = NULL;
    sluice_props_set(worker, "config.providers", "file,dir,env");
    sluice_props_set(worker, "config.providers.file.class",
                     "org.apache.kafka.common.config.provider.FileConfigProvider");
    sluice_props_set(worker, "config.providers.dir.class",
                     "org.apache.kafka.common.config.provider.DirectoryConfigProvider");
    sluice_props_set(worker, "config.providers.env.class",
                     "org.apache.kafka.common.config.provider.EnvVarConfigProvider");
    if (allowed_paths != NULL) {
        sluice_props_set(worker, "config.providers.file.param.allowed.paths",
                         allowed_paths);
    }
    if (pattern != NULL) {
        sluice_props_set(worker, "config.providers.env.param.allowlist.pattern",
                         pattern);
    }
    providers_new(worker, environment, &made, err);
    sluice_props_free(worker);
    return made;
}

/* `text` with F for the file and D for the folder, resolved; or the message. Until the
 * next call. */
static const char *resolve(providers *all, const char *text)
{
    static char shown[512];
    char asked[512] = "", *value = NULL;
    size_t len = 0;
    for (; *text != '\0'; text++) {
        len += (size_t)(*text == 'F' ? snprintf(asked + len, 100, "%s/p", test_folder())
                        : *text == 'D' ? snprintf(asked + len, 100, "%s", test_folder())
                                       : snprintf(asked + len, 2, "%c", *text));
    }
    sluice_error *err = sluice_error_new();
    providers_resolve(all, asked, &value, err);
    snprintf(shown, sizeof shown, "%s",
             value == NULL               ? sluice_error_text(err)
             : strcmp(value, asked) == 0 ? "(unchanged)"
                                         : value);
    free(value);
    sluice_error_free(err);
    return shown;
}

TEST(references_are_replaced_as_kafka_does)
{
    make_files();
    providers *all = make(NULL, NULL, NULL);
    CHECK_TEXT(resolve(all, "pre-${file:F:u}-mid-${file:F:p.w}-post"),
               "pre-joe-mid-x y -post");
    CHECK_TEXT(resolve(all, "${file:F:multi}"), "a\nb");
    CHECK_TEXT(resolve(all, "${file:F:empty}"), "");
    CHECK_TEXT(resolve(all, "$${file:F:u}"), "$joe");
    CHECK_TEXT(resolve(all, "${dir:D:pw}"), "secret\n");
    CHECK_TEXT(resolve(all, "${env:HOME_X}${env:EMPTY}"), "/h");
    providers_free(all);
}

TEST(what_leads_nowhere_stays_as_it_is)
{
    static const char *const same[] = {"${file:F:missing}",
                                       "${nope:F:u}",
                                       "${file:u}",
                                       "${file}",
                                       "${}",
                                       "${file:F:a:b}",
                                       "${env:NONE}",
                                       "${file:F:${env:",
                                       "${dir:D:no}",
                                       "${dir:D:.}",
                                       "${dir:D:../p}",
                                       "plain",
                                       "${file:F:u",
                                       "$",
                                       NULL};
    make_files();
    providers *all = make(NULL, NULL, NULL);
    for (int i = 0; same[i] != NULL; i++) {
        CHECK_TEXT(resolve(all, same[i]), "(unchanged)");
    }
    CHECK_TEXT(resolve(all, "${file:F:${env:HOME_X}}"), "(unchanged)");
    providers_free(all);
}

TEST(what_cannot_be_read_is_a_fault)
{
    make_files();
    providers *all = make(NULL, NULL, NULL);
    CHECK_TEXT(resolve(all, "${file:/no/such:u}"),
               "Could not read properties from file /no/such");
    CHECK_TEXT(
        resolve(all, "${env:some/path:HOME_X}"),
        "Path is not supported for EnvVarConfigProvider, invalid value 'some/path'");
    providers_free(all);
}

TEST(paths_and_variables_may_be_limited)
{
    make_files();
    providers *all = make(test_folder(), "HOME_.*", NULL);
    CHECK_TEXT(resolve(all, "${file:F:u}"), "joe");
    CHECK_TEXT(resolve(all, "${file:D/../etc/passwd:u}"), "(unchanged)");
    CHECK_TEXT(resolve(all, "${file:/etc/passwd:root}"), "(unchanged)");
    CHECK_TEXT(resolve(all, "${env:HOME_X}"), "/h");
    CHECK_TEXT(resolve(all, "${env:HOME}"), "(unchanged)");
    providers_free(all);
}

TEST(wrong_providers_are_refused)
{
    sluice_error *err = sluice_error_new();
    CHECK(make("relative", NULL, err) == NULL);
    CHECK_TEXT(sluice_error_text(err), "Path relative is not absolute");
    CHECK(make("/nope", NULL, err) == NULL);
    CHECK_TEXT(sluice_error_text(err), "Path /nope does not exist");
    CHECK(make(NULL, "(", err) == NULL);
    sluice_props *worker = sluice_props_new();
    providers *all;
    sluice_props_set(worker, "config.providers", "vault");
    sluice_props_set(worker, "config.providers.vault.class", "com.example.Vault");
    CHECK_INT(providers_new(worker, environment, &all, err), SLUICE_BAD_CONFIG);
    CHECK(strstr(sluice_error_text(err), "config.providers.vault.class is "
                                         "'com.example.Vault': must be") != NULL);
    sluice_props_free(worker);
    sluice_error_free(err);
}

TEST(all_values_of_a_configuration_are_resolved)
{
    make_files();
    providers *all = make(NULL, NULL, NULL);
    sluice_props *config = sluice_props_new();
    sluice_error *err = sluice_error_new();
    sluice_props_set(config, "user", "${env:HOME_X}");
    sluice_props_set(config, "nothing", NULL);
    CHECK_INT(providers_resolve_props(all, config, err), SLUICE_OK);
    CHECK_TEXT(sluice_props_get(config, "user"), "/h");
    sluice_props_set(config, "password", "${file:/no/such:u}");
    CHECK_INT(providers_resolve_props(all, config, err), SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "password: Could not read properties from file /no/such");
    sluice_error_free(err);
    sluice_props_free(config);
    providers_free(all);
}

TEST_MAIN
