/* The log: one line an event, written at once. */
#include "base/memory.h"
#include "log_line.h"
#include <pthread.h>
#include <sluice/log.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { rules_max = 64 };

typedef struct rule {
    char *logger;
    sluice_level level;
} rule;

static const char *const level_names[] = {"TRACE", "DEBUG", "INFO",
                                          "WARN",  "ERROR", "OFF"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards the three below. */
static rule rules[rules_max];
static size_t rule_count;
static sluice_level root_level = SLUICE_INFO;

static char *context; /* The connector. Set before other threads start. */
static char *(*_Atomic filter)(const char *message);

const char *sluice_level_name(sluice_level level)
{
    return level_names[level];
}

bool sluice_level_parse(const char *name, sluice_level *ret_level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcasecmp(name, level_names[i]) == 0) {
            *ret_level = (sluice_level)i;
            return true;
        }
    }
    return false;
}

static bool covers(const char *rule_logger, const char *logger)
{
    size_t len = strlen(rule_logger);
    return strncmp(rule_logger, logger, len) == 0 &&
           (logger[len] == '\0' || logger[len] == '.');
}

static sluice_level level_of(const char *logger)
{
    sluice_level level = root_level;
    size_t longest = 0;
    for (size_t i = 0; i < rule_count; i++) {
        size_t len = strlen(rules[i].logger);
        if (len >= longest && covers(rules[i].logger, logger)) {
            longest = len;
            level = rules[i].level;
        }
    }
    return level;
}

bool sluice_log_enabled(sluice_level level, const char *logger)
{
    pthread_mutex_lock(&lock);
    bool enabled = level >= level_of(logger);
    pthread_mutex_unlock(&lock);
    return enabled;
}

static rule *rule_find(const char *logger)
{
    for (size_t i = 0; i < rule_count; i++) {
        if (strcmp(rules[i].logger, logger) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

void sluice_log_set_level(const char *logger, sluice_level level)
{
    pthread_mutex_lock(&lock);
    rule *known = rule_find(logger);
    if (*logger == '\0') {
        root_level = level;
        while (rule_count > 0) {
            free(rules[--rule_count].logger);
        }
    } else if (known != NULL) {
        known->level = level;
    } else if (rule_count < rules_max) {
        rules[rule_count++] = (rule){memory_text(logger), level};
    }
    pthread_mutex_unlock(&lock);
}

void sluice_log_set_context(const char *connector)
{
    free(context);
    context = connector == NULL ? NULL : memory_text(connector);
}

void sluice_log_set_filter(char *(*chosen)(const char *message))
{
    atomic_store(&filter, chosen);
}

void sluice_log(sluice_level level, const char *logger, const char *format, ...)
{
    if (!sluice_log_enabled(level, logger)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_vprint(format, arguments);
    va_end(arguments);
    char *(*chosen)(const char *message) = atomic_load(&filter);
    if (chosen != NULL) {
        char *shown = chosen(text);
        free(text);
        text = shown;
    }
    char line[LOG_LINE_BYTES_MAX];
    size_t len = log_line_make(line, level, logger, context, log_line_task(), text);
    free(text);
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}
