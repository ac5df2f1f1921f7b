/* Records as lines, in Kafka's order: timestamp, partition, offset, delivery, epoch,
 * headers, key, value. */
#include "record_printer.h"
#include "base/text.h"
#include <inttypes.h>
#include <string.h>

/* ---- Settings ----------------------------------------------------------------------
 */

static const struct {
    const char *class; /* Without its package. */
    record_form form;
} forms[] = {
    {"StringDeserializer", RECORD_BYTES},    {"BytesDeserializer", RECORD_BYTES},
    {"ByteArrayDeserializer", RECORD_BYTES}, {"UUIDDeserializer", RECORD_BYTES},
    {"ShortDeserializer", RECORD_SHORT},     {"LongDeserializer", RECORD_LONG},
    {"IntegerDeserializer", RECORD_INTEGER}, {"BooleanDeserializer", RECORD_BOOLEAN},
};

static sluice_status find_form(const char *class, record_form *ret_form,
                               sluice_error *err)
{
    const char *dot = strrchr(class, '.');
    const char *name = dot == NULL ? class : dot + 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].class, name) == 0) {
            *ret_form = forms[i].form;
            return SLUICE_OK;
        }
    }
    return sluice_fail(err, SLUICE_BAD_CONFIG,
                       "deserializer '%s' is not there: those for String, Bytes, "
                       "ByteArray, UUID, Short, Integer, Long and Boolean are",
                       class);
}

sluice_status record_printer_set(record_printer *self, const char *name,
                                 const char *value, bool *ret_known, sluice_error *err)
{
    const struct {
        const char *name;
        bool *flag;
        const char **text;
        record_form *form;
    } known[] = {
        {"print.timestamp", &self->timestamp, NULL, NULL},
        {"print.partition", &self->partition, NULL, NULL},
        {"print.offset", &self->offset, NULL, NULL},
        {"print.delivery", &self->delivery, NULL, NULL},
        {"print.epoch", &self->epoch, NULL, NULL},
        {"print.headers", &self->headers, NULL, NULL},
        {"print.key", &self->key, NULL, NULL},
        {"print.value", &self->value, NULL, NULL},
        {"key.separator", NULL, &self->key_separator, NULL},
        {"headers.separator", NULL, &self->headers_separator, NULL},
        {"line.separator", NULL, &self->line_separator, NULL},
        {"null.literal", NULL, &self->null_literal, NULL},
        {"key.deserializer", NULL, NULL, &self->key_form},
        {"value.deserializer", NULL, NULL, &self->value_form},
        {"headers.deserializer", NULL, NULL, &self->headers_form},
    };
    *ret_known = false;
    for (size_t i = 0; i < sizeof known / sizeof *known && !*ret_known; i++) {
        *ret_known = strcmp(known[i].name, name) == 0;
        if (*ret_known && known[i].form != NULL) {
            return find_form(value, known[i].form, err);
        }
        if (*ret_known && known[i].text != NULL) {
            *known[i].text = value;
        } else if (*ret_known && !text_to_bool(value, known[i].flag)) {
            *known[i].flag = false;
        }
    }
    return SLUICE_OK;
}

sluice_status record_printer_choose(record_printer *self, const char *class,
                                    sluice_error *err)
{
    const char *dot = strrchr(class, '.');
    const char *name = dot == NULL ? class : dot + 1;
    self->nothing = strcmp(name, "NoOpMessageFormatter") == 0;
    bool there = self->nothing || strcmp(name, "DefaultMessageFormatter") == 0 ||
                 strcmp(name, "LoggingMessageFormatter") == 0;
    return there ? SLUICE_OK
                 : sluice_fail(err, SLUICE_BAD_CONFIG,
                               "formatter '%s' is not there: DefaultMessageFormatter, "
                               "LoggingMessageFormatter and NoOpMessageFormatter are",
                               class);
}

/* ---- Values ------------------------------------------------------------------------
 */

/* A big-endian number. */
static int64_t read_number(const uint8_t *base, size_t len)
{
    uint64_t number = len > 0 && (base[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | base[i];
    }
    return (int64_t)number;
}

static sluice_status print_number(const uint8_t *base, size_t len, size_t wanted,
                                  const char *name, FILE *out, sluice_error *err)
{
    if (len != wanted) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           "Size of data received by %sDeserializer is not %zu", name,
                           wanted);
    }
    fprintf(out, "%" PRId64, read_number(base, len));
    return SLUICE_OK;
}

