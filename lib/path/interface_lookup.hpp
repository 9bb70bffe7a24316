// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path::detail {

/// Finds the interfaces of the packets of one batch, of which most have that of the one before.
class interface_lookup {
public:
    /// Null: nothing is known of interfaces.
    explicit interface_lookup(const interface_map* map) noexcept : map_(map) {}

    /// `vlan` is -1 for a frame without a tag.
    const interface_binding& find(port_id port, int vlan) noexcept {
        return find(last_, port, vlan);
    }
    /// The same for one without a tag.
    const interface_binding& find(port_id port) noexcept { return find(last_untagged_, port, -1); }

private:
    static constexpr int no_vlan = -2; ///< of no packet

    struct last {
        port_id port;
        int vlan = no_vlan;
        interface_binding binding;
    };

    const interface_binding& find(last& known, port_id port, int vlan) const noexcept {
        if (port == known.port && vlan == known.vlan)
            return known.binding;
        known = {port, vlan, map_ == nullptr ? interface_binding{} : map_->find(port, vlan)};
        return known.binding;
    }

    const interface_map* map_;
    last last_;
    last last_untagged_;
};

} // namespace flowtap::path::detail
