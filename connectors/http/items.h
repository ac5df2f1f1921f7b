/* connectors/http/items.h - the records of a put: which have been dealt with, and in
 * which order the others go out.
 *
 * A batch that comes again (after SLUICE_RETRY, perhaps without records whose partition
 * has gone) is recognised, so that no record that has arrived is sent again.
 *
 * Threads: the task's. */
#ifndef HTTP_ITEMS_H
#define HTTP_ITEMS_H

#include "config.h"

enum { HTTP_NO_ITEM = -1 };

typedef struct http_item {
    int64_t offset;
    int32_t partition, topic; /* `topic`: an index into the names. */
    int32_t next;             /* Of its queue, or HTTP_NO_ITEM. */
    bool done;
} http_item;

typedef struct http_items {
    http_item *list, *last_list; /* Of this put, and of the one before. */
    size_t count, room, last_count, last_room;
    char **topics;
    size_t topic_count;
    sluice_offsets *unsent; /* The first of each partition that was given up. */
} http_items;

/* In its order; HTTP_NO_ITEM when empty. */
typedef struct http_queue {
    int32_t first, last;
} http_queue;

void http_items_init(http_items *items);
void http_items_done(http_items *items);

/* Begins a put. SLUICE_FATAL when memory is out. */
sluice_status http_items_take(http_items *items, const sluice_batch *in,
                              sluice_error *err);

void http_items_push(http_items *items, http_queue *queue, size_t index);
int32_t http_items_pop(http_items *items, http_queue *queue);

size_t http_items_left(const http_items *items);

/* All of this put are dealt with: none is recognised next time. */
void http_items_forget(http_items *items);

/* Gives up what is not done: it is not to be committed. */
void http_items_abandon(http_items *items);

/* Whether some, but not all of this put are dealt with. */
bool http_items_are_mixed(const http_items *items);

/* Asks for what was given up to come again. */
void http_items_rewind(const http_items *items, sluice_task *task);

/* Lowers `safe` to what was not given up. */
void http_items_lower(const http_items *items, sluice_offsets *safe);

#endif
