/* connectors/http/check.h - the rules between the keys of the HTTP sink. */
#ifndef HTTP_CHECK_H
#define HTTP_CHECK_H

#include "config.h"

/* For the table: adds a message for each fault of an http_config. */
sluice_status http_config_check(const void *config, sluice_error *err);

#endif
