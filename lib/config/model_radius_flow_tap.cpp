// SPDX-License-Identifier: Apache-2.0
//
// services radius-flow-tap (juniper.md, section 6).
#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include <flowtap/config/secret.hpp>

#include "model.hpp"

namespace flowtap::config {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint8_t>, 8> protocol_names{{
    {"icmp", std::uint8_t{1}},
    {"igmp", std::uint8_t{2}},
    {"tcp", std::uint8_t{6}},
    {"udp", std::uint8_t{17}},
    {"gre", std::uint8_t{47}},
    {"esp", std::uint8_t{50}},
    {"icmp6", std::uint8_t{58}},
    {"sctp", std::uint8_t{132}},
}};

std::string text_or(const node& parent, std::string_view keyword, std::string otherwise = {}) {
    const word* value = parent.value_of(keyword);
    return value != nullptr ? value->text : std::move(otherwise);
}

template <class Named>
void sort_by_name(std::vector<Named>& list) {
    std::sort(list.begin(), list.end(),
              [](const Named& a, const Named& b) { return a.name < b.name; });
}

/// Calls `read` with each child that has this keyword.
template <class Read>
void for_each_child(const node& parent, std::string_view keyword, Read read) {
    for (const node& child : parent.children)
        if (keyword_of(*child.row) == keyword)
            read(child);
}

// --- policies -----------------------------------------------------------------------------------

/// `7` or `7-9`, up to the highest number of the type.
template <class Number>
std::optional<range_entry<Number>> parse_range(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > std::numeric_limits<Number>::max())
        return std::nullopt;
    return range_entry<Number>{{static_cast<Number>(*first), static_cast<Number>(*last)}, false};
}

template <class Number>
void read_ranges(const node& from, std::string_view keyword, range_list<Number>& into,
                 reporter& report) {
    const node* list = from.find(keyword);
    if (list == nullptr)
        return;
    for (const word& member : list->values) {
        if (const auto entry = parse_range<Number>(member.text))
            into.entries.push_back(*entry);
        else
            report.error(member.where, "a number or a range of them is expected here, from 0 to " +
                                           std::to_string(std::numeric_limits<Number>::max()));
    }
}

void read_protocols(const node& from, range_list<std::uint8_t>& into, reporter& report) {
    const node* list = from.find("protocol");
    if (list == nullptr)
        return;
    for (const word& member : list->values) {
        const auto known = std::find_if(protocol_names.begin(), protocol_names.end(),
                                        [&](const auto& one) { return one.first == member.text; });
        if (known != protocol_names.end())
            into.entries.push_back({{known->second, known->second}, false});
        else if (const auto entry = parse_range<std::uint8_t>(member.text))
            into.entries.push_back(*entry);
        else
            report.error(member.where, "there is no protocol of this name: a number from 0 to 255 "
                                       "does as well");
    }
}

void read_prefixes(const node& from, std::string_view keyword, family expected,
                   range_list<address_bits>& into, reporter& report) {
    const node* list = from.find(keyword);
    if (list == nullptr)
        return;
    for (const node& child : list->children) {
        const ip_prefix prefix = *parse_ip_prefix(child.key().text);
        if (prefix.address.ip_family() == expected)
            into.entries.push_back({{prefix.first().bits(), prefix.last().bits()}, false});
        else
            report.error(child.key().where, "the address is not of the family it stands in");
    }
}

filter_spec read_term(const node& term, family of, reporter& report) {
    filter_spec read;
    read.families = of;
    const node* from = term.find("from");
    if (from == nullptr) {
        if (!term.flawed)
            report.warn(term.where, "the term has no \"from\": nothing of this family is mirrored");
        return read;
    }
    read_prefixes(*from, "source-address", of, read.source_addresses, report);
    read_prefixes(*from, "destination-address", of, read.destination_addresses, report);
    read_protocols(*from, read.protocols, report);
    read_ranges(*from, "source-port", read.source_ports, report);
    read_ranges(*from, "destination-port", read.destination_ports, report);
    read_ranges(*from, "icmp-type", read.icmp_types, report);
    read_ranges(*from, "icmp-code", read.icmp_codes, report);
    return read;
}

drop_policy read_policy(const node& written, reporter& report) {
    drop_policy read;
    read.name = written.key().text;
    for (const auto& [keyword, of] :
         {std::pair("inet", family::inet), std::pair("inet6", family::inet6)})
        if (const node* terms = written.find(keyword))
            for_each_child(*terms, "drop-policy", [&, of = of](const node& term) {
                read.terms.push_back(read_term(term, of, report));
            });
    return read;
}

