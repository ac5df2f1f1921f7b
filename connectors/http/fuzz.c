/* Fuzz target: what a server answers. However it is cut into pieces it means the same,
 * and what is told of it is bounded and printable. */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Feeds all in pieces of at most `piece` bytes; how many belonged to the answer. */
static size_t feed(http_reply *reply, const char *base, size_t size, size_t piece)
{
    size_t at = 0;
    http_reply_begin(reply);
    while (at < size && reply->part != HTTP_REPLY_DONE &&
           reply->part != HTTP_REPLY_BROKEN) {
        size_t len = size - at < piece ? size - at : piece;
        size_t taken = http_reply_feed(reply, base + at, len);
        must(taken <= len);
        must(taken == len || reply->part == HTTP_REPLY_DONE ||
             reply->part == HTTP_REPLY_BROKEN);
        at += taken;
    }
    return at;
}

static void check(const http_reply *reply)
{
    must(reply->part != HTTP_REPLY_BROKEN || reply->fault != NULL);
    must(!http_reply_has_head(reply) || (reply->status >= 200 && reply->status <= 999));
    must(strlen(reply->retry_after) < sizeof reply->retry_after);
    must(strlen(reply->location) < sizeof reply->location);
    must(reply->excerpt_len <= HTTP_EXCERPT_MAX);
    must(strlen(reply->excerpt) == reply->excerpt_len);
    for (size_t i = 0; i < reply->excerpt_len; i++) {
        unsigned char c = (unsigned char)reply->excerpt[i];
        must(c >= ' ' && c != 0x7f);
    }
}

static bool same(const http_reply *one, const http_reply *other)
{
    return one->part == other->part && one->status == other->status &&
           one->keep == other->keep && strcmp(one->excerpt, other->excerpt) == 0 &&
           strcmp(one->retry_after, other->retry_after) == 0 &&
           strcmp(one->location, other->location) == 0;
}

/* The first byte is the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *base, size_t size)
{
    static http_reply whole, pieces;
    if (size == 0) {
        return 0;
    }
    const char *text = (const char *)base + 1;
    size_t piece = base[0] == 0 ? 1 : base[0];
    size_t used = feed(&whole, text, size - 1, size);
    size_t used_of_pieces = feed(&pieces, text, size - 1, piece);
    check(&whole);
    check(&pieces);
    must(same(&whole, &pieces));
    if (whole.part == HTTP_REPLY_BROKEN) { /* What follows belongs to nobody. */
        return 0;
    }
    must(used == used_of_pieces);
    bool ended = http_reply_end(&whole);
    must(http_reply_end(&pieces) == ended && same(&whole, &pieces));
    check(&whole);
    return 0;
}

#ifdef FUZZ_CORPUS_MAIN
#include "corpus.h"
#endif
