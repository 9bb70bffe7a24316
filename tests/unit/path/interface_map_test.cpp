// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/snapshot.hpp>

using namespace flowtap;
using namespace flowtap::path;

TEST_CASE("a frame belongs to the unit with its VLAN id, else to unit 0") {
    interface_map map;
    const interface_binding unit_0{interface_id(1), vrf_id(0)};
    const interface_binding unit_100{interface_id(2), vrf_id(5)};
    const interface_binding unit_7{interface_id(3), vrf_id(6)};
    map.bind(port_id(1), unit_0);
    map.bind(port_id(1), 100, unit_100);
    map.bind(port_id(1), 7, unit_7);
    struct row {
        std::uint32_t port;
        int vlan;
        interface_binding expected;
    };
    for (const row& each :
         {row{1, -1, unit_0}, row{1, 100, unit_100}, row{1, 7, unit_7}, row{1, 8, unit_0},
          row{1, 0, unit_0}, row{0, 100, {}}, row{9, -1, {}}}) {
        CAPTURE(each.port);
        CAPTURE(each.vlan);
        CHECK(map.find(port_id(each.port), each.vlan) == each.expected);
    }
    map.bind(port_id(1), 7, unit_100);
    CHECK(map.find(port_id(1), 7) == unit_100);
}
