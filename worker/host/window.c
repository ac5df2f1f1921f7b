/* Statistics over a moving window: pieces of time, the oldest of which is reused. */
#include "worker/host/window.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

void window_init(moving_window *self, size_t pieces, int64_t piece_ms)
{
    *self =
        (moving_window){memory_zero(pieces * sizeof *self->pieces), pieces, piece_ms};
}

void window_done(moving_window *self)
{
    free(self->pieces);
}

void window_note(moving_window *self, double value, int64_t now)
{
    window_piece *newest = self->pieces, *oldest = self->pieces;
    for (size_t i = 1; i < self->count; i++) {
        window_piece *one = &self->pieces[i];
        newest = one->began_ms > newest->began_ms ? one : newest;
        oldest = one->began_ms < oldest->began_ms ? one : oldest;
    }
    if (newest->began_ms == 0 || now - newest->began_ms >= self->piece_ms) {
        newest = oldest;
        *newest = (window_piece){.began_ms = now, .max = value};
    }
    newest->sum += value;
    newest->max = value > newest->max ? value : newest->max;
    newest->count++;
}

/* What the window holds now, as one piece that began with its oldest. */
static window_piece combined(const moving_window *self, int64_t now)
{
    window_piece all = {.began_ms = now, .max = -INFINITY};
    for (size_t i = 0; i < self->count; i++) {
        const window_piece *one = &self->pieces[i];
        if (one->count == 0 ||
            now - one->began_ms >= (int64_t)self->count * self->piece_ms) {
            continue;
        }
        all.began_ms = one->began_ms < all.began_ms ? one->began_ms : all.began_ms;
        all.sum += one->sum;
        all.max = one->max > all.max ? one->max : all.max;
        all.count += one->count;
    }
    return all;
}

double window_average(const moving_window *self, int64_t now)
{
    window_piece all = combined(self, now);
    return all.count == 0 ? NAN : all.sum / (double)all.count;
}

double window_highest(const moving_window *self, int64_t now)
{
    window_piece all = combined(self, now);
    return all.count == 0 ? NAN : all.max;
}

double window_rate(const moving_window *self, int64_t now)
{
    window_piece all = combined(self, now);
    int64_t elapsed = now - all.began_ms, least = (int64_t)self->count - 1;
    int64_t whole = elapsed / self->piece_ms;
    if (whole < least) {
        elapsed += (least - whole) * self->piece_ms;
    }
    return all.count == 0 || elapsed <= 0 ? 0 : all.sum * 1000 / (double)elapsed;
}
