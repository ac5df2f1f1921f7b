/* Fetch: whole batches, straight from the log; and waiting for more of them.
 *
 * What is there is read first. If that is less than min_bytes, the request is parked:
 *
 *     look ── enough, an error, or no time to wait ──► answer
 *      ▲ └── watch ── nothing came in the meantime ──► parked
 *      └────────── wake (any thread), timer ◄────────────┘
 *
 * What a request of a session leaves out is known to the session, and what is no news
 * is left out of the answer (fetch_session.h). */
#include "broker/request/fetch_round.h"

static void on_sent(request *self)
{
    fetch_round_release(self->state);
}

/* ---- The answer ------------------------------------------------------------------ */

static size_t count_told(const fetch_result *results, size_t count)
{
    size_t told = 0;
    for (size_t i = 0; i < count; i++) {
        told += results[i].told;
    }
    return told;
}

/* Those that are told, in order; neighbours of the same topic stand together. */
static void put_topics(const fetch_round *round, const fetch_result *results,
                       fetch_response *response)
{
    request *self = round->owner;
    size_t told = count_told(results, round->count), next = 0;
    fetch_response_partition *answers = request_items(self, told, sizeof *answers);
    RESPONSE_ARRAY(self, response->responses, told);
    response->responses.count = 0;
    const fetch_wish *before = NULL;
    fetch_response_topic *last = NULL;
    for (size_t i = 0; i < round->count; i++) {
        if (!results[i].told) {
            continue;
        }
        const fetch_wish *wish = &round->wishes[i];
        if (before == NULL || !fetch_wish_same_topic(before, wish)) {
            last = &response->responses.items[response->responses.count++];
            *last = fetch_response_topic_defaults;
            last->topic = wish->topic;
            last->topic_id = wish->topic_id;
            last->partitions.items = &answers[next];
        }
        before = wish;
        answers[next++] = round->answers[i];
        last->partitions.count++;
    }
}

/* Where the leader is that a refused client does not know of. */
static void put_endpoint(const fetch_round *round, fetch_response *response)
{
    request *self = round->owner;
    bool named = false;
    for (size_t i = 0; i < round->count; i++) {
        named = named || round->answers[i].current_leader.leader_id >= 0;
    }
    if (!named) {
        return;
    }
    RESPONSE_ARRAY(self, response->node_endpoints, 1);
    fetch_response_node *node = response->node_endpoints.items;
    *node = fetch_response_node_defaults;
    node->node_id = parts_of(self)->config->node_id;
    node->rack = message_text_of(parts_of(self)->config->rack);
    advertised_address(self, &node->host, &node->port);
}

static fetch_result *list_results(const fetch_round *round)
{
    fetch_result *results = request_items(round->owner, round->count, sizeof *results);
    for (size_t i = 0; i < round->count; i++) {
        const fetch_response_partition *answer = &round->answers[i];
        results[i] = (fetch_result){.error_code = answer->error_code,
                                    .high_watermark = answer->high_watermark,
                                    .log_start_offset = answer->log_start_offset,
                                    .bytes = answer->records.len,
                                    .diverged = answer->diverging_epoch.epoch >= 0};
    }
    return results;
}

static void answer(fetch_round *round)
{
    request *self = round->owner;
    fetch_result *results = list_results(round);
    fetch_response response;
    fetch_response_init(&response);
    response.error_code =
        fetch_sessions_end(parts_of(self)->fetch_sessions, round->asked,
                           self->header.api_version, round->kind, round->wishes,
                           results, round->count, loop_now_ms(), &response.session_id);
    if (response.error_code == ERROR_NONE) {
        put_topics(round, results, &response);
        put_endpoint(round, &response);
    }
    self->state = round->held;
    self->sent = on_sent;
    request_answer(self, self->header.api_version, &response);
}

static void answer_error(request *self, int16_t code)
{
    fetch_response response;
    fetch_response_init(&response);
    response.error_code = code;
    request_answer(self, self->header.api_version, &response);
}

/* ---- The request ----------------------------------------------------------------- */

/* NONE, and what there is is read. */
static int16_t look(fetch_round *ret_round, request *self, const fetch_request *asked,
                    fetch_kind kind, bool again)
{
    *ret_round =
        (fetch_round){.owner = self, .asked = asked, .kind = kind, .again = again};
    int16_t code = fetch_sessions_wishes(parts_of(self)->fetch_sessions, asked, kind,
                                         request_arena(self), &ret_round->wishes,
                                         &ret_round->count);
    if (code == ERROR_NONE) {
        fetch_round_read(ret_round);
    }
    return code;
}

void handle_fetch(request *self, const void *message)
{
    const fetch_request *asked = message;
    fetch_park *park = self->state; /* NULL: it did not wait yet. */
    fetch_kind kind = FETCH_ALONE;
    int16_t code = ERROR_NONE;
    if (park != NULL) {
        kind = fetch_park_kind(park);
    } else {
        code = fetch_sessions_begin(parts_of(self)->fetch_sessions, asked,
                                    self->header.api_version, loop_now_ms(), &kind);
    }
    fetch_round round;
    while (code == ERROR_NONE) {
        code = look(&round, self, asked, kind, park != NULL);
        if (code != ERROR_NONE || fetch_round_enough(&round) ||
            asked->max_wait_ms <= 0 || (park != NULL && fetch_park_late(park))) {
            break;
        }
        park = fetch_park_wait(park, &round);
        if (park == NULL) {
            return;
        }
    }
    fetch_park_free(park);
    if (code == ERROR_NONE) {
        answer(&round);
    } else {
        answer_error(self, code);
    }
}
