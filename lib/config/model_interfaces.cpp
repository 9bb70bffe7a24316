// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <map>
#include <utility>

#include "model.hpp"

namespace flowtap::config {

namespace {

constexpr std::array<std::pair<std::string_view, family>, 3> family_keywords = {
    {{"inet", family::inet}, {"inet6", family::inet6}, {"ccc", family::ccc}}};

void read_addresses(const node& of_family, family expected, logical_interface& unit,
                    reporter& report) {
    for (const node& child : of_family.children) {
        if (keyword_of(*child.row) != "address")
            continue;
        const ip_prefix address = *parse_ip_prefix(child.key().text);
        if (address.address.ip_family() == expected)
            unit.addresses.push_back(address);
        else
            report.error(child.key().where, "the address is not of the family it stands in");
    }
}

void read_families(const node& written, logical_interface& unit, reporter& report) {
    const node* families = written.find("family");
    if (families == nullptr)
        return;
    for (const auto& [keyword, known] : family_keywords)
        if (const node* present = families->find(keyword)) {
            unit.families.insert(known);
            read_addresses(*present, known, unit, report);
        }
}

/// Which unit of an interface takes which frames: no two may claim the same.
void check_vlan(const node& written, const logical_interface& unit, bool captured,
                std::map<std::uint16_t, std::string>& claimed, reporter& report) {
    if (!unit.vlan_id) {
        if (captured && unit.unit != 0)
            report.warn(written.where,
                        "the unit takes no frames: it has no vlan-id, and only unit 0 "
                        "takes those that no other unit claims");
        return;
    }
    const auto [owner, is_new] = claimed.emplace(*unit.vlan_id, unit.name);
    if (!is_new)
        report.error(written.value_of("vlan-id")->where,
                     "the frames of this VLAN belong to " + owner->second + " already");
}

void read_interface(const node& written, configuration& settings,
                    std::map<std::string, std::string>& devices, reporter& report) {
    physical_interface read;
    read.name = written.key().text;
    if (const word* device = written.value_of("capture-device")) {
        read.capture_device = device->text;
        const auto [owner, is_new] = devices.emplace(device->text, read.name);
        if (!is_new)
            report.error(device->where, "the device is captured for " + owner->second + " already");
    }
    if (const word* device = written.value_of("egress-device"))
        read.egress_device = device->text;
    if (const word* port = written.value_of("egress-source-port"))
        read.egress_source_port = static_cast<std::uint16_t>(number_of(*port));
    std::map<std::uint16_t, std::string> claimed;
    for (const node& child : written.children) {
        if (keyword_of(*child.row) != "unit")
            continue;
        logical_interface unit;
        unit.unit = static_cast<unsigned>(number_of(child.key()));
        unit.name = read.name + '.' + std::to_string(unit.unit);
        if (const word* vlan = child.value_of("vlan-id"))
            unit.vlan_id = static_cast<std::uint16_t>(number_of(*vlan));
        read_families(child, unit, report);
        check_vlan(child, unit, !read.capture_device.empty(), claimed, report);
        read.units.push_back(std::move(unit));
    }
    settings.interfaces.push_back(std::move(read));
}

void read_instance(const node& written, configuration& settings,
                   std::map<std::string, std::string>& owners, reporter& report) {
    routing_instance read;
    read.name = written.key().text;
    if (const word* type = written.value_of("instance-type"))
        read.instance_type = type->text;
    for (const node& child : written.children) {
        if (keyword_of(*child.row) != "interface")
            continue;
        std::string name = with_unit(child.key().text);
        if (settings.find_unit(name) == nullptr)
            report.warn(child.key().where,
                        "the unit " + name + " is not configured under interfaces");
        const auto [owner, is_new] = owners.emplace(name, read.name);
        if (!is_new)
            report.error(child.key().where,
                         "the unit belongs to the routing instance " + owner->second + " already");
        read.interfaces.push_back(std::move(name));
    }
    settings.routing_instances.push_back(std::move(read));
}

} // namespace

void read_interfaces(const node& top, configuration& settings, reporter& report) {
    const node* interfaces = top.find("interfaces");
    if (interfaces == nullptr)
        return;
    std::map<std::string, std::string> devices;
    for (const node& child : interfaces->children)
        read_interface(child, settings, devices, report);
}

void read_instances(const node& top, configuration& settings, reporter& report) {
    std::map<std::string, std::string> owners;
    if (const node* instances = top.find("routing-instances"))
        for (const node& child : instances->children)
            read_instance(child, settings, owners, report);

    if (const node* classes = top.find("class-of-service"))
        for (const node& child : classes->children) {
            if (keyword_of(*child.row) != "dscp")
                continue;
            if (const word* dscp = child.value_of(""))
                settings.forwarding_classes[child.key().text] =
                    static_cast<std::uint8_t>(number_of(*dscp));
            else if (!child.flawed)
                report.error(child.where, "the forwarding class \"" + child.key().text +
                                              "\" needs a DSCP after it");
        }
}

} // namespace flowtap::config
