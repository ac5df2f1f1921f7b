/* DescribeClientQuotas and DescribeUserScramCredentials: there are none, and none can
 * be set (AlterClientQuotas and AlterUserScramCredentials are not served); tools that
 * look for them are answered as by an Apache Kafka that has none. */
#include "broker/request/handler.h"
#include <stdlib.h>
#include <string.h>

/* ---- DescribeClientQuotas -------------------------------------------------------- */

enum { match_exact = 0, match_any = 2, components_max = 3 };

typedef describe_client_quotas_request_component component;

static int16_t check_component(const component *one, sluice_error *err)
{
    if (one->entity_type.len == 0) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Invalid empty entity type.");
        return ERROR_INVALID_REQUEST;
    }
    if (!message_text_is(one->entity_type, "user") &&
        !message_text_is(one->entity_type, "client-id") &&
        !message_text_is(one->entity_type, "ip")) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Unsupported entity type %.*s",
                    (int)one->entity_type.len, one->entity_type.base);
        return ERROR_UNSUPPORTED_VERSION;
    }
    if (one->match_type < match_exact || one->match_type > match_any) {
        sluice_fail(err, SLUICE_BAD_CONFIG, "Unknown match type %d", one->match_type);
        return ERROR_INVALID_REQUEST;
    }
    if (one->match_type == match_exact && one->match.base == NULL) {
        sluice_fail(
            err, SLUICE_BAD_CONFIG,
            "Request specified MATCH_TYPE_EXACT, but set match string to null.");
        return ERROR_INVALID_REQUEST;
    }
    return ERROR_NONE;
}

/* Types are known, so of more than three one comes twice. */
static int16_t check_together(const component *all, size_t count, sluice_error *err)
{
    bool ip = false, other = false;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i && j <= components_max; j++) {
            if (message_text_equal(all[i].entity_type, all[j].entity_type)) {
                sluice_fail(err, SLUICE_BAD_CONFIG,
                            "Entity type %.*s cannot appear more than once in the "
                            "filter.",
                            (int)all[i].entity_type.len, all[i].entity_type.base);
                return ERROR_INVALID_REQUEST;
            }
        }
        ip = ip || message_text_is(all[i].entity_type, "ip");
        other = other || !message_text_is(all[i].entity_type, "ip");
    }
    if (ip && other) {
        sluice_fail(err, SLUICE_BAD_CONFIG,
                    "Invalid entity filter component combination. IP filter component "
                    "should not be used with user or clientId filter component.");
        return ERROR_INVALID_REQUEST;
    }
    return ERROR_NONE;
}

void handle_describe_client_quotas(request *self, const void *message)
{
    const describe_client_quotas_request *asked = message;
    describe_client_quotas_response response;
    describe_client_quotas_response_init(&response);
    sluice_error *err = sluice_error_new();
    for (size_t i = 0; i < asked->components.count && response.error_code == ERROR_NONE;
         i++) {
        response.error_code = check_component(&asked->components.items[i], err);
    }
    if (response.error_code == ERROR_NONE) {
        response.error_code =
            check_together(asked->components.items, asked->components.count, err);
    }
    if (response.error_code == ERROR_NONE) {
        response.error_message = (message_text){"", 0};
        RESPONSE_ARRAY(self, response.entries, 0);
    } else {
        response.error_message = request_error_text(self, err);
    }
    sluice_error_free(err);
    request_answer(self, self->header.api_version, &response);
}

/* ---- DescribeUserScramCredentials ------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    const message_text *x = a, *y = b;
    int order = memcmp(x->base, y->base, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void refuse_user(request *self, message_text name, bool twice,
                        describe_user_scram_credentials_response_result *answer)
{
    answer->user = name;
    answer->error_code = twice ? ERROR_DUPLICATE_RESOURCE : ERROR_RESOURCE_NOT_FOUND;
    answer->error_message = message_text_of(sluice_arena_print(
        request_arena(self), NULL, "%s: %.*s",
        twice ? "Cannot describe SCRAM credentials for the same user twice in a single "
                "request"
              : "Attempt to describe a user credential that does not exist",
        (int)name.len, name.base));
}

void handle_describe_user_scram_credentials(request *self, const void *message)
{
    const describe_user_scram_credentials_request *asked = message;
    describe_user_scram_credentials_response response;
    describe_user_scram_credentials_response_init(&response);
    response.error_message = (message_text){"", 0};
    size_t count = asked->users.count;
    message_text *names = request_items(self, count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = asked->users.items[i].name;
    }
    qsort(names, count, sizeof *names, by_name);
    RESPONSE_ARRAY(self, response.results, count);
    response.results.count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && message_text_equal(names[i], names[i - 1])) {
            continue;
        }
        bool twice = i + 1 < count && message_text_equal(names[i], names[i + 1]);
        refuse_user(self, names[i], twice,
                    &response.results.items[response.results.count++]);
    }
    request_answer(self, self->header.api_version, &response);
}
