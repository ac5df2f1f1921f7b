/* What no log, trace or fault may show, and what stands there instead. */
#include "worker/config/secrets.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include <ctype.h>
#include <pthread.h>
#include <sluice/log.h>
#include <stdlib.h>
#include <string.h>

enum { value_len_min = 4, digits_len_min = 8, secrets_max = 1000 };

typedef struct secret {
    char *value, *shown;
    size_t len;
} secret;

struct secrets {
    secret *items; /* Longest first. */
    size_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* Guards the one below. */
static secrets *watched;

secrets *secrets_new(void)
{
    return memory_zero(sizeof(secrets));
}

static void forget(secret *item)
{
    explicit_bzero(item->value, item->len);
    free(item->value);
    free(item->shown);
}

void secrets_free(secrets *self)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        forget(&self->items[i]);
    }
    if (self != NULL) {
        free(self->items);
        free(self);
    }
}

/* --- Collecting. --- */

static bool may_be_secret(const char *value, size_t len)
{
    return len >= value_len_min && !text_equal_nocase(value, "true") &&
           !text_equal_nocase(value, "false") &&
           (len >= digits_len_min || strspn(value, "0123456789") < len);
}

static size_t place_of(const secrets *self, size_t len)
{
    size_t at = 0;
    while (at < self->count && self->items[at].len >= len) {
        at++;
    }
    return at;
}

static bool is_known(const secrets *self, const char *value)
{
    for (size_t i = 0; i < self->count; i++) {
        if (strcmp(self->items[i].value, value) == 0) {
            return true;
        }
    }
    return false;
}

void secrets_add(secrets *self, const char *value, const char *shown)
{
    char *trimmed = text_trimmed(value);
    size_t len = strlen(trimmed);
    if (!may_be_secret(trimmed, len) || is_known(self, trimmed) ||
        self->count == secrets_max) {
        explicit_bzero(trimmed, len);
        free(trimmed);
        return;
    }
    size_t at = place_of(self, len);
    self->items = memory_resize(self->items, (self->count + 1) * sizeof *self->items);
    memmove(&self->items[at + 1], &self->items[at],
            (self->count - at) * sizeof *self->items);
    self->items[at] = (secret){trimmed, memory_text(shown), len};
    self->count++;
}

static bool is_password_name(const char *name)
{
    static const char *const ends[] = {"password",     "secret",        "passphrase",
                                       "jaas.config",  ".token",        ".credentials",
                                       "keystore.key", "user.info",     ".private.key",
                                       ".api.key",     ".authorization"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (text_ends(name, ends[i])) {
            return true;
        }
    }
    return false;
}

/* Of a login module's options, also the password alone. */
static void add_jaas(secrets *self, const char *line)
{
    for (const char *at = line; (at = strstr(at, "assword")) != NULL;) {
        at += strcspn(at, "= \t\"';");
        at += strspn(at, "= \t");
        bool quoted = *at == '"' || *at == '\'';
        char end[] = {*at, '\0'};
        at += quoted;
        size_t len = strcspn(at, quoted ? end : " \t;");
        char *value = memory_copy(at, len);
        secrets_add(self, value, "[hidden]");
        explicit_bzero(value, len);
        free(value);
        at += len;
    }
}

void secrets_add_named(secrets *self, const sluice_props *props)
{
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *name = sluice_props_name(props, i);
        const char *value = sluice_props_value(props, i);
        if (value != NULL && is_password_name(name)) {
            secrets_add(self, value, "[hidden]");
            add_jaas(self, text_ends(name, "jaas.config") ? value : "");
        }
    }
}

static const sluice_key *key_after(const sluice_config *table, const sluice_key *key)
{
    return (const sluice_key *)((const char *)key + table->key_size);
}

void secrets_add_keys(secrets *self, const sluice_config *table,
                      const sluice_props *props)
{
    for (const sluice_key *key = table->keys; key->name != NULL;
         key = key_after(table, key)) {
        const char *value = sluice_props_get(props, key->name);
        if (key->type == SLUICE_PASSWORD && key->unused == NULL && value != NULL) {
            secrets_add(self, value, "[hidden]");
        }
    }
}

