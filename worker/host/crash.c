/* A plugin that crashes says first which task it was in. */
#include "worker/host/crash.h"
#include <signal.h>
#include <stdlib.h>

enum { stack_bytes = 64 * 1024 };

static control_doing_page *page_of_process;
static _Thread_local int slot_of_thread;

static void note_and_die(int number)
{
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
