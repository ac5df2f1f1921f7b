/* One request and its answer. */
#include "exchange.h"
#include <stdio.h>

enum { read_size = 16 << 10 };

static bool is_sent(const http_exchange *self)
{
    return self->sent == self->request->pieces[0].len + self->request->pieces[1].len;
}

static void say(http_exchange *self, const char *why)
{
    snprintf(self->text, sizeof self->text, "%s", why);
}

/* It is over: without an answer, for the reason `why`, or with one. */
static void conclude(http_exchange *self, const char *why)
{
    const http_reply *reply = &self->reply;
    bool success = http_codes_have(self->success, reply->status);
    self->over = true;
    self->answered = http_reply_has_head(reply) && (is_sent(self) || !success);
    if (!self->answered) {
        say(self, why);
    }
    if (self->answered && is_sent(self) && reply->part == HTTP_REPLY_DONE &&
        reply->keep) {
        self->link.used = true;
        return;
    }
    http_link_close(&self->link);
}

static void send_some(http_exchange *self)
{
    while (!is_sent(self)) {
        http_io io = http_link_send(&self->link, self->request->pieces, &self->sent);
        if (io != HTTP_IO_SOME) {
            return; /* A failure shows when the answer is read, which may be there. */
        }
    }
}

static void attend(http_exchange *self, int64_t now_ms);

static void connect_anew(http_exchange *self, int64_t now_ms)
{
    self->sent = 0;
    self->kept = false;
    http_reply_begin(&self->reply);
    http_link_connect(&self->link, self->network, self->deadline_ms - now_ms);
    attend(self, now_ms);
}

/* The connection is at its end, in the middle of something. */
static void ended(http_exchange *self, const char *why, int64_t now_ms)
{
    bool silent = self->reply.part == HTTP_REPLY_STATUS && self->reply.head == 0;
    if (self->kept && silent && now_ms < self->deadline_ms) {
        connect_anew(self, now_ms);
        return;
    }
    http_reply_end(&self->reply);
    conclude(self, why);
}

/* Reads what there is; false once it is over. */
static bool receive_some(http_exchange *self, int64_t now_ms)
{
    char bytes[read_size];
    for (;;) {
        size_t len;
        http_io io = http_link_receive(&self->link, bytes, sizeof bytes, &len);
        if (io == HTTP_IO_WAIT) {
            return true;
        }
        if (io != HTTP_IO_SOME) {
            ended(self,
                  io == HTTP_IO_FAILED ? self->link.text
                                       : "the connection was closed by the server",
                  now_ms);
            return false;
        }
        size_t used = http_reply_feed(&self->reply, bytes, len);
        if (used < len) {
            self->reply.keep = false;
        }
        if (self->reply.part >= HTTP_REPLY_DONE) {
            return true;
        }
        if (len < sizeof bytes && !self->link.buffers) {
            return true;
        }
    }
}

/* Whether the answer is complete, or will never be. */
static void look(http_exchange *self, int64_t now_ms)
{
    const http_reply *reply = &self->reply;
    bool head = http_reply_has_head(reply);
    bool early =
        head && !is_sent(self) && http_codes_have(self->success, reply->status);
    if (head && !early && !self->draining) {
        self->draining = true;
        if (reply->part < HTTP_REPLY_DONE) {
            http_link_acknowledge(&self->link);
        }
        self->deadline_ms = self->deadline_ms < now_ms + HTTP_DRAIN_MS
                                ? self->deadline_ms
                                : now_ms + HTTP_DRAIN_MS;
    }
    if (reply->part == HTTP_REPLY_BROKEN) {
        conclude(self, reply->fault);
    } else if (reply->part == HTTP_REPLY_DONE && !early) {
        conclude(self, "");
    } else if (now_ms >= self->deadline_ms) {
        conclude(self, early ? "a success was answered before the request was whole"
                             : "no answer within http.timeout");
    }
}

static void attend(http_exchange *self, int64_t now_ms)
{
    if (self->link.state == HTTP_LINK_REFUSED) {
        self->over = true;
        self->final = self->link.final;
        say(self, self->link.text);
        http_link_close(&self->link);
    } else if (self->link.state == HTTP_LINK_OPEN) {
        send_some(self);
    }
}

void http_exchange_begin(http_exchange *self, http_network *network,
                         const http_request *request, const http_codes *success,
                         int64_t now_ms, int64_t timeout_ms)
{
    self->network = network;
    self->request = request;
    self->success = success;
    self->sent = 0;
    self->deadline_ms = now_ms + timeout_ms;
    self->answered = self->over = self->final = self->draining = false;
    self->kept = self->link.state == HTTP_LINK_OPEN && http_link_is_quiet(&self->link);
    if (self->kept) {
        http_reply_begin(&self->reply);
        attend(self, now_ms);
    } else {
        connect_anew(self, now_ms);
    }
}

short http_exchange_events(const http_exchange *self)
{
    if (self->link.state != HTTP_LINK_OPEN) {
        return 0;
    }
    return is_sent(self) ? POLLIN : POLLIN | POLLOUT;
}

void http_exchange_step(http_exchange *self, short revents, int64_t now_ms)
{
    if (self->link.state != HTTP_LINK_OPEN) {
        attend(self, now_ms);
        if (!self->over && now_ms >= self->deadline_ms) {
            conclude(self, "no connection within http.timeout");
        }
        return;
    }
    if (revents & POLLOUT || self->sent == 0) {
        send_some(self);
    }
    if (revents != 0 && !receive_some(self, now_ms)) {
        return;
    }
    look(self, now_ms);
}

void http_exchange_cancel(http_exchange *self)
{
    self->over = true;
    http_link_close(&self->link);
}
