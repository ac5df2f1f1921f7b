/* FindCoordinator, InitProducerId and DescribeAcls: small answers of a single node. */
#include "broker/request/handler.h"

enum { key_group = 0, key_transaction = 1 };

/* There are no transactions here. Of the codes that say so, this is the one that
 * librdkafka and the Java client take for final; others they try again for ever. */
static const int16_t no_transactions = ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
static const char no_transactions_text[] = "this broker has no transactions";

static int16_t check_key_type(int8_t key_type)
{
    return key_type == key_group         ? ERROR_NONE
           : key_type == key_transaction ? no_transactions
                                         : ERROR_INVALID_REQUEST;
}

static void answer_batch(request *self, const find_coordinator_request *asked,
                         find_coordinator_response *response)
{
    int16_t code = check_key_type(asked->key_type);
    RESPONSE_ARRAY(self, response->coordinators, asked->coordinator_keys.count);
    for (size_t i = 0; i < asked->coordinator_keys.count; i++) {
        response->coordinators.items[i] = (find_coordinator_response_coordinator){
            .key = asked->coordinator_keys.items[i],
            .node_id = response->node_id,
            .host = response->host,
            .port = response->port,
            .error_code = code,
            .error_message =
                code == ERROR_NONE ? (message_text){"", 0} : response->error_message};
    }
}

void handle_find_coordinator(request *self, const void *message)
{
    const find_coordinator_request *asked = message;
    find_coordinator_response response;
    find_coordinator_response_init(&response);
    response.error_code = check_key_type(asked->key_type);
    response.node_id = -1;
    response.port = -1;
    if (asked->key_type == key_transaction) {
        response.error_message = message_text_of(no_transactions_text);
    }
    if (response.error_code == ERROR_NONE) {
        response.node_id = parts_of(self)->config->node_id;
        response.error_message = message_text_of("NONE"); /* Kafka names it, too. */
        advertised_address(self, &response.host, &response.port);
    }
    if (self->header.api_version >= 4) {
        answer_batch(self, asked, &response);
    }
    request_answer(self, self->header.api_version, &response);
}

/* Without a transactional id every producer gets a new id; one that says which it had
 * (from version 3 on, after a fault) too, which is a fresh start for its sequences. */
void handle_init_producer_id(request *self, const void *message)
{
    const init_producer_id_request *asked = message;
    init_producer_id_response response;
    init_producer_id_response_init(&response);
    response.producer_epoch = -1;
    if (asked->transactional_id.base != NULL) {
        response.error_code =
            asked->transactional_id.len == 0 ? ERROR_INVALID_REQUEST : no_transactions;
    } else {
        response.producer_id = topic_set_producer_id(parts_of(self)->topics);
        response.producer_epoch = response.producer_id < 0 ? -1 : 0;
        response.error_code =
            response.producer_id < 0 ? ERROR_KAFKA_STORAGE_ERROR : ERROR_NONE;
    }
    request_answer(self, self->header.api_version, &response);
}
