/* transforms/basic/replacement.h - Java's replacement texts: "$1-${name}\$".
 *
 * A dollar sign and digits, or a name in braces, stand for a group of the match: as
 * many digits as still name a group that there is. A backslash takes what follows as it
 * is.
 *
 * Threads: any. */
#ifndef SLUICE_TRANSFORMS_BASIC_REPLACEMENT_H
#define SLUICE_TRANSFORMS_BASIC_REPLACEMENT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <sluice/arena.h>

/* `subject` (of `len` bytes) with its `match` replaced, NUL-ended in `arena`.
 * SLUICE_BAD_RECORD with Java's text where the replacement names a group that there is
 * not, or is malformed. */
sluice_status replacement_apply(const char *replacement, const char *subject,
                                size_t len, const pcre2_code *code,
                                pcre2_match_data *match, sluice_arena *arena,
                                const char **ret_text, sluice_error *err);

#endif
