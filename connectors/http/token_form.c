/* What a request for a token says of its client, byte for byte as Aiven's sink. */
#include "token_form.h"
#include <string.h>

static sluice_status add_field(http_buffer *form, const char *name, const char *value,
                               sluice_error *err)
{
    if (value == NULL || *value == '\0') {
        return SLUICE_OK;
    }
    sluice_status status = form->len > 0 ? http_buffer_text(form, "&", err) : SLUICE_OK;
    if (status == SLUICE_OK) {
        status = http_buffer_form(form, name, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_text(form, "=", err);
    }
    return status == SLUICE_OK ? http_buffer_form(form, value, err) : status;
}

static sluice_status write_form(const http_config *config, http_buffer *form,
                                sluice_error *err)
{
    const struct {
        const char *name, *value;
    } fields[] = {
        {config->oauth2.grant_type_property, config->oauth2.grant_type},
        {"scope", config->oauth2.scope},
        {config->oauth2.client_id_property, config->oauth2.client_id},
        {config->oauth2.client_secret_property, config->oauth2.client_secret},
    };
    size_t count = config->oauth2.mode == HTTP_OAUTH2_URL ? 4 : 2;
    sluice_status status = SLUICE_OK;
    for (size_t i = 0; i < count && status == SLUICE_OK; i++) {
        status = add_field(form, fields[i].name, fields[i].value, err);
    }
    return status;
}

/* A text in JSON, quotes included. */
static sluice_status add_quoted(http_buffer *into, const char *text, sluice_error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    sluice_status status = http_buffer_text(into, "\"", err);
    for (; *text != '\0' && status == SLUICE_OK; text++) {
        unsigned char byte = (unsigned char)*text;
        char escaped[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        if (byte < 0x20) {
            status = http_buffer_add(into, escaped, sizeof escaped, err);
            continue;
        }
        if (byte == '"' || byte == '\\') {
            status = http_buffer_text(into, "\\", err);
        }
        if (status == SLUICE_OK) {
            status = http_buffer_add(into, text, 1, err);
        }
    }
    return status == SLUICE_OK ? http_buffer_text(into, "\"", err) : status;
}

static sluice_status write_key(const http_config *config, http_buffer *into,
                               sluice_error *err)
{
    sluice_status status =
        http_buffer_text(into, "{\n  \"type\" : \"api-key\",\n  \"key\" : ", err);
    if (status == SLUICE_OK) {
        status = add_quoted(into, config->oauth2.client_id, err);
    }
    if (status == SLUICE_OK) {
        status = http_buffer_text(into, ",\n  \"secret\" : ", err);
    }
    if (status == SLUICE_OK) {
        status = add_quoted(into, config->oauth2.client_secret, err);
    }
    return status == SLUICE_OK ? http_buffer_text(into, "\n}", err) : status;
}

sluice_status http_token_form(const http_config *config, http_buffer *into,
                              sluice_error *err)
{
    return config->authorization == HTTP_AUTHORIZATION_APIKEY
               ? write_key(config, into, err)
               : write_form(config, into, err);
}
