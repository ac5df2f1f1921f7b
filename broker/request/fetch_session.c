/* The cache of fetch sessions: which there are, whose place a new one takes, and what a
 * request changes and is told. */
#include "broker/request/fetch_session.h"
#include "base/memory.h"
#include "broker/request/fetch_session_table.h"
#include "protocol/error_code.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { first_epoch = 0, final_epoch = -1 };

struct fetch_sessions {
    pthread_mutex_t lock; /* Guards all that follows. */
    size_t slots, bytes_max;
    map sessions;                   /* By id. */
    fetch_session *idlest, *latest; /* By their last use. */
    size_t partitions, bytes;
    uint64_t evictions;
};

fetch_sessions *fetch_sessions_new(size_t slots, size_t bytes_max)
{
    fetch_sessions *self = memory_zero(sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    self->slots = slots;
    self->bytes_max = bytes_max;
    return self;
}

fetch_session_numbers fetch_sessions_numbers(fetch_sessions *self)
{
    pthread_mutex_lock(&self->lock);
    fetch_session_numbers numbers = {map_count(&self->sessions), self->partitions,
                                     self->bytes, self->evictions};
    pthread_mutex_unlock(&self->lock);
    return numbers;
}

/* ---- The list by last use, and sums ---------------------------------------------- */

static void list_remove(fetch_sessions *self, fetch_session *one)
{
    *(one->older != NULL ? &one->older->newer : &self->idlest) = one->newer;
    *(one->newer != NULL ? &one->newer->older : &self->latest) = one->older;
}

static void list_append(fetch_sessions *self, fetch_session *one)
{
    one->older = self->latest;
    one->newer = NULL;
    *(self->latest != NULL ? &self->latest->newer : &self->idlest) = one;
    self->latest = one;
}

static void count_out(fetch_sessions *self, const fetch_session *one)
{
    self->partitions -= one->count;
    self->bytes -= fetch_session_bytes(one);
}

static void count_in(fetch_sessions *self, const fetch_session *one)
{
    self->partitions += one->count;
    self->bytes += fetch_session_bytes(one);
}

static void touch(fetch_sessions *self, fetch_session *one, int64_t now_ms)
{
    list_remove(self, one);
    list_append(self, one);
    one->used_ms = now_ms;
    one->settled = now_ms - one->created_ms > fetch_session_rest_ms;
}

static void drop(fetch_sessions *self, fetch_session *one)
{
    map_remove(&self->sessions, &one->id, sizeof one->id);
    list_remove(self, one);
    count_out(self, one);
    fetch_session_free(one);
}

void fetch_sessions_free(fetch_sessions *self)
{
    if (self == NULL) {
        return;
    }
    while (self->idlest != NULL) {
        drop(self, self->idlest);
    }
    map_done(&self->sessions);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static fetch_session *find(const fetch_sessions *self, int32_t id)
{
    return map_get(&self->sessions, &id, sizeof id);
}

/* ---- Beginning a session --------------------------------------------------------- */

/* Whose place a session of `size` partitions may take; NULL: nobody's. */
static fetch_session *evictable(const fetch_sessions *self, size_t size, int64_t now_ms)
{
    if (self->idlest != NULL &&
        now_ms - self->idlest->used_ms > fetch_session_rest_ms) {
        return self->idlest;
    }
    fetch_session *smallest = NULL;
    for (fetch_session *one = self->idlest; one != NULL; one = one->newer) {
        if (one->settled && one->count < size &&
            (smallest == NULL || one->count < smallest->count)) {
            smallest = one;
        }
    }
    return smallest;
}

/* Nobody can guess it, and a broker that starts again is not taken for this one. */
static int32_t new_id(const fetch_sessions *self)
{
    int32_t id;
    do {
        if (getrandom(&id, sizeof id, 0) != sizeof id) {
            return 0;
        }
        id &= INT32_MAX;
    } while (id == 0 || find(self, id) != NULL);
    return id;
}

/* The id of the new session, or 0. */
static int32_t create(fetch_sessions *self, const fetch_wish *wishes,
                      const fetch_result *results, size_t count, bool uses_ids,
                      int64_t now_ms)
{
    fetch_session *gone = NULL;
    if (map_count(&self->sessions) >= self->slots) {
        gone = evictable(self, count, now_ms);
        if (gone == NULL) {
            return 0;
        }
    }
    fetch_session *made = fetch_session_new(uses_ids);
    for (size_t i = 0; i < count; i++) {
        uint32_t place = fetch_session_put(made, &wishes[i]);
        made->partitions[place].high_watermark = results[i].high_watermark;
        made->partitions[place].log_start_offset = results[i].log_start_offset;
        if (self->bytes + fetch_session_bytes(made) > self->bytes_max) {
            fetch_session_free(made);
            return 0;
        }
    }
    if (gone != NULL) {
        drop(self, gone);
        self->evictions++;
    }
    made->id = new_id(self);
    made->epoch = first_epoch + 1;
    made->created_ms = made->used_ms = now_ms;
    map_put(&self->sessions, &made->id, sizeof made->id, made);
    list_append(self, made);
    count_in(self, made);
    return made->id;
}

/* ---- A request begins ------------------------------------------------------------ */

/* What each partition of a request says; false from `visit` ends the walk. */
typedef bool wish_visit(void *context, const fetch_wish *wish);

static bool each_wish(const fetch_request *asked, wish_visit *visit, void *context)
{
    for (size_t i = 0; i < asked->topics.count; i++) {
        const fetch_request_topic *topic = &asked->topics.items[i];
        for (size_t j = 0; j < topic->partitions.count; j++) {
            const fetch_request_partition *one = &topic->partitions.items[j];
            fetch_wish wish = {.topic = topic->topic,
                               .topic_id = topic->topic_id,
                               .partition = one->partition,
                               .bytes_max = one->partition_max_bytes,
                               .offset = one->fetch_offset,
                               .current_leader_epoch = one->current_leader_epoch,
                               .last_fetched_epoch = one->last_fetched_epoch};
            if (!visit(context, &wish)) {
                return false;
            }
        }
    }
    return true;
}

typedef struct growth {
    fetch_session *session;
    size_t bytes_max;
} growth;

static bool put_wish(void *context, const fetch_wish *wish)
{
    growth *self = context;
    fetch_session_put(self->session, wish);
    return fetch_session_bytes(self->session) <= self->bytes_max;
}

static void forget_all(fetch_session *session, const fetch_request *asked)
{
    for (size_t i = 0; i < asked->forgotten_topics_data.count; i++) {
        const fetch_request_forgotten_topic *gone =
            &asked->forgotten_topics_data.items[i];
        for (size_t j = 0; j < gone->partitions.count; j++) {
            fetch_session_forget(session, gone->topic, &gone->topic_id,
                                 gone->partitions.items[j]);
        }
    }
}

/* False: there is no room for what it adds. */
static bool update(fetch_sessions *self, fetch_session *session,
                   const fetch_request *asked)
{
    count_out(self, session);
    growth grown = {session, self->bytes_max - self->bytes};
    bool fits = each_wish(asked, put_wish, &grown);
    if (fits) {
        forget_all(session, asked);
    }
    count_in(self, session);
    return fits;
}

int32_t fetch_session_epoch_after(int32_t epoch)
{
    return epoch == INT32_MAX ? 1 : epoch + 1;
}

static int16_t go_on(fetch_sessions *self, const fetch_request *asked, int version,
                     int64_t now_ms, fetch_kind *ret_kind)
{
    fetch_session *session = find(self, asked->session_id);
    if (session == NULL) {
        return ERROR_FETCH_SESSION_ID_NOT_FOUND;
    }
    if (session->epoch != asked->session_epoch) {
        return ERROR_INVALID_FETCH_SESSION_EPOCH;
    }
    if (session->uses_ids != (version >= fetch_ids_from_version)) {
        return ERROR_FETCH_SESSION_TOPIC_ID_ERROR;
    }
    if (!update(self, session, asked)) {
        drop(self, session);
        return ERROR_FETCH_SESSION_ID_NOT_FOUND;
    }
    *ret_kind = session->count == 0 ? FETCH_ALONE : FETCH_INCREMENTAL;
    if (session->count == 0) {
        drop(self, session);
        return ERROR_NONE;
    }
    touch(self, session, now_ms);
    session->epoch = fetch_session_epoch_after(session->epoch);
    return ERROR_NONE;
}

int16_t fetch_sessions_begin(fetch_sessions *self, const fetch_request *asked,
                             int version, int64_t now_ms, fetch_kind *ret_kind)
{
    int16_t code = ERROR_NONE;
    pthread_mutex_lock(&self->lock);
    if (asked->session_epoch == first_epoch || asked->session_epoch == final_epoch) {
        fetch_session *ended = find(self, asked->session_id);
        if (ended != NULL) {
            drop(self, ended);
        }
        *ret_kind = asked->session_epoch == first_epoch ? FETCH_FULL : FETCH_ALONE;
    } else {
        code = go_on(self, asked, version, now_ms, ret_kind);
    }
    pthread_mutex_unlock(&self->lock);
    return code;
}

/* ---- What it wants --------------------------------------------------------------- */

/* The session of a request that has begun. */
static int16_t find_again(const fetch_sessions *self, const fetch_request *asked,
                          fetch_session **ret_session)
{
    *ret_session = find(self, asked->session_id);
    return *ret_session == NULL ? ERROR_FETCH_SESSION_ID_NOT_FOUND
           : (*ret_session)->epoch != fetch_session_epoch_after(asked->session_epoch)
               ? ERROR_INVALID_FETCH_SESSION_EPOCH
               : ERROR_NONE;
}

typedef struct wish_list {
    fetch_wish *items;
    size_t count;
} wish_list;

static bool add_wish(void *context, const fetch_wish *wish)
{
    wish_list *self = context;
    self->items[self->count++] = *wish;
    return true;
}

static bool count_wish(void *context, const fetch_wish *wish)
{
    ((wish_list *)context)->count++;
    return true;
}

static void take_from_request(const fetch_request *asked, sluice_arena *arena,
                              wish_list *list)
{
    each_wish(asked, count_wish, list);
    list->items = sluice_arena_take(arena, list->count * sizeof *list->items);
    list->count = 0;
    each_wish(asked, add_wish, list);
}

static void take_from_session(const fetch_session *session, sluice_arena *arena,
                              wish_list *list)
{
    list->items = sluice_arena_take(arena, session->count * sizeof *list->items);
    uint32_t known = UINT32_MAX;
    message_text name = {"", 0};
    for (uint32_t at = session->first; at != fetch_session_nowhere;
         at = session->partitions[at].next) {
        const session_partition *one = &session->partitions[at];
        const session_topic *topic = &session->topics[one->topic];
        if (one->topic != known && topic->name != NULL) {
            name.base = sluice_arena_copy(arena, topic->name, topic->name_len);
            name.len = topic->name_len;
        }
        known = one->topic;
        list->items[list->count++] =
            (fetch_wish){.topic = name,
                         .topic_id = topic->id,
                         .partition = one->number,
                         .bytes_max = one->bytes_max,
                         .offset = one->offset,
                         .current_leader_epoch = one->current_leader_epoch,
                         .last_fetched_epoch = one->last_fetched_epoch,
                         .place = at};
    }
}

int16_t fetch_sessions_wishes(fetch_sessions *self, const fetch_request *asked,
                              fetch_kind kind, sluice_arena *arena,
                              fetch_wish **ret_wishes, size_t *ret_count)
{
    wish_list list = {NULL, 0};
    int16_t code = ERROR_NONE;
    if (kind == FETCH_INCREMENTAL) {
        fetch_session *session;
        pthread_mutex_lock(&self->lock);
        code = find_again(self, asked, &session);
        if (code == ERROR_NONE) {
            take_from_session(session, arena, &list);
        }
        pthread_mutex_unlock(&self->lock);
    } else {
        take_from_request(asked, arena, &list);
    }
    *ret_wishes = list.items;
    *ret_count = list.count;
    return code;
}

/* ---- What it is told ------------------------------------------------------------- */

/* Whether the client does not know it yet; it will from now on. */
static bool note_news(session_partition *one, const fetch_result *result)
{
    bool news = result->bytes > 0 || result->diverged ||
                result->error_code != ERROR_NONE ||
                one->high_watermark != result->high_watermark ||
                one->log_start_offset != result->log_start_offset;
    one->log_start_offset = result->log_start_offset;
    /* After an error the partition is told again, whatever it is like then. */
    one->high_watermark =
        result->error_code != ERROR_NONE ? -1 : result->high_watermark;
    return news;
}

static void pick_news(fetch_session *session, const fetch_wish *wishes,
                      fetch_result *results, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        session_partition *one = &session->partitions[wishes[i].place];
        results[i].told = note_news(one, &results[i]);
        if (results[i].bytes > 0) {
            fetch_session_move_last(session, wishes[i].place);
        }
    }
}

int16_t fetch_sessions_end(fetch_sessions *self, const fetch_request *asked,
                           int version, fetch_kind kind, const fetch_wish *wishes,
                           fetch_result *results, size_t count, int64_t now_ms,
                           int32_t *ret_session_id)
{
    int16_t code = ERROR_NONE;
    *ret_session_id = 0;
    if (kind == FETCH_INCREMENTAL) {
        fetch_session *session;
        pthread_mutex_lock(&self->lock);
        code = find_again(self, asked, &session);
        if (code == ERROR_NONE) {
            pick_news(session, wishes, results, count);
        }
        pthread_mutex_unlock(&self->lock);
        *ret_session_id = asked->session_id;
        return code;
    }
    for (size_t i = 0; i < count; i++) {
        results[i].told = true;
    }
    if (kind == FETCH_FULL) {
        pthread_mutex_lock(&self->lock);
        *ret_session_id = create(self, wishes, results, count,
                                 version >= fetch_ids_from_version, now_ms);
        pthread_mutex_unlock(&self->lock);
    }
    return code;
}