static bool is_password(const sluice_config *table, const char *name)
{
    for (const sluice_key *key = table == NULL ? NULL : table->keys;
         key != NULL && key->name != NULL; key = key_after(table, key)) {
        if (key->type == SLUICE_PASSWORD && strcmp(key->name, name) == 0) {
            return true;
        }
    }
    return is_password_name(name);
}

static void take_away(secrets *self, const char *value)
{
    for (size_t i = self->count; i-- > 0;) {
        if (strcmp(self->items[i].value, value) == 0 &&
            strcmp(self->items[i].shown, "[hidden]") == 0) {
            forget(&self->items[i]);
            self->count--;
            memmove(&self->items[i], &self->items[i + 1],
                    (self->count - i) * sizeof *self->items);
        }
    }
}

void secrets_spare(secrets *self, const sluice_config *table, const sluice_props *props)
{
    for (size_t i = 0; i < sluice_props_count(props); i++) {
        const char *value = sluice_props_value(props, i);
        const char *name = sluice_props_name(props, i);
        if (value != NULL && !is_password(table, name)) {
            take_away(self, value);
        }
    }
}

/* --- Hiding. --- */

static bool is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '-';
}

static const secret *secret_at(const secrets *self, const char *text, const char *at)
{
    for (size_t i = 0; self != NULL && i < self->count; i++) {
        const secret *item = &self->items[i];
        if (strncmp(at, item->value, item->len) != 0) {
            continue;
        }
        bool before = at > text && is_word(at[-1]) && is_word(at[0]);
        bool after = is_word(at[item->len - 1]) && is_word(at[item->len]);
        if (!before && !after) {
            return item;
        }
    }
    return NULL;
}

/* Behind "://": where a password before a host begins, its length to `ret_len`; NULL:
 * there is none. */
static const char *url_password(const char *at, size_t *ret_len)
{
    size_t len = strcspn(at, "/?# \t\r\n\"'<>");
    const char *sign = memrchr(at, '@', len);
    const char *colon = sign == NULL ? NULL : memchr(at, ':', (size_t)(sign - at));
    if (colon == NULL || colon + 1 == sign) {
        return NULL;
    }
    *ret_len = (size_t)(sign - colon - 1);
    return colon + 1;
}

char *secrets_hide(const secrets *self, const char *text)
{
    buffer out = BUFFER_INIT;
    const char *password = NULL;
    size_t password_len = 0;
    for (const char *at = text; *at != '\0';) {
        if (at == password) {
            bool refers = at[0] == '$' && at[1] == '{';
            buffer_append(&out, refers ? at : "[hidden]", refers ? password_len : 8);
            at += password_len;
            continue;
        }
        const secret *found = secret_at(self, text, at);
        if (found != NULL) {
            buffer_append_text(&out, found->shown);
            at += found->len;
            continue;
        }
        if (at > text + 1 && at[0] == '/' && at[-1] == '/' && at[-2] == ':') {
            password = url_password(at + 1, &password_len);
        }
        buffer_append_byte(&out, *at++);
    }
    return buffer_take(&out, NULL);
}

/* --- The process's. --- */

char *secrets_hidden(const char *text)
{
    pthread_mutex_lock(&lock);
    char *hidden = secrets_hide(watched, text);
    pthread_mutex_unlock(&lock);
    return hidden;
}

void secrets_watch(secrets *self)
{
    pthread_mutex_lock(&lock);
    secrets *before = watched;
    watched = self;
    pthread_mutex_unlock(&lock);
    secrets_free(before);
    sluice_log_set_filter(secrets_hidden);
}

void secrets_watch_keys(const sluice_config *table, const sluice_props *props)
{
    pthread_mutex_lock(&lock);
    if (watched == NULL) {
        watched = secrets_new();
    }
    secrets_add_keys(watched, table, props);
    secrets_spare(watched, table, props);
    pthread_mutex_unlock(&lock);
    sluice_log_set_filter(secrets_hidden);
}
