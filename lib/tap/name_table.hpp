// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <flowtap/core/ids.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/tap/settings.hpp>

namespace flowtap::tap {

/// The interfaces and routing instances that requests may name, and their ids: a name keeps its id
/// across configuration changes, also when it is gone for a while.
class name_table {
public:
    /// From now on, what `with` names is configured and nothing else.
    void apply(const settings& with);

    /// None if the interface is not configured. `name` has its unit.
    std::optional<interface_id> find_interface(std::string_view name) const;
    /// The id that an interface of this name has, configured or not.
    interface_id id_of(const std::string& name);
    /// None if the routing instance is not configured.
    std::optional<vrf_id> find_vrf(std::string_view name) const;

    /// Which logical interface the frames of each port belong to, for the data path.
    const std::shared_ptr<const path::interface_map>& map() const noexcept { return map_; }

private:
    /// Ids count from 1: 0 stands for no interface known, and for the default instance.
    template <class Id>
    struct names {
        std::map<std::string, Id, std::less<>> ids;
        std::set<std::string, std::less<>> configured;

        Id enter(const std::string& name);
        Id id_of(const std::string& name);
        std::optional<Id> find(std::string_view name) const;
    };

    names<interface_id> interfaces_;
    names<vrf_id> vrfs_;
    std::shared_ptr<const path::interface_map> map_ = std::make_shared<path::interface_map>();
};

} // namespace flowtap::tap
