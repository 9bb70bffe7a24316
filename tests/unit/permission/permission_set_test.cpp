// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/permission/permission_set.hpp>

using namespace flowtap::permission;

TEST_CASE("every permission has a word and is found by it") {
    for (std::size_t number = 0; number < bit_count; ++number) {
        const auto permission = static_cast<bit>(number);
        CAPTURE(to_word(permission));
        CHECK(find_bit(to_word(permission)) == permission);
    }
    CHECK(to_word(bit::access) == "access");
    CHECK(to_word(bit::flow_tap) == "flow-tap");
    CHECK(to_word(bit::flow_tap_control) == "flow-tap-control");
    CHECK(to_word(bit::flow_tap_operation) == "flow-tap-operation");
    CHECK(to_word(bit::view_configuration) == "view-configuration");
    CHECK_FALSE(find_bit("Flow-Tap").has_value());
    CHECK_FALSE(find_bit("").has_value());
    CHECK_FALSE(find_bit("flow-tap-").has_value());
}

TEST_CASE("all gives everything but flow-tap-operation") {
    const permission_set all{bit::all};
    for (std::size_t number = 0; number < bit_count; ++number) {
        const auto permission = static_cast<bit>(number);
        CAPTURE(to_word(permission));
        CHECK(all.grants(permission) == (permission != bit::flow_tap_operation));
    }
    CHECK_FALSE(all.names("flow-tap"));
    CHECK(permission_set::parse("all flow-tap-operation").grants(bit::flow_tap_operation));
}

TEST_CASE("control gives every -control permission but those of interception") {
    const permission_set control{bit::control};
    CHECK(control.grants(bit::interface_control));
    CHECK(control.grants(bit::admin_control));
    CHECK(control.grants(bit::control));
    CHECK_FALSE(control.grants(bit::interface));
    CHECK_FALSE(control.grants(bit::flow_tap_control));
    CHECK_FALSE(control.grants(bit::pgcp_session_mirroring_control));
    CHECK_FALSE(control.grants(bit::flow_tap_operation));
}

TEST_CASE("unknown words are kept, shown and grant nothing") {
    const auto set =
        permission_set::parse("  warp-drive\tflow-tap  Flow-Tap-Operation warp-drive ");
    CHECK(to_string(set) == "[warp-drive flow-tap Flow-Tap-Operation]");
    CHECK(set.names("warp-drive"));
    CHECK(set.granted() == bit_mask{bit::flow_tap});
    CHECK(to_string(permission_set{}) == "[]");
}

TEST_CASE("a word that is taken away no longer grants") {
    auto set = permission_set::parse("all flow-tap-operation view");
    set.erase("all");
    set.erase("absent");
    CHECK(to_string(set) == "[flow-tap-operation view]");
    CHECK_FALSE(set.grants(bit::admin));
    CHECK(set.grants(bit::view));
}

TEST_CASE("a class and RADIUS' words merge as the documentation shows") {
    struct row {
        const char* of_class;
        const char* radius;
        const char* merged;
    };
    const row rows[] = {
        {"admin system", "flow-tap-operation configure",
         "[flow-tap-operation configure admin system]"},
        {"", "flow-tap-operation", "[flow-tap-operation]"},
        {"admin system", "", "[admin system]"},
        {"admin view", "view admin", "[view admin]"},
        {"all", "flow-tap-operation", "[flow-tap-operation all]"},
        {"view", "something-new", "[something-new view]"},
        {"", "", "[]"},
    };
    for (const row& r : rows) {
        CAPTURE(r.of_class);
        CAPTURE(r.radius);
        CHECK(to_string(merge(permission_set::parse(r.of_class), r.radius)) == r.merged);
    }
}