// --- the pool -----------------------------------------------------------------------------------

void read_member(const word& named, const configuration& settings, radius_flow_tap_settings& read,
                 reporter& report) {
    pool_interface member;
    member.name = with_unit(named.text);
    const logical_interface* unit = settings.find_unit(member.name);
    if (unit == nullptr)
        return report.error(named.where,
                            "the unit " + member.name + " is not configured under interfaces");
    if (!unit->families.contains(family::inet))
        report.error(named.where, "the unit " + member.name + " needs family inet");
    const physical_interface* interface =
        settings.find_interface(member.name.substr(0, member.name.find('.')));
    member.device = interface->egress_device;
    member.source_port = interface->egress_source_port;
    for (const ip_prefix& address : unit->addresses)
        if (std::none_of(member.addresses.begin(), member.addresses.end(), [&](const auto& other) {
                return other.ip_family() == address.address.ip_family();
            }))
            member.addresses.push_back(address.address);
    const bool has_inet =
        std::any_of(member.addresses.begin(), member.addresses.end(),
                    [](const auto& one) { return one.ip_family() == family::inet; });
    if (!read.source_address && !has_inet)
        report.error(named.where, "copies through the unit " + member.name +
                                      " have no source address: it has none of its own, and there "
                                      "is no source-ipv4-address");
    if (std::any_of(read.pool.begin(), read.pool.end(),
                    [&](const auto& other) { return other.name == member.name; }))
        return report.warn(named.where, "the unit stands in the pool already");
    read.pool.push_back(std::move(member));
}

void read_pool(const node& written, const configuration& settings, radius_flow_tap_settings& read,
               reporter& report) {
    if (const word* source = written.value_of("source-ipv4-address")) {
        read.source_address = *parse_ip_address(source->text);
        if (!read.source_address->is_unicast())
            report.error(source->where, "copies cannot come from this address: it is not unicast");
    }
    if (const node* list = written.find("interfaces"))
        for (const word& named : list->values)
            read_member(named, settings, read, report);
    else if (!written.flawed && !read.source_address)
        report.warn(written.where, "copies have no source address: there is neither a "
                                   "source-ipv4-address nor a pool of interfaces");
    if (const word* named = written.value_of("forwarding-class")) {
        const auto known = settings.forwarding_classes.find(named->text);
        if (known != settings.forwarding_classes.end())
            read.dscp = known->second;
        else
            report.error(named->where, "there is no forwarding class \"" + named->text +
                                           "\" under class-of-service dscp");
    }
}

// --- who tells of subscribers
// ---------------------------------------------------------------------

void read_clients(const node& written, radius_flow_tap_settings& read, reporter& report) {
    for_each_child(written, "radius-client", [&](const node& client) {
        radius_client one{*parse_ip_address(client.key().text), {}};
        if (const word* secret = client.value_of("secret"))
            one.secret = *reveal_secret(secret->text);
        else if (!client.flawed)
            report.error(client.key().where, "the RADIUS client has no secret");
        read.clients.push_back(std::move(one));
    });
    for_each_child(written, "listen", [&](const node& where) {
        read.listen.push_back(*parse_ip_address(where.key().text));
    });
    read.accounting_port =
        static_cast<std::uint16_t>(number_or(written, "accounting-port", read.accounting_port));
    read.authorization_port = static_cast<std::uint16_t>(
        number_or(written, "authorization-port", read.authorization_port));
    if (read.accounting_port == read.authorization_port)
        report.error(written
                         .value_of(written.find("authorization-port") != nullptr
                                       ? "authorization-port"
                                       : "accounting-port")
                         ->where,
                     "accounting and authorization cannot have one port");
    if (read.clients.empty())
        read.listen.clear();
    else if (read.listen.empty())
        read.listen.push_back(ip_address::v4(0));
}

std::string instance_or_error(const node& parent, std::string_view keyword,
                              const configuration& settings, reporter& report) {
    const word* named = parent.value_of(keyword);
    if (named == nullptr)
        return {};
    if (settings.find_instance(named->text) == nullptr)
        report.error(named->where, "the routing instance \"" + named->text +
                                       "\" is not configured under routing-instances");
    return named->text;
}

