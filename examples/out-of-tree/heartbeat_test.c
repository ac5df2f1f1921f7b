/* The test of a plugin, with the fakes of libsluice-test: no worker, no broker. */
#include <sluice/test.h>
#include <stdio.h>
#include <string.h>

/* The plugin is linked in; its manifest is all that a test needs of it. */
extern const sluice_manifest sluice_plugin_manifest;

static int failed;

static void check(int good, const char *what)
{
    static int number;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++number, what);
    failed |= !good;
}

int main(void)
{
    const sluice_feature *feature = sluice_plugin_manifest.features[0];
    const sluice_source_ops *ops = feature->ops.source;
    sluice_fake *fake = sluice_fake_new();
    sluice_batch *batch = sluice_batch_new();
    sluice_error *err = sluice_error_new();
    void *self = NULL;

    check(sluice_fake_config(fake, feature->config, NULL) == NULL &&
              strstr(sluice_fake_fault(fake), "\"topic\"") != NULL,
          "a topic is required");
    void *config = sluice_fake_config(fake, feature->config, "topic", "beats",
                                      "interval.ms", "1", NULL);
    check(config != NULL, "topic and interval are enough");
    check(ops->create(config, sluice_fake_task(fake), &self, err) == SLUICE_OK,
          "a task is created");
    ops->poll(self, batch, err);
    check(sluice_batch_count(batch) == 1, "a beat is a record");
    const sluice_record *record = sluice_batch_record(batch, 0);
    check(strcmp(sluice_fake_show(fake, sluice_record_value(record)), "\"alive 1\"") ==
              0,
          "it says its message and its number");
    sluice_offsets_set(sluice_fake_offsets(fake),
                       sluice_record_source_partition(record),
                       sluice_record_source_offset(record));
    ops->destroy(self);

    sluice_batch_reset(batch);
    ops->create(config, sluice_fake_task(fake), &self, err);
    ops->poll(self, batch, err);
    record = sluice_batch_record(batch, 0);
    check(strcmp(sluice_fake_show(fake, sluice_record_value(record)), "\"alive 2\"") ==
              0,
          "the count goes on from the stored offset");

    sluice_batch_reset(batch);
    sluice_fake_stop(fake);
    check(ops->poll(self, batch, err) == SLUICE_OK && sluice_batch_count(batch) == 0,
          "a stopped task returns at once, with nothing");
    ops->destroy(self);
    sluice_error_free(err);
    sluice_batch_free(batch);
    sluice_fake_free(fake);
    printf("1..7\n");
    return failed;
}
