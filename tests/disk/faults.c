/* tests/disk/faults.c - rules, read from a file again whenever it has changed. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RULES_MAX = 16, TEXT_MAX = 4096 };

typedef struct rule {
    unsigned calls; /* A bit for each disk_call. */
    int fault;
    size_t left; /* Bytes that still go through. */
    char pattern[256];
} rule;

static int faults_fd = -1;
static char faults_text[TEXT_MAX];
static rule rules[RULES_MAX];
static size_t rule_count;

void faults_open(const char *path)
{
    faults_fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
}

static int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EROFS", EROFS},
                 {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].number;
        }
    }
    return EIO;
}

static unsigned calls_of(const char *name)
{
    static const char *const names[] = {"write", "sync", "read", "open",
                                        "name",  "cut",  "die"};
    for (unsigned i = 0; i < DISK_CALL_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return 1u << i;
        }
    }
    return 1u << DISK_CALL_WRITE | 1u << DISK_CALL_OPEN | 1u << DISK_CALL_NAME |
           1u << DISK_CALL_CUT; /* "change" */
}

static void parse(void)
{
    rule_count = 0;
    for (const char *line = faults_text; *line != '\0' && rule_count < RULES_MAX;) {
        rule *each = &rules[rule_count];
        char call[16], fault[16];
        if (sscanf(line, "%15s %15s %zu %255[^\n]", call, fault, &each->left,
                   each->pattern) == 4) {
            each->calls = calls_of(call);
            each->fault = errno_of(fault);
            rule_count++;
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void read_again(void)
{
    char text[TEXT_MAX] = "";
    long got = syscall(SYS_pread64, faults_fd, text, sizeof text - 1, 0L);
    if (got >= 0 && strcmp(text, faults_text) != 0) {
        memcpy(faults_text, text, sizeof text);
        parse();
    }
}

bool faults_die(void)
{
    for (size_t i = 0; faults_fd >= 0 && i < rule_count; i++) {
        if (rules[i].calls == 1u << DISK_CALL_DIE && rules[i].left-- == 0) {
            return true;
        }
    }
    return false;
}

int faults_meet(disk_call call, const char *path, size_t *len)
{
    if (faults_fd < 0) {
        return 0;
    }
    read_again();
    for (size_t i = 0; i < rule_count; i++) {
        rule *each = &rules[i];
        if ((each->calls & 1u << call) == 0 || fnmatch(each->pattern, path, 0) != 0) {
            continue;
        }
        if (len == NULL || *len > each->left) {
            if (len != NULL) {
                *len = each->left;
            }
            each->left = 0;
            return each->fault;
        }
        each->left -= *len;
    }
    return 0;
}