static_subscriber read_static(const node& written, const configuration& settings,
                              reporter& report) {
    static_subscriber read;
    read.name = written.key().text;
    read.user_name = text_or(written, "user-name");
    read.accounting_session = text_or(written, "accounting-session-id", read.name);
    read.nas_port_id = text_or(written, "nas-port-id");
    read.circuit_id = text_or(written, "circuit-id");
    read.remote_id = text_or(written, "remote-id");
    read.calling_station = text_or(written, "calling-station-id");
    read.logical_system = text_or(written, "logical-system");
    read.routing_instance = instance_or_error(written, "routing-instance", settings, report);
    if (const word* address = written.value_of("ip-address"))
        read.addresses.push_back(*parse_ip_prefix(address->text));
    if (const node* prefixes = written.find("ipv6-prefix"))
        for (const word& prefix : prefixes->values) {
            read.addresses.push_back(*parse_ip_prefix(prefix.text));
            if (read.addresses.back().address.ip_family() != family::inet6)
                report.error(prefix.where, "this is no prefix of IPv6");
        }
    if (const word* interface = written.value_of("interface")) {
        read.interface = with_unit(interface->text);
        if (settings.find_unit(read.interface) == nullptr)
            report.error(interface->where,
                         "the unit " + read.interface + " is not configured under interfaces");
    }
    if (read.addresses.empty() && read.interface.empty() && !written.flawed)
        report.error(written.key().where, "nothing tells the subscriber's packets: it needs an "
                                          "ip-address, an ipv6-prefix or an interface");
    return read;
}

void warn_of_what_is_missing(const node& written, reporter& report) {
    if (const node* multicast = written.find("multicast-interception"))
        report.error(multicast->where, "multicast-interception is not built: multicast that a "
                                       "subscriber joined is not mirrored");
}

// --- notifications ------------------------------------------------------------------------------

snmp_user read_snmp_user(const node& written, reporter& report) {
    /// RFC 3414, section 5: usmUserName.
    constexpr std::size_t longest_name = 32;
    snmp_user read;
    read.name = written.key().text;
    if (read.name.size() > longest_name)
        report.error(written.key().where, "the name of a user of SNMP has 32 octets at most");
    if (text_or(written, "authentication-protocol") == "sha")
        read.authentication = snmp_authentication::sha;
    for (const auto& [keyword, into] :
         {std::pair("authentication-password", &read.authentication_password),
          std::pair("privacy-password", &read.privacy_password)}) {
        if (const word* password = written.value_of(keyword))
            *into = *reveal_secret(password->text);
        else if (!written.flawed)
            report.error(written.key().where, "the user of SNMP has no " + std::string(keyword));
    }
    return read;
}

void read_snmp(const node& parent, snmp_settings& read, reporter& report) {
    const node* written = parent.find("snmp");
    if (written == nullptr)
        return;
    read.port = static_cast<std::uint16_t>(number_or(*written, "port", read.port));
    for_each_child(*written, "user",
                   [&](const node& user) { read.users.push_back(read_snmp_user(user, report)); });
    sort_by_name(read.users);
    const node* targets = written->find("notify-targets");
    if (targets == nullptr)
        return;
    for (const word& target : targets->values) {
        read.targets.push_back(*parse_ip_address(target.text));
        if (!read.targets.back().is_unicast())
            report.error(target.where,
                         "notifications cannot go to this address: it is not unicast");
    }
    if (read.users.empty() && !written->flawed)
        report.error(targets->where, "notify-targets need a user: in clear, notifications would "
                                     "tell everybody on their way who is mirrored");
}

} // namespace

void read_radius_flow_tap(const node& top, configuration& settings, reporter& report) {
    const node* written = top.find_path({"services", "radius-flow-tap"});
    if (written == nullptr)
        return;
    radius_flow_tap_settings read;
    read_pool(*written, settings, read, report);
    read.routing_instance = instance_or_error(*written, "routing-instance", settings, report);
    for_each_child(*written, "policy", [&](const node& policy) {
        read.policies.push_back(read_policy(policy, report));
    });
    sort_by_name(read.policies);
    read.session_limit =
        static_cast<std::uint32_t>(number_or(*written, "session-limit", read.session_limit));
    read.subscriber_limit =
        static_cast<std::uint32_t>(number_or(*written, "subscriber-limit", read.subscriber_limit));
    read_clients(*written, read, report);
    for_each_child(*written, "static-subscriber", [&](const node& subscriber) {
        read.static_subscribers.push_back(read_static(subscriber, settings, report));
    });
    sort_by_name(read.static_subscribers);
    read_snmp(*written, read.snmp, report);
    warn_of_what_is_missing(*written, report);
    settings.radius_flow_tap = std::move(read);
}

} // namespace flowtap::config
