/* ApiVersions: what is served. A version that is not known is answered in version 0,
 * whose layout every client can read, with the range that is. */
#include "broker/request/handler.h"

static void answer_unknown_version(request *self)
{
    api_versions_response_api range = {.api_key = API_API_VERSIONS};
    for (size_t i = 0; i < served_api_count; i++) {
        if (served_apis[i].key == API_API_VERSIONS) {
            range.min_version = served_apis[i].version_min;
            range.max_version = served_apis[i].version_max;
        }
    }
    api_versions_response response;
    api_versions_response_init(&response);
    response.error_code = ERROR_UNSUPPORTED_VERSION;
    response.api_keys.items = &range;
    response.api_keys.count = 1;
    request_answer(self, 0, &response);
}

void handle_api_versions(request *self, const void *asked)
{
    if (asked == NULL) {
        answer_unknown_version(self);
        return;
    }
    api_versions_response response;
    api_versions_response_init(&response);
    RESPONSE_ARRAY(self, response.api_keys, served_api_count);
    for (size_t i = 0; i < served_api_count; i++) {
        response.api_keys.items[i] =
            (api_versions_response_api){.api_key = served_apis[i].key,
                                        .min_version = served_apis[i].version_min,
                                        .max_version = served_apis[i].version_max};
    }
    request_answer(self, self->header.api_version, &response);
}
