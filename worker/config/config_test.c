/* A worker's properties and a connector's file, right and wrong. */
#include "test.h"
#include "worker/config/connector_file.h"
#include "worker/config/worker_config.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const minimal =
    "key.converter=a\nvalue.converter=b\noffset.storage.file.filename=/o\n";

static sluice_status parse(const char *text, worker_config *ret_config,
                           sluice_error *err)
{
    properties *source = properties_new();
    CHECK_INT(properties_parse(source, minimal, strlen(minimal), "base", err),
              SLUICE_OK);
    CHECK_INT(properties_parse(source, text, strlen(text), "more", err), SLUICE_OK);
    sluice_status status = worker_config_parse(source, ret_config, err);
    properties_free(source);
    return status;
}

TEST(defaults_are_those_of_kafka_connect)
{
    worker_config config;
    CHECK_INT(parse("security.protocol=SSL", &config, NULL), SLUICE_OK);
    CHECK_TEXT(config.values->listeners.items[0], "http://:8083");
    CHECK_INT(config.values->graceful_ms, 5000);
    CHECK(config.values->topic_tracking);
    CHECK_TEXT(
        json_string_value(json_object_get(config.properties, "security.protocol")),
        "SSL");
    worker_config_done(&config);
}

TEST(every_fault_is_told_at_once)
{
    worker_config config;
    sluice_error *err = sluice_error_new();
    CHECK_INT(parse("bootstrap.serves=x\ntask.shutdown.graceful.timeout.ms=soon\n"
                    "topic.tracking.enable=maybe",
                    &config, err),
              SLUICE_BAD_CONFIG);
    CHECK_INT(sluice_error_count(err), 3);
    CHECK(strstr(sluice_error_text(err), "bootstrap.servers") != NULL);
    CHECK(strstr(
              sluice_error_text(err),
              "Invalid value soon for configuration task.shutdown.graceful.timeout.ms: "
              "Not a number of type LONG") != NULL);
    sluice_error_free(err);
}

TEST(references_to_providers_are_resolved_in_the_workers_own_settings)
{
    worker_config config;
    sluice_error *err = sluice_error_new();
    CHECK_INT(setenv("SLUICE_TEST_ORIGIN", "http://ui", 1), 0);
    const char *providers =
        "config.providers=env,file\nconfig.providers.env.class=EnvVarConfigProvider\n"
        "config.providers.file.class=FileConfigProvider\n"
        "access.control.allow.origin=${env:SLUICE_TEST_ORIGIN}\n";
    CHECK_INT(parse(providers, &config, err), SLUICE_OK);
    CHECK_TEXT(config.values->allow_origin, "http://ui");
    worker_config_done(&config);
    CHECK_INT(parse("config.providers=file\nconfig.providers.file.class="
                    "FileConfigProvider\nrest.host.name=${file:/no/such:x}",
                    &config, err),
              SLUICE_BAD_CONFIG);
    CHECK(strstr(sluice_error_text(err),
                 "rest.host.name: Could not read properties from "
                 "file /no/such") != NULL);
    sluice_error_free(err);
}

/* Reads `text` as a file's; the body as JSON or the message, until the next call. */
static const char *read_as_file(const char *text)
{
    static char shown[1024];
    char path[] = "/tmp/sluice-connector-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    json_t *body;
    sluice_error *err = sluice_error_new();
    if (connector_file_read(path, &body, err) == SLUICE_OK) {
        char *dumped = json_dumps(body, JSON_COMPACT);
        snprintf(shown, sizeof shown, "%s", dumped);
        free(dumped);
        json_decref(body);
    } else {
        snprintf(shown, sizeof shown, "%s", sluice_error_text(err));
    }
    sluice_error_free(err);
    unlink(path);
    return shown;
}

TEST(a_connector_may_be_written_in_three_ways)
{
    const char *wanted =
        "{\"name\":\"c\",\"config\":{\"name\":\"c\",\"tasks.max\":\"3\"}}";
    CHECK_TEXT(read_as_file("name=c\ntasks.max=3\n"), wanted);
    CHECK_TEXT(read_as_file("{\"name\":\"c\",\"tasks.max\":3}"), wanted);
    CHECK_TEXT(read_as_file("{\"name\":\"c\",\"config\":{\"name\":\"c\",\"tasks.max\":"
                            "\"3\"},\"more\":1}"),
               wanted);
    CHECK(strstr(read_as_file(
                     "{\"name\":\"c\",\"config\":{},\"initial_state\":\"PAUSED\"}"),
                 "\"initial_state\":\"PAUSED\"") != NULL);
}

TEST(a_connector_without_a_name_or_with_two_is_refused)
{
    CHECK(strstr(read_as_file("tasks.max=3\n"), "is missing the mandatory 'name'") !=
          NULL);
    CHECK(strstr(read_as_file("{\"name\":\"c\",\"config\":{\"name\":\"d\"}}"),
                 "doesn't match the one specified in 'name'") != NULL);
}

TEST_MAIN
