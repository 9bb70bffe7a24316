// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path::detail {

/// Finds the interfaces of the packets of one batch, of which most have that of the one before.
class interface_lookup {
public:
    /// Null: nothing is known of interfaces.
    explicit interface_lookup(const interface_map* map) noexcept : map_(map) {}

    const interface_binding& find(port_id port, int vlan) noexcept {
        if (port == port_ && vlan == vlan_)
            return found_;
        port_ = port;
        vlan_ = vlan;
        found_ = map_ == nullptr ? interface_binding{} : map_->find(port, vlan);
        return found_;
    }

private:
    static constexpr int no_vlan = -2;

    const interface_map* map_;
    port_id port_;
    int vlan_ = no_vlan; ///< of no packet
    interface_binding found_;
};

} // namespace flowtap::path::detail
