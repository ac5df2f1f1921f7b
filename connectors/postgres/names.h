/* connectors/postgres/names.h - names of schemas and fields as Avro allows them. */
#ifndef SLUICE_POSTGRES_NAMES_H
#define SLUICE_POSTGRES_NAMES_H

#include "config.h"
#include <sluice/value.h>

/* `name`, in UTF-8, with what Avro does not allow replaced: by underscores, or by "_u"
 * and four digits for each UTF-16 unit, as Debezium does. In a `full` name dots stay.
 * Borrowed where nothing is to be replaced, else in `arena`. */
const char *name_adjust(adjustment_mode mode, bool full, const char *name,
                        sluice_arena *arena);

#endif
