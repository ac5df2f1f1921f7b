/* The loggers of the broker as configs of the resource BROKER_LOGGER, which
 * DescribeConfigs shows and IncrementalAlterConfigs changes until the process ends. */
#include "broker/request/handler.h"
#include <sluice/log.h>
#include <string.h>

const char *const broker_loggers[] = {
    "broker", "broker.group", "broker.log", "broker.net", "broker.topic", "root", NULL};

enum { operation_set = 0, operation_delete = 1, operation_append = 2 };

/* What lib/log.h calls it: the root has no name there. */
static const char *name_in_log(const char *name)
{
    return strcmp(name, "root") == 0 ? "" : name;
}

/* The lowest level that is written. Nothing is fatal here, so FATAL is none. */
static sluice_level level_of(const char *name)
{
    sluice_level level = SLUICE_TRACE;
    while (level < SLUICE_OFF && !sluice_log_enabled(level, name_in_log(name))) {
        level++;
    }
    return level;
}

const char *broker_logger_level(const char *name)
{
    sluice_level level = level_of(name);
    return level == SLUICE_OFF ? "FATAL" : sluice_level_name(level);
}

static const char *find(message_text name)
{
    for (size_t i = 0; broker_loggers[i] != NULL; i++) {
        if (message_text_is(name, broker_loggers[i])) {
            return broker_loggers[i];
        }
    }
    return NULL;
}

static bool read_level(message_text text, sluice_level *ret_level)
{
    for (sluice_level level = SLUICE_TRACE; level <= SLUICE_OFF; level++) {
        *ret_level = level;
        if (message_text_is(text,
                            level == SLUICE_OFF ? "FATAL" : sluice_level_name(level))) {
            return true;
        }
    }
    return false;
}

static int16_t check(const incremental_alter_configs_request_config *one,
                     sluice_error *err)
{
    sluice_level level;
    const char *name = find(one->name);
    int len = (int)one->name.len;
    if (one->config_operation >= operation_append || one->config_operation < 0) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "%s operation is not allowed for the BROKER_LOGGER resource",
                    one->config_operation == operation_append ? "APPEND" : "SUBTRACT");
        return ERROR_INVALID_REQUEST;
    }
    if (name == NULL) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Logger %.*s does not exist!", len,
                    one->name.base);
        return ERROR_INVALID_CONFIG;
    }
    if (one->config_operation == operation_delete && strcmp(name, "root") == 0) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Removing the log level of the root logger is not allowed");
        return ERROR_INVALID_REQUEST;
    }
    if (one->config_operation == operation_set && !read_level(one->value, &level)) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Cannot set the log level of %.*s to %.*s as it is not a supported "
                    "log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, "
                    "WARN",
                    len, one->name.base, (int)one->value.len,
                    one->value.base == NULL ? "" : one->value.base);
        return ERROR_INVALID_CONFIG;
    }
    return ERROR_NONE;
}

static void apply(const incremental_alter_configs_request_config *one)
{
    sluice_level level = level_of("root");
    const char *name = find(one->name);
    if (one->config_operation == operation_set) {
        read_level(one->value, &level);
    }
    sluice_log_set_level(name_in_log(name), level);
    sluice_log(SLUICE_INFO, "broker", "log level changed logger=%s level=%s", name,
               broker_logger_level(name));
}

int16_t broker_loggers_change(const incremental_alter_configs_request_resource *wanted,
                              bool validate_only, sluice_error *err)
{
    int16_t code = ERROR_NONE;
    for (size_t i = 0; code == ERROR_NONE && i < wanted->configs.count; i++) {
        code = check(&wanted->configs.items[i], err);
    }
    for (size_t i = 0;
         code == ERROR_NONE && !validate_only && i < wanted->configs.count; i++) {
        apply(&wanted->configs.items[i]);
    }
    return code;
}
