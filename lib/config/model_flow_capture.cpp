// SPDX-License-Identifier: Apache-2.0
//
// services dynamic-flow-capture (juniper.md, section 2).
#include <algorithm>
#include <map>

#include <flowtap/config/secret.hpp>

#include "model.hpp"

namespace flowtap::config {

namespace {

/// The children of a node with this keyword.
std::vector<const node*> children_named(const node& parent, std::string_view keyword) {
    std::vector<const node*> found;
    for (const node& child : parent.children)
        if (keyword_of(*child.row) == keyword)
            found.push_back(&child);
    return found;
}

std::vector<ip_address> addresses_of(const node& parent, std::string_view keyword) {
    std::vector<ip_address> read;
    if (const node* list = parent.find(keyword))
        for (const word& member : list->values)
            read.push_back(*parse_ip_address(member.text));
    return read;
}

/// A limit and what it comes down to, of which each needs the other.
std::optional<bandwidth_limit> read_limit(const node& written, std::string_view limit_keyword,
                                          std::string_view low_keyword, reporter& report) {
    const node* limit = written.find(limit_keyword);
    const node* low = written.find(low_keyword);
    if (limit != nullptr && low != nullptr) {
        const bandwidth_limit read{parse_bandwidth(limit->key().text).value_or(0),
                                   parse_bandwidth(low->key().text).value_or(0)};
        if (read.low > read.limit)
            report.error(low->key().where,
                         std::string(low_keyword) + " is above " + std::string(limit_keyword));
        return read;
    }
    if (limit != low && !written.flawed) {
        const bool has_limit = limit != nullptr;
        report.error((has_limit ? limit : low)->where,
                     std::string(has_limit ? limit_keyword : low_keyword) + " needs " +
                         std::string(has_limit ? low_keyword : limit_keyword) + " beside it");
    }
    return {};
}

content_destination read_destination(const node& written, reporter& report) {
    content_destination read;
    read.name = written.key().text;
    if (const word* address = written.value_of("address")) {
        read.address = *parse_ip_address(address->text);
        if (!read.address.is_unicast())
            report.error(address->where, "copies cannot go to this address: it is not unicast");
    } else if (!written.flawed) {
        report.error(written.key().where, "the content destination has no address");
    }
    read.ttl = static_cast<std::uint8_t>(number_or(written, "ttl", read.ttl));
    read.soft = read_limit(written, "soft-limit", "soft-limit-clear", report);
    read.hard = read_limit(written, "hard-limit", "hard-limit-target", report);
    if (read.soft && read.hard && read.soft->limit > read.hard->limit)
        report.warn(written.value_of("soft-limit")->where,
                    "soft-limit is above hard-limit: criteria are purged before anybody is told");
    return read;
}

/// The destinations that a control source may name, of those that its group has.
std::vector<std::string> read_allowed(const node& written, const capture_group& group,
                                      reporter& report) {
    const node* list = written.find("allowed-destinations");
    if (list == nullptr) {
        if (!written.flawed)
            report.warn(written.key().where, "the control source can capture nothing: it has no "
                                             "allowed-destinations");
        return {};
    }
    std::vector<std::string> read;
    for (const word& member : list->values) {
        const auto known =
            std::any_of(group.content_destinations.begin(), group.content_destinations.end(),
                        [&](const auto& destination) { return destination.name == member.text; });
        if (known)
            read.push_back(member.text);
        else
            report.error(member.where,
                         "the capture group has no content destination \"" + member.text + '"');
    }
    return read;
}

capture_control_source read_source(const node& written, const capture_group& group,
                                   reporter& report) {
    capture_control_source read;
    read.name = written.key().text;
    read.source_addresses = addresses_of(written, "source-addresses");
    read.notification_targets = read_targets(written, report);
    read.allowed_destinations = read_allowed(written, group, report);
    read.service_port = static_cast<std::uint16_t>(number_or(written, "service-port", 0));
    read.minimum_priority = static_cast<std::uint8_t>(number_or(written, "minimum-priority", 0));
    read.no_syslog = written.find("no-syslog") != nullptr;
    if (const word* key = written.value_of("shared-key"))
        read.shared_key = *reveal_secret(key->text);
    else if (!written.flawed)
        report.error(written.key().where, "the control source has no shared-key");
    if (read.service_port == 0 && !written.flawed)
        report.error(written.key().where, "the control source has no service-port");
    return read;
}

std::vector<std::string> read_group_interfaces(const node& written, const configuration& settings,
                                               reporter& report) {
    std::vector<std::string> read;
    const node* list = written.find("interfaces");
    if (list == nullptr)
        return read;
    for (const word& member : list->values) {
        std::string name = with_unit(member.text);
        if (settings.find_unit(name) == nullptr)
            report.error(member.where, "the unit " + name + " is not configured under interfaces");
        else if (std::find(read.begin(), read.end(), name) == read.end())
            read.push_back(std::move(name));
    }
    return read;
}

/// The values of a group's own, else those that hold for all groups, else the usual ones.
void read_group_values(const node& written, const node& service, capture_group& read) {
    read.max_duplicates = static_cast<std::uint16_t>(number_or(
        written, "max-duplicates", number_or(service, "g-max-duplicates", read.max_duplicates)));
    read.duplicates_dropped_periodicity = std::chrono::seconds(number_or(
        written, "duplicates-dropped-periodicity",
        number_or(service, "g-duplicates-dropped-periodicity",
                  static_cast<std::uint64_t>(read.duplicates_dropped_periodicity.count()))));
    if (const word* rate = written.value_of("input-packet-rate-threshold"))
        read.input_packet_rate_threshold = number_of(*rate);
    if (const node* memory = written.find("pic-memory-threshold"))
        if (const word* percentage = memory->value_of("percentage"))
            read.memory_threshold = static_cast<unsigned>(number_of(*percentage));
}

/// `sources` holds the group of each control source so far.
capture_group read_group(const node& written, const node& service, const configuration& settings,
                         std::map<std::string, std::string>& sources, reporter& report) {
    capture_group read;
    read.name = written.key().text;
    read.interfaces = read_group_interfaces(written, settings, report);
    read_group_values(written, service, read);
    for (const node* destination : children_named(written, "content-destination"))
        read.content_destinations.push_back(read_destination(*destination, report));
    for (const node* source : children_named(written, "control-source")) {
        const auto [owner, is_new] = sources.emplace(source->key().text, read.name);
        if (!is_new)
            report.error(source->key().where, "the control source belongs to the capture group " +
                                                  owner->second + " already");
        read.control_sources.push_back(read_source(*source, read, report));
    }
    return read;
}

/// Leaves the order in which things were written to those who wrote them.
template <class Named>
void sort_by_name(std::vector<Named>& list) {
    std::sort(list.begin(), list.end(),
              [](const Named& a, const Named& b) { return a.name < b.name; });
}

} // namespace

void read_flow_capture(const node& top, configuration& settings, reporter& report) {
    const node* service = top.find_path({"services", "dynamic-flow-capture"});
    if (service == nullptr)
        return;
    dynamic_flow_capture_settings read;
    std::map<std::string, std::string> sources;
    for (const node* group : children_named(*service, "capture-group")) {
        read.groups.push_back(read_group(*group, *service, settings, sources, report));
        sort_by_name(read.groups.back().control_sources);
        sort_by_name(read.groups.back().content_destinations);
    }
    sort_by_name(read.groups);
    if (sources.empty() && !service->flawed)
        report.warn(service->where, "dynamic-flow-capture has no control source: nobody can ask "
                                    "for anything");
    // Beside flow-tap it is refused (surroundings.cpp).
    if (!settings.flow_tap)
        settings.dynamic_flow_capture = std::move(read);
}

} // namespace flowtap::config
