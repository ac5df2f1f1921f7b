/* The order of a Java HashMap. */
#include "worker/host/java_order.h"
#include "base/memory.h"
#include <stdlib.h>

typedef struct place {
    const char *name;
    size_t bucket, number;
} place;

uint32_t java_hash(const char *text)
{
    uint32_t hash = 0;
    for (; *text != '\0'; text++) {
        hash = 31 * hash + (unsigned char)*text;
    }
    return hash;
}

static int compare_places(const void *left, const void *right)
{
    const place *a = left, *b = right;
    return a->bucket != b->bucket ? (a->bucket < b->bucket ? -1 : 1)
                                  : (a->number < b->number ? -1 : 1);
}

void java_order(const char **names, size_t count, bool copied)
{
    size_t buckets = 16;
    place *places = memory_take((count + 1) * sizeof *places);
    while (count + copied > buckets / 4 * 3) {
        buckets *= 2;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = java_hash(names[i]);
        places[i] = (place){names[i], (hash ^ hash >> 16) & (buckets - 1), i};
    }
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++) {
        names[i] = places[i].name;
    }
    free(places);
}
