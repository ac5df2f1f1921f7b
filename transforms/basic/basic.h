/* transforms/basic/basic.h - the features of the plugin.
 *
 * Threads: constants. */
#ifndef SLUICE_TRANSFORMS_BASIC_BASIC_H
#define SLUICE_TRANSFORMS_BASIC_BASIC_H

#include <sluice/plugin.h>

extern const sluice_feature extract_field_key;
extern const sluice_feature extract_field_value;
extern const sluice_feature extract_new_record_state;
extern const sluice_feature insert_field_key;
extern const sluice_feature insert_field_value;
extern const sluice_feature regex_router;

#endif