static sluice_status print_bool(const uint8_t *base, size_t len, FILE *out,
                                sluice_error *err)
{
    if (len != 1 || base[0] > 1) {
        return sluice_fail(err, SLUICE_BAD_RECORD,
                           len != 1 ? "Size of data received by BooleanDeserializer is "
                                      "not 1"
                                    : "Unexpected byte received by "
                                      "BooleanDeserializer: %d",
                           len != 1 ? 0 : base[0]);
    }
    fputs(base[0] == 1 ? "true" : "false", out);
    return SLUICE_OK;
}

static sluice_status print_bytes(const record_printer *self, record_form form,
                                 const void *base, size_t len, FILE *out,
                                 sluice_error *err)
{
    if (base == NULL) {
        fputs(self->null_literal, out);
        return SLUICE_OK;
    }
    switch (form) {
    case RECORD_SHORT:
        return print_number(base, len, sizeof(int16_t), "Short", out, err);
    case RECORD_INTEGER:
        return print_number(base, len, sizeof(int32_t), "Integer", out, err);
    case RECORD_LONG:
        return print_number(base, len, sizeof(int64_t), "Long", out, err);
    case RECORD_BOOLEAN:
        return print_bool(base, len, out, err);
    case RECORD_BYTES:
        break;
    }
    fwrite(base, 1, len, out);
    return SLUICE_OK;
}

/* ---- Records -----------------------------------------------------------------------
 */

static sluice_status print_headers(const record_printer *self,
                                   const rd_kafka_message_t *message, FILE *out,
                                   sluice_error *err)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t len, index = 0;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fputs("NO_HEADERS", out);
        return SLUICE_OK;
    }
    sluice_status status = SLUICE_OK;
    for (; status == SLUICE_OK &&
           rd_kafka_header_get_all(headers, index, &name, &value, &len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR;
         index++) {
        fprintf(out, "%s%s:", index > 0 ? self->headers_separator : "", name);
        status = print_bytes(self, self->headers_form, value, len, out, err);
    }
    return status;
}

static void print_timestamp(const rd_kafka_message_t *message, FILE *out)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        fputs("NO_TIMESTAMP", out);
        return;
    }
    fprintf(out, "%s:%" PRId64,
            type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? "CreateTime" : "LogAppendTime",
            timestamp_ms);
}

/* The part of a record that comes next: the separator before it, but for the first. */
static bool begins(const record_printer *self, bool wanted, bool *some, FILE *out)
{
    if (wanted && *some) {
        fputs(self->key_separator, out);
    }
    *some = *some || wanted;
    return wanted;
}

sluice_status record_printer_print(const record_printer *self,
                                   const rd_kafka_message_t *message, FILE *out,
                                   sluice_error *err)
{
    bool some = false;
    sluice_status status = SLUICE_OK;
    if (self->nothing) {
        return SLUICE_OK;
    }
    if (begins(self, self->timestamp, &some, out)) {
        print_timestamp(message, out);
    }
    if (begins(self, self->partition, &some, out)) {
        fprintf(out, "Partition:%" PRId32, message->partition);
    }
    if (begins(self, self->offset, &some, out)) {
        fprintf(out, "Offset:%" PRId64, message->offset);
    }
    if (begins(self, self->delivery, &some, out)) {
        fputs("Delivery:NOT_PRESENT", out);
    }
    if (begins(self, self->epoch, &some, out)) {
        fputs("Epoch:NOT_PRESENT", out); /* As Kafka's does, which does not pass it. */
    }
    if (begins(self, self->headers, &some, out)) {
        status = print_headers(self, message, out, err);
    }
    if (status == SLUICE_OK && begins(self, self->key, &some, out)) {
        status =
            print_bytes(self, self->key_form, message->key, message->key_len, out, err);
    }
    if (status == SLUICE_OK && begins(self, self->value, &some, out)) {
        status = print_bytes(self, self->value_form, message->payload, message->len,
                             out, err);
    }
    if (status == SLUICE_OK && some) {
        fputs(self->line_separator, out);
    }
    return status;
}
