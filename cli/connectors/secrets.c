/* Which values of a configuration are not for every eye. */
#include "base/memory.h"
#include "base/text.h"
#include "connectors.h"
#include "worker/rest/url.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What people call such keys; clients' and converters' are in no plugin's table. */
static const char *const words[] = {
    "password", "secret",      "token",  "credential",     "jaas", "apikey",
    "api.key",  "private.key", "passwd", "auth.user.info", NULL};

static bool sounds_secret(const char *key)
{
    char *lower = memory_text(key);
    bool secret = false;
    for (char *at = lower; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    for (const char *const *word = words; *word != NULL && !secret; word++) {
        secret = strstr(lower, *word) != NULL;
    }
    free(lower);
    return secret;
}

/* The plugin's own word for it: keys of type PASSWORD. A worker that does not know the
 * plugin has none. */
static void add_typed(session *s, const char *class, json_t *secrets)
{
    rest_answer answer;
    size_t index;
    json_t *key;
    sluice_error *err = sluice_error_new();
    char *encoded = url_encode(class);
    char *path = memory_print("/connector-plugins/%s/config", encoded);
    if (rest_call(&s->worker, "GET", path, NULL, &answer, err) == SLUICE_OK) {
        json_array_foreach(answer.body, index, key)
        {
            if (strcmp(text_of(key, "type"), "PASSWORD") == 0) {
                json_object_set_new(secrets, text_of(key, "name"), json_true());
            }
        }
        rest_answer_done(&answer);
    }
    free(path);
    free(encoded);
    sluice_error_free(err);
}

json_t *secret_keys(session *s, const json_t *config)
{
    json_t *secrets = json_object(), *value;
    const char *key, *class = text_of(config, "connector.class");
    if (class[0] != '\0') {
        add_typed(s, class, secrets);
    }
    json_object_foreach((json_t *)config, key, value)
    {
        if (sounds_secret(key)) {
            json_object_set_new(secrets, key, json_true());
        }
    }
    return secrets;
}
