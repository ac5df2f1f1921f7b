/* Whose connection ends where there are too many. */
#include "worker/rest/patience.h"
#include "base/memory.h"
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

struct patience_entry {
    patience_entry *before, *after;
    bool waits; /* It is in the list. */
    int fd;     /* -1: shut down already. */
};

static void take_out(patience *self, patience_entry *entry)
{
    *(entry->before == NULL ? &self->first : &entry->before->after) = entry->after;
    *(entry->after == NULL ? &self->last : &entry->after->before) = entry->before;
    entry->before = entry->after = NULL;
    entry->waits = false;
}

static void put_last(patience *self, patience_entry *entry)
{
    entry->before = self->last;
    *(self->last == NULL ? &self->first : &self->last->after) = entry;
    self->last = entry;
    entry->waits = true;
}

/* libmicrohttpd sees an end, and closes. */
static void end_first(patience *self)
{
    patience_entry *entry = self->first;
    take_out(self, entry);
    shutdown(entry->fd, SHUT_RDWR);
    entry->fd = -1;
}

patience_entry *patience_begin(patience *self, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    patience_entry *entry = memory_zero(sizeof *entry);
    entry->fd = info == NULL ? -1 : info->connect_fd;
    if (self->count >= self->max && self->first != NULL) {
        end_first(self);
    }
    self->count++;
    put_last(self, entry);
    return entry;
}

void patience_end(patience *self, patience_entry *entry)
{
    if (entry == NULL) {
        return;
    }
    patience_pause(self, entry);
    self->count--;
    free(entry);
}

void patience_pause(patience *self, patience_entry *entry)
{
    if (entry->waits) {
        take_out(self, entry);
    }
}

void patience_resume(patience *self, patience_entry *entry)
{
    if (!entry->waits && entry->fd >= 0) {
        put_last(self, entry);
    }
}
