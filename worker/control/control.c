/* The words and the shared page of the control channel. */
#include "worker/control/control.h"
#include "base/text.h"
#include "lib/task.h"
#include <stdio.h>
#include <string.h>

const char *control_call_name(uint32_t call)
{
    static const char *const names[] = {
        [CONTROL_CALL_NONE] = "nothing",        [CONTROL_CALL_LOAD] = "load",
        [CONTROL_CALL_SPLIT] = "split",         [CONTROL_CALL_CREATE] = "create",
        [CONTROL_CALL_POLL] = "poll",           [CONTROL_CALL_COMMITTED] = "committed",
        [CONTROL_CALL_TRANSFORM] = "transform", [CONTROL_CALL_CONVERT] = "convert",
        [CONTROL_CALL_PRODUCE] = "produce",     [CONTROL_CALL_CONSUME] = "consume",
        [CONTROL_CALL_OPEN] = "open",           [CONTROL_CALL_PUT] = "put",
        [CONTROL_CALL_FLUSH] = "flush",         [CONTROL_CALL_CLOSE] = "close",
        [CONTROL_CALL_DESTROY] = "destroy",     [CONTROL_CALL_CHECK] = "check",
    };
    call &= ~TASK_WAITS;
    return call < sizeof names / sizeof *names ? names[call] : "unknown";
}

bool control_call_is_plugin(uint32_t call)
{
    return call != CONTROL_CALL_NONE && call != CONTROL_CALL_PRODUCE &&
           call != CONTROL_CALL_CONSUME && (call & TASK_WAITS) == 0;
}

static int slot_text(const control_doing_page *page, size_t slot, char *text,
                     size_t size)
{
    char note[CONTROL_NOTE_SIZE];
    memcpy(note, page->slots[slot].note, sizeof note);
    note[sizeof note - 1] = '\0';
    note[text_is_utf8(note, strlen(note)) ? sizeof note - 1 : 0] = '\0';
    uint32_t call = atomic_load(&page->slots[slot].call);
    const char *name = control_call_name(call);
    if (slot == 0) {
        return snprintf(text, size, "in %s", name);
    }
    return snprintf(text, size, "in %s of task %zu%s%s%s", name, slot - 1,
                    *note == '\0' ? "" : " (", note, *note == '\0' ? "" : ")");
}

void control_doing_text(const control_doing_page *page, char *ret_text, size_t size)
{
    *ret_text = '\0';
    uint32_t crashed = atomic_load(&page->crashed);
    if (crashed > 0 && crashed <= CONTROL_DOING_TASKS + 1) {
        slot_text(page, crashed - 1, ret_text, size);
        return;
    }
    size_t len = 0;
    for (size_t slot = 0; slot <= CONTROL_DOING_TASKS && len < size; slot++) {
        if (atomic_load(&page->slots[slot].call) != CONTROL_CALL_NONE) {
            len += (size_t)snprintf(ret_text + len, size - len, "%s",
                                    len == 0 ? "" : ", ");
            len += len < size
                       ? (size_t)slot_text(page, slot, ret_text + len, size - len)
                       : 0;
        }
    }
}
