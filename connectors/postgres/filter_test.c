/* connectors/postgres/filter_test.c - lists of expressions choose tables and columns.
 */
#include "filter.h"
#include "test.h"

static sluice_list list_of(const char *const *items)
{
    size_t count = 0;
    while (items[count] != NULL) {
        count++;
    }
    return (sluice_list){count, items};
}

static filter *made(const postgres_config *config)
{
    filter *self = NULL;
    CHECK(filter_new(config, &self, NULL) == SLUICE_OK);
    return self;
}

TEST(expressions_match_whole_names_in_any_case)
{
    static const char *const tables[] = {"public\\.orders", "s.t\\d+", NULL};
    postgres_config config = {.table_include = list_of(tables)};
    filter *self = made(&config);
    CHECK(filter_table(self, "public", "orders"));
    CHECK(filter_table(self, "PUBLIC", "Orders"));
    CHECK(!filter_table(self, "public", "orders2"));
    CHECK(!filter_table(self, "xpublic", "orders"));
    CHECK(filter_table(self, "s", "t12"));
    CHECK(!filter_table(self, "s", "t"));
    filter_free(self);
}

TEST(a_comma_behind_a_backslash_is_the_expressions_own)
{
    static const char *const tables[] = {"s.t\\d{1\\", "2}", "s.u\\\\", "s.v", NULL};
    postgres_config config = {.table_include = list_of(tables)};
    filter *self = made(&config);
    CHECK(filter_table(self, "s", "t12"));
    CHECK(!filter_table(self, "s", "t123"));
    CHECK(filter_table(self, "s", "v"));
    CHECK_INT(filter_table_rank(self, "s", "t12"), 0);
    CHECK_INT(filter_table_rank(self, "s", "v"), 2);
    CHECK_INT(filter_table_rank(self, "s", "w"), 3);
    filter_free(self);
}

TEST(brackets_are_those_of_java)
{
    static const char *const tables[] = {"s.[\\w-]+", "[t\\d]\\.[^\\s\\]x]+",
                                         "u.[\\-\\.a]", NULL};
    postgres_config config = {.table_include = list_of(tables)};
    filter *self = made(&config);
    CHECK(filter_table(self, "s", "a_1-b"));
    CHECK(!filter_table(self, "s", "a b"));
    CHECK(filter_table(self, "t", "a.b"));
    CHECK(filter_table(self, "7", "\\"));
    CHECK(!filter_table(self, "t", "a]b"));
    CHECK(!filter_table(self, "t", "a b"));
    CHECK(filter_table(self, "u", "-"));
    CHECK(filter_table(self, "u", "."));
    CHECK(!filter_table(self, "u", "\\"));
    filter_free(self);
}

TEST(schemas_and_tables_are_excluded)
{
    static const char *const schemas[] = {"audit|(?:old_.*)", NULL};
    static const char *const tables[] = {".*\\.tmp.*", NULL};
    postgres_config config = {.schema_exclude = list_of(schemas),
                              .table_exclude = list_of(tables)};
    filter *self = made(&config);
    CHECK(filter_table(self, "public", "orders"));
    CHECK(!filter_table(self, "audit", "orders"));
    CHECK(!filter_table(self, "old_1", "orders"));
    CHECK(!filter_table(self, "public", "tmp_1"));
    CHECK(!filter_table(self, "pg_catalog", "pg_class"));
    CHECK(!filter_table(self, "information_schema", "tables"));
    CHECK(!filter_table(self, "public", "spatial_ref_sys"));
    filter_free(self);
}

TEST(columns_and_snapshot_tables_have_lists_of_their_own)
{
    static const char *const columns[] = {"public.users.(password|token)", NULL};
    static const char *const tables[] = {"public.small", NULL};
    postgres_config config = {.column_exclude = list_of(columns),
                              .snapshot_tables = list_of(tables)};
    filter *self = made(&config);
    CHECK(!filter_column(self, "public", "users", "token"));
    CHECK(filter_column(self, "public", "users", "name"));
    CHECK(filter_snapshot(self, "public", "small"));
    CHECK(!filter_snapshot(self, "public", "large"));
    filter_free(self);
}

TEST(keys_are_chosen_by_table)
{
    postgres_config config = {.key_columns = "public.a:x, y; s.(b|c):z;(.*).a:id_.*"};
    filter *self = made(&config);
    CHECK_INT(filter_key(self, "public", "a", "x"), 0);
    CHECK_INT(filter_key(self, "public", "a", "Y"), 1);
    CHECK_INT(filter_key(self, "public", "a", "z"), -1);
    CHECK_INT(filter_key(self, "s", "c", "z"), 2);
    CHECK_INT(filter_key(self, "s", "d", "z"), -1);
    CHECK_INT(filter_key(self, "public", "a", "id_one"), 3);
    filter_free(self);
}

TEST(what_is_no_expression_is_told_with_its_key)
{
    static const char *const tables[] = {"a(b", "x(?=y)", NULL};
    postgres_config config = {.table_include = list_of(tables), .key_columns = "nokey"};
    sluice_error *err = sluice_error_new();
    filter *self = NULL;
    CHECK(filter_new(&config, &self, err) == SLUICE_BAD_CONFIG);
    CHECK_INT(sluice_error_count(err), 3);
    CHECK_TEXT(sluice_error_key(err, 0), "table.include.list");
    CHECK(strstr(sluice_error_message(err, 0), "a(b") != NULL);
    CHECK(strstr(sluice_error_message(err, 1), "x(?=y)") != NULL);
    CHECK_TEXT(sluice_error_key(err, 2), "message.key.columns");
    sluice_error_free(err);
}

TEST_MAIN
