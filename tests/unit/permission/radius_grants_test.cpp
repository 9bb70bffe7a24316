// SPDX-License-Identifier: Apache-2.0
#include <flowtap/permission/radius_grants.hpp>

#include <string>
#include <vector>

#include <doctest/doctest.h>

using namespace flowtap::permission;
using names = std::vector<std::string>;

namespace {

login_directory logins_with(permission_set remote, permission_set bob = {bit::admin}) {
    login_directory logins;
    logins.insert(login_class{"remotes", remote});
    logins.insert(login_class{"bobs", bob});
    logins.insert(user{"remote", "remotes"});
    logins.insert(user{"bob", "bobs"});
    return logins;
}

radius_grants three_users() {
    radius_grants grants;
    grants.remember("ann", "flow-tap-operation", "");
    grants.remember("bob", "view", "");
    grants.remember("carl", "view", "remote");
    return grants;
}

const login_directory lab = logins_with({bit::flow_tap_operation});

} // namespace

TEST_CASE("what RADIUS granted is merged with the class as the configuration has it") {
    const radius_grants grants = three_users();
    CHECK(to_string(grants.permissions_of("bob", lab).value()) == "[view admin]");
    CHECK(to_string(grants.permissions_of("carl", lab).value()) == "[view flow-tap-operation]");
    CHECK(to_string(grants.permissions_of("ann", login_directory{}).value()) ==
          "[flow-tap-operation]");
    CHECK_FALSE(grants.permissions_of("dora", lab).has_value());
}

TEST_CASE("a change of a class concerns those whose permissions it changes") {
    radius_grants grants = three_users();
    const login_directory same = lab;
    CHECK(grants.compare(lab, same).logins_changed.empty());

    const login_directory other_bob = logins_with({bit::flow_tap_operation}, {bit::system});
    CHECK(grants.compare(lab, other_bob).logins_changed == names{"bob"});
    CHECK(grants.compare(lab, other_bob).tapping_ended.empty());

    // Ann has the permission of RADIUS, Carl had it of the template.
    const login_directory poor_template = logins_with({bit::view});
    CHECK(grants.compare(lab, poor_template).logins_changed == names{"ann", "carl"});
    CHECK(grants.compare(lab, poor_template).tapping_ended == names{"carl"});
}

TEST_CASE("who may tap by the configuration alone goes on") {
    radius_grants grants = three_users();
    const login_directory tapping_ann = [] {
        login_directory logins = lab;
        logins.insert(user{"ann", "remotes"});
        return logins;
    }();
    CHECK(grants.withdraw_all(lab, tapping_ann).tapping_ended == names{"carl"});
}

TEST_CASE("the last acceptance counts") {
    radius_grants grants = three_users();
    grants.remember("carl", "flow-tap-operation", "");
    const login_directory poor_template = logins_with({bit::view});
    CHECK(grants.compare(lab, poor_template).tapping_ended.empty());
}

TEST_CASE("when RADIUS is not asked any more nobody has what it granted") {
    radius_grants grants = three_users();
    const auto found = grants.withdraw_all(lab, lab);
    CHECK(found.logins_changed == names{"ann", "bob", "carl"});
    CHECK(found.tapping_ended == names{"ann", "carl"});
    CHECK_FALSE(grants.permissions_of("ann", lab).has_value());
}
