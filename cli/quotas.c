/* The quotas of users, clients and addresses, which kafka-configs shows as settings. */
#include "base/text.h"
#include "configs.h"
#include <sluice/text.h>
#include <string.h>

static const char *quota_type(const config_kind *kind)
{
    return kind->plural[0] == 'u'   ? "user"
           : kind->plural[0] == 'c' ? "client-id"
                                    : "ip";
}

/* Whether it is about users as such, who may also have passwords. */
static bool is_of_users(const configs_work *self)
{
    return self->entity_count == 1 && self->entities[0].kind->plural[0] == 'u';
}

static sluice_status ask(configs_work *self, describe_client_quotas_response *response,
                         sluice_error *err)
{
    enum { exact = 0, default_only = 1, any = 2 };
    describe_client_quotas_request_component components[configs_entities_max];
    describe_client_quotas_request request;
    for (size_t i = 0; i < self->entity_count; i++) {
        const config_entity *entity = &self->entities[i];
        components[i] = (describe_client_quotas_request_component){
            .entity_type = message_text_of(quota_type(entity->kind)),
            .match_type = entity->name == NULL      ? any
                          : entity->name[0] == '\0' ? default_only
                                                    : exact,
        };
        if (components[i].match_type == exact) {
            components[i].match = message_text_of(entity->name);
        }
    }
    describe_client_quotas_request_init(&request);
    request.components.items = components;
    request.components.count = self->entity_count;
    request.strict = true;
    sluice_status status = admin_call(
        self->client, ADMIN_ANY, API_DESCRIBE_CLIENT_QUOTAS, &request, response, err);
    if (status == SLUICE_OK && response->error_code != ERROR_NONE) {
        self->refused = response->error_code;
        return admin_refused(err, response->error_code, response->error_message);
    }
    return status;
}

static void print_number(double value)
{
    char text[32];
    printf("%.*s", (int)sluice_text_double(text, value), text);
}

static void print_entity(const describe_client_quotas_response_entity *entity)
{
    const char *type = message_text_is(entity->entity_type, "user") ? "user-principal"
                       : message_text_is(entity->entity_type, "client-id") ? "client-id"
                                                                           : "ip";
    if (entity->entity_name.base == NULL) {
        printf("the default %s", type);
    } else {
        printf("%s '%.*s'", type, (int)entity->entity_name.len,
               entity->entity_name.base);
    }
}

static void print_entry(const describe_client_quotas_response_entry *entry)
{
    printf("Quota configs for ");
    static const char *const types[] = {"user", "client-id", "ip"};
    const char *before = "";
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (size_t j = 0; j < entry->entity.count; j++) {
            if (message_text_is(entry->entity.items[j].entity_type, types[i])) {
                printf("%s", before);
                print_entity(&entry->entity.items[j]);
                before = ", ";
            }
        }
    }
    printf(" are ");
    for (size_t i = 0; i < entry->values.count; i++) {
        const describe_client_quotas_response_value *value = &entry->values.items[i];
        printf("%s%.*s=", i > 0 ? ", " : "", (int)value->key.len, value->key.base);
        print_number(value->value);
    }
    printf("\n");
}

static void
print_credentials(const describe_user_scram_credentials_response_result *user)
{
    printf("SCRAM credential configs for user-principal '%.*s' are ",
           (int)user->user.len, user->user.base);
    for (size_t i = 0; i < user->credential_infos.count; i++) {
        const describe_user_scram_credentials_response_credential_info *info =
            &user->credential_infos.items[i];
        printf("%sSCRAM-SHA-%s=iterations=%d", i > 0 ? ", " : "",
               info->mechanism == 1 ? "256" : "512", info->iterations);
    }
    printf("\n");
}

/* Users' passwords, as far as a broker tells of them. */
static sluice_status describe_credentials(configs_work *self, sluice_error *err)
{
    const char *name = self->entities[0].name;
    describe_user_scram_credentials_request_user user = {.name = message_text_of(name)};
    describe_user_scram_credentials_request request;
    describe_user_scram_credentials_response response;
    int version =
        admin_version(self->client, ADMIN_ANY, API_DESCRIBE_USER_SCRAM_CREDENTIALS);
    if (version < 0 || (name != NULL && name[0] == '\0')) {
        return SLUICE_OK;
    }
    describe_user_scram_credentials_request_init(&request);
    if (name != NULL) {
        request.users.items = &user;
        request.users.count = 1;
    }
    sluice_status status =
        admin_call(self->client, ADMIN_ANY, API_DESCRIBE_USER_SCRAM_CREDENTIALS,
                   &request, &response, err);
    for (size_t i = 0; status == SLUICE_OK && i < response.results.count; i++) {
        if (response.results.items[i].error_code == ERROR_NONE) {
            print_credentials(&response.results.items[i]);
        }
    }
    return status;
}

