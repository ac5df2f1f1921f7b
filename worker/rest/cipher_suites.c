/* Java's names of protocols and cipher suites, as GnuTLS's priorities. */
#include "worker/rest/cipher_suites.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

typedef struct version {
    const char *name, *priority;
    bool enabled;
} version;

static sluice_status read_protocols(const sluice_list *protocols, version *versions,
                                    size_t count, sluice_error *err)
{
    for (size_t i = 0; i < protocols->count; i++) {
        size_t at = 0;
        while (at < count && strcmp(versions[at].name, protocols->items[i]) != 0) {
            at++;
        }
        if (at == count) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "ssl.enabled.protocols has '%s': must be TLSv1.3, "
                               "TLSv1.2, TLSv1.1 or TLSv1",
                               protocols->items[i]);
        }
        versions[at].enabled = true;
    }
    return SLUICE_OK;
}

/* "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" without its "_WITH". The caller's. */
static char *without_with(const char *suite)
{
    const char *with = strstr(suite, "_WITH_");
    return with == NULL ? memory_text(suite)
                        : memory_print("%.*s%s", (int)(with - suite), suite, with + 5);
}

static bool append_suite(buffer *out, const char *suite, gnutls_protocol_t *ret_oldest)
{
    char *wanted = without_with(suite);
    const char *name;
    unsigned char id[2];
    gnutls_kx_algorithm_t exchange;
    gnutls_cipher_algorithm_t cipher;
    gnutls_mac_algorithm_t mac;
    bool found = false;
    for (size_t i = 0;
         !found && (name = gnutls_cipher_suite_info(i, id, &exchange, &cipher, &mac,
                                                    ret_oldest)) != NULL;
         i++) {
        found = strcmp(name, wanted) == 0;
    }
    free(wanted);
    if (found && exchange != GNUTLS_KX_UNKNOWN) {
        buffer_print(out, ":+%s", gnutls_kx_get_name(exchange));
    }
    if (found) {
        buffer_print(out, ":+%s:+%s", gnutls_cipher_get_name(cipher),
                     gnutls_mac_get_name(mac));
    }
    return found;
}

/* Appends the suites, and keeps of `versions` (newest first) those that they are for.
 */
static sluice_status append_suites(const sluice_list *suites, buffer *out,
                                   version *versions, size_t count, sluice_error *err)
{
    bool newest = false, older = false;
    for (size_t i = 0; i < suites->count; i++) {
        gnutls_protocol_t oldest = GNUTLS_TLS1_2;
        if (!append_suite(out, suites->items[i], &oldest)) {
            return sluice_fail(err, SLUICE_BAD_CONFIG,
                               "ssl.cipher.suites has '%s', which GnuTLS has not got: "
                               "must be names as TLS_AES_256_GCM_SHA384 and "
                               "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                               suites->items[i]);
        }
        newest |= oldest == GNUTLS_TLS1_3;
        older |= oldest != GNUTLS_TLS1_3;
    }
    versions[0].enabled &= newest;
    for (size_t i = 1; i < count; i++) {
        versions[i].enabled &= older;
    }
    return SLUICE_OK;
}

sluice_status cipher_suites_priorities(const sluice_list *protocols,
                                       const sluice_list *suites, char **ret_priorities,
                                       sluice_error *err)
{
    version versions[] = {{"TLSv1.3", "VERS-TLS1.3", false},
                          {"TLSv1.2", "VERS-TLS1.2", false},
                          {"TLSv1.1", "VERS-TLS1.1", false},
                          {"TLSv1", "VERS-TLS1.0", false}};
    enum { version_count = sizeof versions / sizeof versions[0] };
    buffer out = BUFFER_INIT;
    bool any = false;
    sluice_status status = read_protocols(protocols, versions, version_count, err);
    if (status == SLUICE_OK && suites->count == 0) {
        buffer_append_text(&out, "NORMAL:-VERS-ALL");
    } else if (status == SLUICE_OK) {
        buffer_append_text(&out, "NONE:+SIGN-ALL:+GROUP-ALL:+COMP-NULL");
        status = append_suites(suites, &out, versions, version_count, err);
    }
    for (size_t i = 0; i < version_count; i++) {
        any |= versions[i].enabled;
        buffer_print(&out, "%s%s", versions[i].enabled ? ":+" : "",
                     versions[i].enabled ? versions[i].priority : "");
    }
    if (status == SLUICE_OK && !any) {
        status = sluice_fail(err, SLUICE_BAD_CONFIG,
                             "ssl.cipher.suites has no suite for any protocol of "
                             "ssl.enabled.protocols");
    }
    if (status == SLUICE_OK) {
        *ret_priorities = buffer_take(&out, NULL);
    }
    buffer_done(&out);
    return status;
}
