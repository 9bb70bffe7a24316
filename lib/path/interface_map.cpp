// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

interface_map::port_bindings& interface_map::writable(port_id port) {
    if (port.value() >= ports_.size())
        ports_.resize(std::size_t{port.value()} + 1);
    return ports_[port.value()];
}

void interface_map::bind(port_id port, interface_binding to) {
    writable(port).unit_0 = to;
}

void interface_map::bind(port_id port, std::uint16_t vlan, interface_binding to) {
    auto& units = writable(port).by_vlan;
    const auto place = std::ranges::lower_bound(units, vlan, {}, &vlan_binding::vlan);
    if (place != units.end() && place->vlan == vlan)
        place->to = to;
    else
        units.insert(place, {vlan, to});
}

interface_binding interface_map::find(port_id port, int vlan) const noexcept {
    if (port.value() >= ports_.size())
        return {};
    const port_bindings& bindings = ports_[port.value()];
    if (vlan >= 0 && !bindings.by_vlan.empty()) {
        const auto place =
            std::ranges::lower_bound(bindings.by_vlan, vlan, {}, &vlan_binding::vlan);
        if (place != bindings.by_vlan.end() && place->vlan == vlan)
            return place->to;
    }
    return bindings.unit_0;
}

} // namespace flowtap::path