sluice_status quotas_describe(configs_work *self, sluice_error *err)
{
    describe_client_quotas_response response;
    sluice_status status = ask(self, &response, err);
    for (size_t i = 0; status == SLUICE_OK && i < response.entries.count; i++) {
        print_entry(&response.entries.items[i]);
    }
    return status == SLUICE_OK && is_of_users(self) ? describe_credentials(self, err)
                                                    : status;
}

static bool is_quota(const config_kind *kind, const char *name)
{
    static const char *const names[] = {"producer_byte_rate", "consumer_byte_rate",
                                        "request_percentage",
                                        "controller_mutation_rate"};
    if (kind->plural[0] == 'i') {
        return strcmp(name, "connection_creation_rate") == 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static sluice_status check_names(const configs_work *self, const config_pair *added,
                                 size_t count, sluice_error *err)
{
    const config_kind *kind = self->entities[0].kind;
    for (size_t i = 0; i < count; i++) {
        if (is_of_users(self) && text_starts(added[i].key, "SCRAM-SHA-")) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "'%s' is not set by this tool: passwords are not kept "
                               "by the included broker",
                               added[i].key);
        }
        if (!is_quota(kind, added[i].key)) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "Only %s configs can be added for '%s' using "
                               "--bootstrap-server. Unexpected config names: Set(%s)",
                               kind->plural[0] == 'i' ? "connection quota"
                               : is_of_users(self)    ? "quota and SCRAM credential"
                                                      : "quota",
                               kind->plural, added[i].key);
        }
    }
    return SLUICE_OK;
}

static bool has(const describe_client_quotas_response *response, const char *name)
{
    for (size_t i = 0; i < response->entries.count; i++) {
        for (size_t j = 0; j < response->entries.items[i].values.count; j++) {
            if (message_text_is(response->entries.items[i].values.items[j].key, name)) {
                return true;
            }
        }
    }
    return false;
}

static sluice_status check_deleted(configs_work *self, const char *const *deleted,
                                   size_t count, sluice_error *err)
{
    describe_client_quotas_response response;
    buffer missing = BUFFER_INIT;
    sluice_status status = count > 0 ? ask(self, &response, err) : SLUICE_OK;
    for (size_t i = 0; status == SLUICE_OK && i < count; i++) {
        if (!has(&response, deleted[i])) {
            buffer_print(&missing, "%s%s", missing.len > 0 ? "," : "", deleted[i]);
        }
    }
    if (missing.len > 0) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG, "Invalid config(s): %s",
                             buffer_text(&missing));
    }
    buffer_done(&missing);
    return status;
}

static sluice_status send_change(configs_work *self,
                                 alter_client_quotas_request_op *ops, size_t count,
                                 sluice_error *err)
{
    alter_client_quotas_request_entity entities[configs_entities_max];
    alter_client_quotas_request_entry entry = {.entity = {entities, self->entity_count},
                                               .ops = {ops, count}};
    alter_client_quotas_request request;
    alter_client_quotas_response response;
    for (size_t i = 0; i < self->entity_count; i++) {
        const config_entity *entity = &self->entities[i];
        entities[i].entity_type = message_text_of(quota_type(entity->kind));
        entities[i].entity_name =
            message_text_of(entity->name[0] == '\0' ? NULL : entity->name);
    }
    alter_client_quotas_request_init(&request);
    request.entries.items = &entry;
    request.entries.count = 1;
    sluice_status status = admin_call(self->client, ADMIN_ANY, API_ALTER_CLIENT_QUOTAS,
                                      &request, &response, err);
    if (status == SLUICE_OK && response.entries.count > 0 &&
        response.entries.items[0].error_code != ERROR_NONE) {
        self->refused = response.entries.items[0].error_code;
        status =
            admin_refused(err, self->refused, response.entries.items[0].error_message);
    }
    return status;
}

sluice_status quotas_alter(configs_work *self, const config_pair *added,
                           size_t added_count, const char *const *deleted,
                           size_t deleted_count, sluice_error *err)
{
    alter_client_quotas_request_op *ops = sluice_arena_take(
        admin_arena(self->client), (added_count + deleted_count + 1) * sizeof *ops);
    size_t count = 0;
    sluice_status status = check_names(self, added, added_count, err);
    if (status == SLUICE_OK) {
        status = check_deleted(self, deleted, deleted_count, err);
    }
    for (size_t i = 0; status == SLUICE_OK && i < added_count; i++) {
        ops[count] =
            (alter_client_quotas_request_op){.key = message_text_of(added[i].key)};
        if (!text_to_double(added[i].value, &ops[count++].value)) {
            status = sluice_fail(err, SLUICE_BAD_CONFIG,
                                 "Cannot parse quota configuration value for %s: %s",
                                 added[i].key, added[i].value);
        }
    }
    for (size_t i = 0; i < deleted_count; i++) {
        ops[count++] = (alter_client_quotas_request_op){
            .key = message_text_of(deleted[i]), .remove = true};
    }
    if (status == SLUICE_OK) {
        status = send_change(self, ops, count, err);
    }
    if (status == SLUICE_OK) {
        configs_say_changed(self);
    }
    return status;
}
