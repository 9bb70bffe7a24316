// SPDX-License-Identifier: Apache-2.0
#include "name_table.hpp"

#include <utility>

namespace flowtap::tap {

template <class Id>
Id name_table::names<Id>::enter(const std::string& name) {
    configured.insert(name);
    return id_of(name);
}

template <class Id>
Id name_table::names<Id>::id_of(const std::string& name) {
    const auto next = static_cast<typename Id::number_type>(ids.size() + 1);
    return ids.try_emplace(name, Id{next}).first->second;
}

template <class Id>
std::optional<Id> name_table::names<Id>::find(std::string_view name) const {
    if (!configured.contains(name))
        return std::nullopt;
    return ids.find(name)->second;
}

void name_table::apply(const settings& with) {
    interfaces_.configured.clear();
    vrfs_.configured.clear();
    for (const std::string& instance : with.routing_instances)
        vrfs_.enter(instance);

    auto map = std::make_shared<path::interface_map>();
    for (const interface_settings& interface : with.interfaces) {
        path::interface_binding binding{interfaces_.enter(interface.name), vrf_id{}};
        if (!interface.routing_instance.empty())
            binding.vrf = vrfs_.enter(interface.routing_instance);
        if (!interface.port)
            continue;
        if (interface.vlan)
            map->bind(*interface.port, *interface.vlan, binding);
        else
            map->bind(*interface.port, binding);
    }
    map_ = std::move(map);
}

std::optional<interface_id> name_table::find_interface(std::string_view name) const {
    return interfaces_.find(name);
}

interface_id name_table::id_of(const std::string& name) {
    return interfaces_.id_of(name);
}

std::optional<vrf_id> name_table::find_vrf(std::string_view name) const {
    return vrfs_.find(name);
}

} // namespace flowtap::tap
