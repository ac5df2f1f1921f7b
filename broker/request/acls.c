/* DescribeAcls, CreateAcls and DeleteAcls: there is no authorizer, which each of them
 * says in Kafka's words. */
#include "broker/request/handler.h"

#define NO_AUTHORIZER "No Authorizer is configured"

void handle_describe_acls(request *self, const void *message)
{
    (void)message;
    describe_acls_response response;
    describe_acls_response_init(&response);
    response.error_code = ERROR_SECURITY_DISABLED;
    response.error_message = message_text_of(NO_AUTHORIZER " on the broker");
    request_answer(self, self->header.api_version, &response);
}

void handle_create_acls(request *self, const void *message)
{
    const create_acls_request *asked = message;
    create_acls_response response;
    create_acls_response_init(&response);
    RESPONSE_ARRAY(self, response.results, asked->creations.count);
    for (size_t i = 0; i < asked->creations.count; i++) {
        response.results.items[i] = (create_acls_response_result){
            ERROR_SECURITY_DISABLED, message_text_of(NO_AUTHORIZER ".")};
    }
    request_answer(self, self->header.api_version, &response);
}

void handle_delete_acls(request *self, const void *message)
{
    const delete_acls_request *asked = message;
    delete_acls_response response;
    delete_acls_response_init(&response);
    RESPONSE_ARRAY(self, response.filter_results, asked->filters.count);
    for (size_t i = 0; i < asked->filters.count; i++) {
        response.filter_results.items[i].error_code = ERROR_SECURITY_DISABLED;
        response.filter_results.items[i].error_message =
            message_text_of(NO_AUTHORIZER ".");
    }
    request_answer(self, self->header.api_version, &response);
}
