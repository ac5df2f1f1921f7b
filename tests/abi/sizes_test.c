/* The public structs keep their size and layout: plugins were built with them. A number
 * that has to change here needs a new minor version, one that shrinks a new major. */
#include "test.h"
#include <sluice/plugin.h>

TEST(public_structs_have_the_sizes_of_abi_1_2)
{
    if (sizeof(void *) != 8) {
        SKIP("the sizes are those of machines with 64 bits");
    }
    CHECK_INT(sizeof(sluice_bytes), 16);
    CHECK_INT(sizeof(sluice_list), 16);
    CHECK_INT(sizeof(sluice_family), 24);
    CHECK_INT(sizeof(sluice_key), 112);
    CHECK_INT(sizeof(sluice_config), 40);
    CHECK_INT(sizeof(sluice_source_ops), 56);
    CHECK_INT(sizeof(sluice_sink_ops), 72);
    CHECK_INT(sizeof(sluice_converter_ops), 40);
    CHECK_INT(sizeof(sluice_transform_ops), 32);
    CHECK_INT(sizeof(sluice_predicate_ops), 32);
    CHECK_INT(sizeof(sluice_feature), 72);
    CHECK_INT(sizeof(sluice_manifest), 48);
}

TEST(what_identifies_a_manifest_stays_where_it_is)
{
    CHECK_INT(offsetof(sluice_manifest, magic), 0);
    CHECK_INT(offsetof(sluice_manifest, abi_major), 4);
    CHECK_INT(offsetof(sluice_manifest, abi_minor), 6);
    CHECK_INT(offsetof(sluice_manifest, size), 8);
}

TEST(sizes_lead_and_enumerations_keep_their_numbers)
{
    CHECK_INT(offsetof(sluice_source_ops, size), 0);
    CHECK_INT(offsetof(sluice_sink_ops, size), 0);
    CHECK_INT(offsetof(sluice_feature, size), 0);
    CHECK_INT(offsetof(sluice_config, size), 0);
    CHECK_INT(SLUICE_FATAL, 4);
    CHECK_INT(SLUICE_TYPE_STRUCT, 11);
    CHECK_INT(SLUICE_ENUM, 10);
    CHECK_INT(SLUICE_FAMILY, 11);
    CHECK_INT(SLUICE_PREDICATE, 5);
    CHECK_INT(SLUICE_WAIT_STOP, 4);
}

TEST_MAIN
