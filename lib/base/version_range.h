/* lib/base/version_range.h - which versions of a plugin a configuration accepts.
 *
 * Maven's words, as Kafka Connect reads them (KIP-891): "1.2" is that version alone,
 * "[1.0,2.0)" a range, "(,1.0],[1.2,)" one of several, "latest" whatever there is.
 *
 * Threads: any. */
#ifndef SLUICE_BASE_VERSION_RANGE_H
#define SLUICE_BASE_VERSION_RANGE_H

#include <stdbool.h>

/* Whether `version` is in `range`. What is no range contains nothing. */
bool version_range_has(const char *range, const char *version);

/* Whether `range` means a plugin of `version` that stands for the Java plugin of
 * version `stands_for` (NULL: for none). One plugin of ours stands for a whole major
 * version of the other, so any version in the range with that number will do: for 4.1.0
 * "4.0.2",
 * "[3.9,5)" and "[4.2,)", but not "3.9.0" or "[5,)". Where it stands for none, its own
 * version must be in the range. */
bool version_range_means(const char *range, const char *version,
                         const char *stands_for);

/* As Kafka Connect prints it: "1.2" is "[1.2,1.2]". The caller's. */
char *version_range_print(const char *range);

/* By their parts between dots and dashes; numbers as such, a missing one as 0, and any
 * word before a number: 1.0-rc1 < 1.0 = 1 < 1.2 < 1.10. Negative, 0 or positive. */
int version_compare(const char *left, const char *right);

#endif
