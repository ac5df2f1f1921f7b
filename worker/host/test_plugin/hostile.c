/* What a plugin does that means harm to the worker and to the machine. */
#include "misbehave.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    control_fd = 3, /* The first that a host is given. */
    megabyte = 1024 * 1024,
    lines = 200000,
    line_megabytes = 70,
    processes = 100,
    tasks = 20000,
};

static void say(const char *base, size_t len)
{
    while (len > 0) {
        ssize_t sent = write(control_fd, base, len);
        if (sent <= 0) {
            return;
        }
        base += sent;
        len -= (size_t)sent;
    }
}

static void say_text(const char *text)
{
    say(text, strlen(text));
}

/* Words of the channel with the wrong things in them. */
void hostile_say_nonsense(void)
{
    static const char *const nonsense[] = {
        "{}",
        "{\"tasks\":7}",
        "{\"tasks\":[[],7,null,\"x\"]}",
        "{\"task\":99999999999999,\"state\":\"RUNNING\"}",
        "{\"task\":-1,\"state\":\"FAILED\",\"trace\":{}}",
        "{\"task\":0,\"state\":[]}",
        "{\"task\":{},\"state\":\"\"}",
        "{\"connector\":[]}",
        "{\"connector\":{\"state\":7,\"type\":[],\"class\":{}}}",
        "{\"pong\":{},\"tasks\":{}}",
        "{\"pong\":[],\"tasks\":[7,[],{\"id\":\"x\"}]}",
        "{\"pong\":1,\"tasks\":[{\"id\":0,\"gauges\":[],\"figures\":7,\"stages\":\"x\","
        "\"places\":[7,[],[{},{},{},{},{}],[\"t\"]],\"doing\":[],\"retry\":{}}]}",
        "{\"pong\":1,\"tasks\":[{\"id\":0,\"gauges\":{\"\":1,\"a{\":0},"
        "\"figures\":{\"batch-size-avg\":\"x\"},\"stuck\":-5,\"call\":[]}]}",
        "{\"offsets\":7,\"seq\":\"x\"}",
        "{\"offsets\":[7,[],[1],[[],[],[]]],\"seq\":-1}",
        "{\"offsets\":[[{\"a\":1},7],[null,null]],\"seq\":9223372036854775807}",
        "{\"topic\":{}}",
        "{\"topic\":\"\\u0000\"}",
        "{\"validated\":{},\"id\":1}",
        "{\"plugins\":[],\"refused\":[]}",
        "{\"group_offsets\":[],\"id\":1}",
        "{\"cluster\":{}}",
        "{\"stop\":true}",
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        say_text(nonsense[i]);
        say_text("\n");
    }
}

/* More lines than anybody can read. */
void hostile_flood(void)
{
    for (int i = 0; i < lines; i++) {
        char line[64];
        snprintf(line, sizeof line, "{\"topic\":\"flood-%d\"}\n", i);
        say_text(line);
    }
}

void hostile_say_much(void)
{
    char *much = malloc(megabyte);
    memset(much, '[', megabyte);
    say_text("{\"x\":");
    for (int i = 0; i < line_megabytes; i++) {
        say(much, megabyte);
    }
    free(much);
}

void hostile_many_tasks(void)
{
    static const char begin[] = "{\"tasks\":[{}", end[] = "]}\n";
    char *text = malloc(sizeof begin + sizeof end + 3 * tasks), *at = text;
    at = stpcpy(at, begin);
    for (int i = 1; i < tasks; i++) {
        at = stpcpy(at, ",{}");
    }
    stpcpy(at, end);
    say_text(text);
    free(text);
}

/* The page that the worker looks into when we are dead. */
void hostile_damage_page(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        void *begin, *end;
        if (strstr(line, "sluice-doing") == NULL ||
            sscanf(line, "%p-%p", &begin, &end) != 2) {
            continue;
        }
        memset(begin, 0xff, (size_t)((char *)end - (char *)begin));
        char path[128];
        snprintf(path, sizeof path, "/proc/self/map_files/%.*s",
                 (int)strcspn(line, " "), line);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd >= 0) {
            (void)!ftruncate(fd, 0);
            close(fd);
        }
    }
    if (maps != NULL) {
        fclose(maps);
    }
    _exit(9);
}

void hostile_print_without_end(void)
{
    char much[4096];
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = '\n';
    for (;;) {
        (void)!write(STDOUT_FILENO, much, sizeof much);
    }
}

void hostile_stop(void)
{
    raise(SIGSTOP);
}

/* Processes in sessions of their own, each of which has left its parent. */
void hostile_many_processes(void)
{
    for (int i = 0; i < processes; i++) {
        if (fork() == 0) {
            setsid();
            if (fork() == 0) {
                signal(SIGTERM, SIG_IGN);
                for (;;) {
                    pause();
                }
            }
            _exit(0);
        }
    }
    _exit(8);
}

/* Whom it can name without looking. Where the kernel does not keep it from that, the
 * tests must not try. */
void hostile_attack_parent(void)
{
    if (kill(getppid(), SIGKILL) == 0 || ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0) {
        _exit(7);
    }
}

void hostile_take_away_limits(void)
{
    static const int all[] = {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CORE,
                              RLIMIT_STACK};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        setrlimit((__rlimit_resource_t)all[i], &(struct rlimit){0, 0});
    }
}

void hostile_replace_channel(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null_fd, control_fd);
    close(null_fd);
}
