/* A plugin that crashes says first which task it was in. */
#include "worker/host/crash.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { stack_bytes = 64 * 1024 };

static control_doing_page *page_of_process;
static _Thread_local int slot_of_thread;

/* The sixth number of /proc/self/statm: pages of data and stacks. Only calls that a
 * handler may make. */
static uint32_t data_kib(void)
{
    char text[128] = "";
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    for (ssize_t i = 0, field = 0; i < len && field < 6; i++) {
        if (text[i] == ' ') {
            field++;
        } else if (field == 5) {
            pages = pages * 10 + (uint64_t)(text[i] - '0');
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return (uint32_t)(pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
}

static void note_and_die(int number)
{
    atomic_store(&page_of_process->data_kib, data_kib());
    atomic_store(&page_of_process->crashed, (uint32_t)slot_of_thread + 1);
    raise(number); /* The handler is gone after one use, so this ends the process. */
}

void crash_watch(control_doing_page *page)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
    page_of_process = page;
#if !defined(__SANITIZE_ADDRESS__) /* Which has a handler that tells more. */
    struct sigaction action = {.sa_handler = note_and_die,
                               .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        sigaction(fatal[i], &action, NULL);
    }
#else
    (void)fatal;
    (void)note_and_die;
#endif
}

void *crash_thread_begins(int slot)
{
    slot_of_thread = slot;
    stack_t stack = {.ss_sp = malloc(stack_bytes), .ss_size = stack_bytes};
    if (stack.ss_sp != NULL) {
        sigaltstack(&stack, NULL);
    }
    return stack.ss_sp;
}

void crash_thread_ends(void *stack)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
    free(stack);
}
