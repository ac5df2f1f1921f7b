/* broker/config/setting_doc.h - what the broker's and the topics' keys are for.
 *
 * Threads: any; all is constant. */
#ifndef SLUICE_BROKER_CONFIG_SETTING_DOC_H
#define SLUICE_BROKER_CONFIG_SETTING_DOC_H

#include <stddef.h>

/* The sentence about a key of broker_config_keys or topic_config_keys; NULL: there is
 * none, as for keys that are ignored. */
const char *setting_doc(const char *name);

/* The key that sentence `index` is about; NULL behind the last. */
const char *setting_doc_key(size_t index);

#endif
