// SPDX-License-Identifier: Apache-2.0
#include "capture_groups.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace flowtap::tap {

namespace {

constexpr std::size_t most_groups = std::numeric_limits<path::copy_group_id::number_type>::max();

packet::encapsulation encapsulation_of(const content_destination_settings& with) {
    packet::encapsulation around;
    around.kind = packet::encapsulation_kind::ip_in_ip;
    around.source = {with.source_address, 0};
    around.destination = {with.address, 0};
    around.ttl = with.ttl;
    return around;
}

/// Interfaces count with their names, configured or not: one that comes later belongs to the group
/// then, and a group of none but unknown ones captures nothing.
filter_scope scope_of(const capture_group_settings& with, name_table& names) {
    if (with.interfaces.empty())
        return global_scope{};
    input_scope scope;
    for (const std::string& name : with.interfaces)
        scope.interfaces.push_back(names.id_of(name));
    std::sort(scope.interfaces.begin(), scope.interfaces.end());
    scope.interfaces.erase(std::unique(scope.interfaces.begin(), scope.interfaces.end()),
                           scope.interfaces.end());
    return scope;
}

bool belongs_to(const interface_settings& interface, const capture_group& group) {
    const std::vector<std::string>& its = group.with.interfaces;
    return its.empty() || std::find(its.begin(), its.end(), interface.name) != its.end();
}

} // namespace

void capture_groups::apply(const settings& with, name_table& names) {
    std::erase_if(groups_,
                  [&](const auto& one) { return !with.capture_groups.contains(one.first); });
    for (const auto& [name, group] : with.capture_groups) {
        auto found = groups_.find(name);
        if (found == groups_.end()) {
            if (groups_.size() == most_groups)
                continue;
            capture_group made;
            made.name = name;
            made.number = find_free_number();
            found = groups_.emplace(name, std::move(made)).first;
        }
        configure(found->second, group, names);
    }
}

path::copy_group_id capture_groups::find_free_number() const {
    std::array<bool, most_groups + 1> used{};
    used[0] = true;
    for (const auto& [name, group] : groups_)
        used[group.number.value()] = true;
    const auto free = std::find(used.begin(), used.end(), false);
    return path::copy_group_id{static_cast<std::uint8_t>(free - used.begin())};
}

void capture_groups::configure(capture_group& group, const capture_group_settings& next,
                               name_table& names) {
    if (!next.input_packet_rate)
        group.gate = nullptr;
    else if (!group.gate || group.with.input_packet_rate != next.input_packet_rate)
        group.gate = std::make_shared<path::rate_gate>(*next.input_packet_rate);

    decltype(group.destinations) destinations;
    for (const auto& [name, settings] : next.content_destinations) {
        const auto header = packet::header_template::make(encapsulation_of(settings));
        if (!header)
            continue;
        const auto before = group.destinations.find(name);
        auto& one = destinations[name];
        one = before != group.destinations.end()
                  ? before->second
                  : std::make_shared<content_destination>(group.name, name, *header);
        one->header = *header;
        one->with = settings;
    }
    group.destinations = std::move(destinations);
    group.scope = scope_of(next, names);
    group.with = next;
}

const capture_group* capture_groups::find(std::string_view name) const {
    const auto found = groups_.find(name);
    return found == groups_.end() ? nullptr : &found->second;
}

std::vector<std::uint16_t> capture_groups::copy_limits() const {
    std::vector<std::uint16_t> limits;
    for (const auto& [name, group] : groups_) {
        if (limits.size() <= group.number.value())
            limits.resize(group.number.value() + std::size_t{1},
                          std::numeric_limits<std::uint16_t>::max());
        limits[group.number.value()] = group.with.max_duplicates;
    }
    return limits;
}

std::shared_ptr<const path::input_gates> capture_groups::gates(const settings& with) const {
    auto gates = std::make_shared<path::input_gates>();
    for (const auto& [name, group] : groups_) {
        if (!group.gate)
            continue;
        for (const interface_settings& interface : with.interfaces)
            if (interface.port && belongs_to(interface, group) &&
                gates->find(*interface.port) == nullptr)
                gates->set(*interface.port, group.gate);
    }
    return gates;
}

} // namespace flowtap::tap
