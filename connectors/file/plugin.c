/* connectors/file/plugin.c - the manifest: a source and a sink for files of lines. */
#include "file.h"

static const sluice_feature *const FEATURES[] = {&file_source_feature,
                                                 &file_sink_feature, NULL};

SLUICE_PLUGIN(.name = "file", .version = "0.1.0", .license = "Apache-2.0",
              .features = FEATURES);
