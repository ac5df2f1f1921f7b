/* Headers of requests and responses, and frames made of them. */
#include "header.h"
#include "encode.h"
#include "wire.h"

enum { fixed_header_bytes = 8 };

static sluice_status refuse(sluice_error *err, const char *what, size_t size)
{
    return sluice_fail(err, SLUICE_BAD_RECORD, "%s of %zu bytes ends too early", what,
                       size);
}

/* Skips a section of tagged fields from `*at` on. */
static bool skip_tags(const uint8_t *base, size_t size, size_t *at)
{
    uint32_t count;
    size_t used = wire_get_uvarint(base + *at, size - *at, &count);
    *at += used;
    for (uint32_t i = 0; used > 0 && i < count; i++) {
        uint32_t tag, len;
        used = wire_get_uvarint(base + *at, size - *at, &tag);
        *at += used;
        if (used == 0 || (used = wire_get_uvarint(base + *at, size - *at, &len)) == 0) {
            return false;
        }
        *at += used;
        if (len > size - *at) {
            return false;
        }
        *at += len;
    }
    return used > 0;
}

static bool client_id_decode(const uint8_t *base, size_t size, request_header *header)
{
    if (size < header->size + 2) {
        return false;
    }
    int16_t len = (int16_t)wire_get_16(base + header->size);
    header->size += 2;
    if (len < 0) {
        return len == -1;
    }
    if ((size_t)len > size - header->size) {
        return false;
    }
    header->client_id = (message_text){(const char *)base + header->size, (size_t)len};
    header->size += (size_t)len;
    return true;
}

sluice_status request_header_decode(const uint8_t *base, size_t size,
                                    request_header *ret_header, sluice_error *err)
{
    if (size < fixed_header_bytes) {
        return refuse(err, "request header", size);
    }
    request_header *header = ret_header;
    *header = (request_header){.api_key = (int16_t)wire_get_16(base),
                               .api_version = (int16_t)wire_get_16(base + 2),
                               .correlation_id = (int32_t)wire_get_32(base + 4),
                               .size = fixed_header_bytes};
    header->api = message_api_find(header->api_key);
    if (header->api == NULL) {
        return SLUICE_OK;
    }
    if (!client_id_decode(base, size, header)) {
        return refuse(err, "request header", size);
    }
    bool flexible = header->api_version >= header->api->request->flexible_min;
    if (flexible && !skip_tags(base, size, &header->size)) {
        return refuse(err, "request header with tagged fields", size);
    }
    return SLUICE_OK;
}

static bool response_header_has_tags(const message_api *api, int version)
{
    return api->key != api_versions_key && version >= api->response->flexible_min;
}

sluice_status response_header_decode(const uint8_t *base, size_t size,
                                     const message_api *api, int version,
                                     int32_t *ret_correlation_id, size_t *ret_size,
                                     sluice_error *err)
{
    size_t at = 4;
    if (size < at) {
        return refuse(err, "response header", size);
    }
    if (response_header_has_tags(api, version) && !skip_tags(base, size, &at)) {
        return refuse(err, "response header with tagged fields", size);
    }
    *ret_correlation_id = (int32_t)wire_get_32(base);
    *ret_size = at;
    return SLUICE_OK;
}

/* Leaves room for the size and returns where it belongs. */
static size_t frame_begin(output *out)
{
    output_reserve(out, frame_size_bytes);
    size_t at = out->bytes.len;
    out->bytes.len += frame_size_bytes;
    return at;
}

static sluice_status frame_end(output *out, size_t at, size_t size_before,
                               sluice_error *err)
{
    size_t size = output_size(out) - size_before - frame_size_bytes;
    if (size > INT32_MAX) {
        return sluice_fail(err, SLUICE_FATAL,
                           "a frame of %zu bytes is above the limit of %d", size,
                           INT32_MAX);
    }
    wire_put_32((uint8_t *)out->bytes.base + at, (uint32_t)size);
    return SLUICE_OK;
}

static void put_no_tags(output *out)
{
    *output_reserve(out, 1) = 0;
    out->bytes.len++;
}

sluice_status request_encode(const message_api *api, int version,
                             int32_t correlation_id, message_text client_id,
                             const void *value, output *out, sluice_error *err)
{
    size_t size_before = output_size(out);
    size_t at = frame_begin(out);
    uint8_t *to = output_reserve(out, fixed_header_bytes + 2);
    size_t len = client_id.len <= INT16_MAX ? client_id.len : INT16_MAX;
    wire_put_16(to, (uint16_t)api->key);
    wire_put_16(to + 2, (uint16_t)version);
    wire_put_32(to + 4, (uint32_t)correlation_id);
    wire_put_16(to + 8, client_id.base == NULL ? UINT16_MAX : (uint16_t)len);
    out->bytes.len += fixed_header_bytes + 2;
    if (client_id.base != NULL) {
        buffer_append(&out->bytes, client_id.base, len);
    }
    if (version >= api->request->flexible_min) {
        put_no_tags(out);
    }
    sluice_status status = message_encode(api->request, version, value, out, err);
    return status == SLUICE_OK ? frame_end(out, at, size_before, err) : status;
}

sluice_status response_encode(const message_api *api, int version,
                              int32_t correlation_id, const void *value, output *out,
                              sluice_error *err)
{
    size_t size_before = output_size(out);
    size_t at = frame_begin(out);
    wire_put_32(output_reserve(out, 4), (uint32_t)correlation_id);
    out->bytes.len += 4;
    if (response_header_has_tags(api, version)) {
        put_no_tags(out);
    }
    sluice_status status = message_encode(api->response, version, value, out, err);
    return status == SLUICE_OK ? frame_end(out, at, size_before, err) : status;
}
