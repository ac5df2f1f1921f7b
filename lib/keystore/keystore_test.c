/* lib/keystore/keystore_test.c - stores that Java's keytool wrote, as PEM. What each
 * is: stores/README.md. */
#include "base/memory.h"
#include "keystore/jks.h"
#include "keystore/pem.h"
#include "test.h"
#include <sluice/keystore.h>
#include <stdlib.h>

#define STORE(name) STORES_PATH "/" name

static const char wide[] = "größe \U0001f600", key_word[] = "schlüssel";

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text++) {
        found++;
    }
    return found;
}

/* "key 2" for a key and two certificates, "0" for none; or the message. */
static const char *outcome(const sluice_keystore_source *source)
{
    static char text[600];
    sluice_error *err = sluice_error_new();
    sluice_keystore *store = NULL;
    if (sluice_keystore_read(source, &store, err) == SLUICE_OK) {
        const char *key = sluice_keystore_key(store);
        CHECK((key != NULL) == source->has_key);
        CHECK(key == NULL || count(key, "-----BEGIN PRIVATE KEY-----") == 1);
        snprintf(text, sizeof text, "%s%zu", key == NULL ? "" : "key ",
                 count(sluice_keystore_certificates(store), "BEGIN CERTIFICATE"));
    } else {
        snprintf(text, sizeof text, "%s", sluice_error_text(err));
    }
    sluice_keystore_free(store);
    sluice_error_free(err);
    return text;
}

static const char *keys(const char *location, const char *password, const char *key)
{
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "ssl.keystore",
                                           .type = "JKS",
                                           .location = location,
                                           .password = password,
                                           .key_password = key,
                                           .has_key = true};
    return outcome(&source);
}

static const char *trusted(const char *location, const char *password)
{
    const sluice_keystore_source source = {.size = sizeof source,
                                           .name = "ssl.truststore",
                                           .location = location,
                                           .password = password};
    return outcome(&source);
}

TEST(a_key_comes_with_its_chain_from_each_form)
{
    CHECK_TEXT(keys(STORE("key.jks"), wide, key_word), "key 2");
    CHECK_TEXT(keys(STORE("key.jks"), NULL, key_word), "key 2");
    CHECK_TEXT(keys(STORE("one.jks"), "password", NULL), "key 1");
    CHECK_TEXT(keys(STORE("one.jks"), "password", "password"), "key 1");
    CHECK_TEXT(keys(STORE("key17.p12"), "password", NULL), "key 2");
    CHECK_TEXT(keys(STORE("key8.p12"), "password", "password"), "key 2");
}

TEST(a_trust_store_needs_no_password_where_java_needs_none)
{
    CHECK_TEXT(trusted(STORE("trust.jks"), "password"), "1");
    CHECK_TEXT(trusted(STORE("trust.jks"), NULL), "1");
    CHECK_TEXT(trusted(STORE("trust17.p12"), "password"), "1");
    CHECK_TEXT(trusted(STORE("trust8.p12"), "password"), "1");
    CHECK_TEXT(trusted(STORE("trust-open.p12"), NULL), "1");
    CHECK_TEXT(trusted(STORE("trust-open.p12"), "password"), "1");
}

/* The certificate of the key itself, not who signed it; and the other entry. */
TEST(a_store_of_keys_trusts_what_java_trusts)
{
    CHECK_TEXT(trusted(STORE("key.jks"), wide), "2");
    CHECK_TEXT(trusted(STORE("one.jks"), "password"), "1");
}

TEST(what_cannot_be_opened_is_said)
{
    CHECK_TEXT(keys(STORE("key.jks"), "password", key_word),
               "ssl.keystore.location: '" STORE(
                   "key.jks") "' is not opened by "
                              "ssl.keystore.password, or its bytes were changed");
    CHECK_TEXT(
        keys(STORE("key.jks"), wide, NULL),
        "ssl.keystore.location: the private key in '" STORE(
            "key.jks") "' is not "
                       "opened by the password of the store; set ssl.key.password");
    CHECK_TEXT(keys(STORE("key.jks"), wide, "wrong"),
               "ssl.keystore.location: the private key in '" STORE(
                   "key.jks") "' is not "
                              "opened by ssl.key.password");
    CHECK_TEXT(
        keys(STORE("trust.jks"), "password", NULL),
        "ssl.keystore.location: '" STORE("trust.jks") "' has no private key with "
                                                      "its certificate");
    CHECK_TEXT(keys(STORE("key8.p12"), "wrong", NULL),
               "ssl.keystore.location: '" STORE("key8.p12") "' is not opened by "
                                                            "ssl.keystore.password");
    CHECK_TEXT(trusted(STORE("trust17.p12"), NULL),
               "ssl.truststore.location: '" STORE(
                   "trust17.p12") "' is not opened "
                                  "without ssl.truststore.password");
    CHECK(strstr(trusted(STORE("trust.jceks"), "password"),
                 "is a JCEKS store, which "
                 "only Java reads: convert "
                 "it with 'keytool") != NULL);
    CHECK(strstr(trusted(STORE("no-such"), "password"), "no-such' cannot be read: No "
                                                        "such file") != NULL);
}

static char *read_store(const char *path, size_t *ret_len)
{
    char *base = memory_take(4096);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    *ret_len = fread(base, 1, 4096, file);
    fclose(file);
    return base;
}

static bool take_any(void *context, const unsigned char *base, size_t len)
{
    (void)context;
    (void)base;
    return len > 0;
}

/* Of a copy of its own, so that a sanitizer sees the first byte behind it. */
static jks_result read_copy(const char *base, size_t len, const char *password)
{
    char *copy = memory_take(len > 0 ? len : 1);
    buffer key = BUFFER_INIT;
    const jks_wanted wanted = {password, key_word, take_any, NULL};
    memcpy(copy, base, len);
    jks_result result = jks_read(copy, len, &wanted, &key);
    buffer_done(&key);
    free(copy);
    return result;
}

TEST(a_store_that_is_cut_off_or_changed_anywhere_is_refused)
{
    size_t len;
    char *base = read_store(STORE("key.jks"), &len);
    CHECK_INT(read_copy(base, len, wide), JKS_OK);
    CHECK_INT(read_copy(base, len, NULL), JKS_OK);
    for (size_t i = 0; i < len; i++) {
        CHECK(read_copy(base, i, wide) != JKS_OK);
        CHECK_INT(read_copy(base, i, NULL), JKS_BROKEN);
        base[i] ^= 0x10;
        CHECK(read_copy(base, len, wide) != JKS_OK);
        base[i] ^= 0x10;
    }
    free(base);
}

TEST(pem_may_stand_in_one_line)
{
    buffer out = BUFFER_INIT;
    const char *text =
        "x -----BEGIN CERTIFICATE----- QUJD REVG -----END CERTIFICATE----- "
        "-----BEGIN EC PRIVATE KEY-----\nQQ==\n-----END EC PRIVATE KEY-----"
        "-----BEGIN CERTIFICATE-----\nno end";
    CHECK_INT(pem_blocks(text, "CERTIFICATE", &out), 1);
    CHECK_TEXT(buffer_text(&out),
               "-----BEGIN CERTIFICATE-----\nQUJDREVG\n-----END CERTIFICATE-----\n");
    buffer_clear(&out);
    CHECK_INT(pem_blocks(text, "PRIVATE KEY", &out), 1);
    CHECK_TEXT(buffer_text(&out),
               "-----BEGIN EC PRIVATE KEY-----\nQQ==\n-----END EC PRIVATE KEY-----\n");
    buffer_done(&out);
}

TEST_MAIN
