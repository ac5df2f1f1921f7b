/* lib/base/uuid_test.c - uuids and their text. */
#include "test.h"
#include "uuid.h"

TEST(the_text_is_base64url_without_padding)
{
    uuid self = {{0}};
    char text[UUID_TEXT_SIZE];
    uuid_print(&self, text);
    CHECK_TEXT(text, "AAAAAAAAAAAAAAAAAAAAAA");
    CHECK(uuid_is_zero(&self));

    memset(self.bytes, 0xff, sizeof(self.bytes));
    uuid_print(&self, text);
    CHECK_TEXT(text, "_____________________w");
    CHECK(!uuid_is_zero(&self));
}

TEST(a_text_gives_the_same_uuid_back)
{
    for (int i = 0; i < 1000; i++) {
        uuid self = uuid_random(), back;
        char text[UUID_TEXT_SIZE];
        uuid_print(&self, text);
        CHECK(text[0] != '-');
        CHECK(uuid_parse(text, strlen(text), &back));
        CHECK(uuid_equal(&self, &back));
    }
}

TEST(what_is_no_uuid_is_refused)
{
    uuid self;
    CHECK(!uuid_parse("", 0, &self));
    CHECK(!uuid_parse("AAAAAAAAAAAAAAAAAAAAA", 21, &self));
    CHECK(!uuid_parse("AAAAAAAAAAAAAAAAAAAAAAA", 23, &self));
    CHECK(!uuid_parse("AAAAAAAAAAAAAAAAAAAAA+", 22, &self));
    CHECK(!uuid_parse("AAAAAAAAAAAAAAAAAAAAA\0", 22, &self));
}

TEST_MAIN
