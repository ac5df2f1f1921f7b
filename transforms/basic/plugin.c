/* transforms/basic/plugin.c - the manifest: Kafka Connect's own transformations, and
 * Debezium's. */
#include "basic.h"
static const sluice_feature *const FEATURES[] = {&extract_field_key,
                                                 &extract_field_value,
                                                 &extract_new_record_state,
                                                 &insert_field_key,
                                                 &insert_field_value,
                                                 &regex_router,
                                                 NULL};

SLUICE_PLUGIN(.name = "basic-transforms", .version = "0.1.0", .license = "Apache-2.0",
              .features = FEATURES);
