/* The arithmetic of a share of the processor, and what a tree of processes has used. */
#include "worker/throttle.h"
#include "base/text.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int64_t millisecond = 1000 * 1000;
static const double idle_rate = 0.001;

enum {
    period_ms = 100,       /* Nobody saves up more than it gives. */
    silence_ms_max = 2000, /* Nobody owes more than it takes. */
    look_ms_min = 5,
    look_ms_max = 100,
    idle_look_ms = 250,
};

void throttle_init(throttle *self, int64_t percent, int64_t now_ns)
{
    *self = (throttle){.percent = percent, .look_ns = now_ns, .rate = -1};
    self->balance_ns = percent * period_ms * millisecond / 100;
}

static int64_t within(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* How long the balance lasts at the rate of the last look. */
static int64_t patience_ns(const throttle *self)
{
    int64_t full = self->percent * period_ms * millisecond / 100;
    if (self->stopped) {
        int64_t wait = (full - self->balance_ns) * 100 / self->percent;
        return within(wait, millisecond, silence_ms_max * millisecond);
    }
    if (self->rate < 0) {
        return look_ms_min * millisecond;
    }
    if (self->rate < idle_rate) {
        return idle_look_ms * millisecond;
    }
    double lasts = (double)self->balance_ns / self->rate;
    return lasts >= (double)(look_ms_max * millisecond)
               ? look_ms_max * millisecond
               : within((int64_t)lasts, look_ms_min * millisecond,
                        look_ms_max * millisecond);
}

throttle_deed throttle_look(throttle *self, uint64_t used_ns, int64_t now_ns,
                            int64_t *ret_next_ns)
{
    int64_t full = self->percent * period_ms * millisecond / 100;
    int64_t elapsed = within(now_ns - self->look_ns, 0, 3600 * 1000 * millisecond);
    int64_t spent = used_ns > self->used_ns ? (int64_t)(used_ns - self->used_ns) : 0;
    throttle_deed deed = THROTTLE_NOTHING;
    self->balance_ns =
        within(self->balance_ns + elapsed * self->percent / 100 - spent,
               -self->percent * silence_ms_max * millisecond / 100, full);
    self->look_ns = now_ns;
    self->used_ns = used_ns;
    if (!self->stopped && elapsed > 0) {
        self->rate = (double)spent / (double)elapsed;
    }
    if (self->stopped) {
        self->held_ns += elapsed;
        deed = self->balance_ns >= full ? THROTTLE_CONTINUE
               : spent >= millisecond   ? THROTTLE_STOP
                                        : THROTTLE_NOTHING;
    } else if (self->balance_ns <= 0) {
        deed = THROTTLE_STOP;
    }
    self->stopped =
        deed == THROTTLE_STOP || (self->stopped && deed != THROTTLE_CONTINUE);
    *ret_next_ns = now_ns + patience_ns(self);
    return deed;
}

/* --- What processes have used. --- */

/* To the nanosecond, with all threads. */
static uint64_t own_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0;
    }
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

/* The first bytes of a file of /proc, NUL-ended; "": it is not there any more. */
static void read_file(const char *path, char *ret_text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, ret_text, size - 1);
    ret_text[len < 0 ? 0 : len] = '\0';
    if (fd >= 0) {
        close(fd);
    }
}

/* Of its children that have ended and that it has waited for: in ticks, the 16th and
 * 17th number of /proc/PID/stat. The name before them ends in the last ')'. */
static uint64_t waited_ns(pid_t pid)
{
    char path[64], text[1024];
    unsigned long long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    read_file(path, text, sizeof text);
    const char *at = strrchr(text, ')');
    if (at == NULL || sscanf(at + 1,
                             " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                             "%llu %llu",
                             &user, &system) != 2) {
        return 0;
    }
    return (user + system) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
}

static void add_children(const char *text, pid_t *tree, size_t *count)
{
    while (*text != '\0' && *count < THROTTLE_TREE_MAX) {
        int64_t pid = 0;
        size_t len = strcspn(text, " \n");
        bool whole = text[len] == ' '; /* It stands behind each, the last too. */
        if (whole && text_to_int64_of(text, len, &pid) && pid > 1) {
            tree[(*count)++] = (pid_t)pid;
        }
        text += len;
        text += strspn(text, " \n");
    }
}

/* The children of each of its threads. */
static void add_children_of(pid_t pid, pid_t *tree, size_t *count)
{
    char path[320], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    const struct dirent *thread;
    while (threads != NULL && (thread = readdir(threads)) != NULL) {
        if (thread->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid,
                     thread->d_name);
            read_file(path, text, sizeof text);
            add_children(text, tree, count);
        }
    }
    if (threads != NULL) {
        closedir(threads);
    }
}

uint64_t throttle_tree_used(pid_t root, pid_t *ret_tree, size_t *ret_count)
{
    uint64_t used = 0;
    size_t count = 1;
    ret_tree[0] = root;
    for (size_t i = 0; i < count; i++) {
        used += own_ns(ret_tree[i]) + waited_ns(ret_tree[i]);
        add_children_of(ret_tree[i], ret_tree, &count);
    }
    *ret_count = count;
    return used;
}
