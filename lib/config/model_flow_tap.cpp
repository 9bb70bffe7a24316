// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <flowtap/config/secret.hpp>
#include <flowtap/permission/decide.hpp>

#include "model.hpp"

namespace flowtap::config {

namespace {

constexpr std::uint32_t flow_tap_filters = 100;
constexpr std::uint32_t flow_tap_lite_filters = 3000;
constexpr std::string_view default_name = "default";

std::vector<ip_prefix> prefixes_of(const node& parent, std::string_view keyword) {
    std::vector<ip_prefix> read;
    if (const node* list = parent.find(keyword))
        for (const word& member : list->values)
            read.push_back(*parse_ip_prefix(member.text));
    return read;
}

void read_source_values(const node& written, control_source& read) {
    if (const word* key = written.value_of("dtcp-key"))
        read.dtcp_key = *reveal_secret(key->text);
    if (const word* mode = written.value_of("port-lists"))
        read.port_lists = mode->text == "pairs" ? port_list_mode::pairs : port_list_mode::product;
    if (const word* check = written.value_of("sequence-check"))
        read.sequence_check = check->text == "on";
    if (const word* limit = written.value_of("filter-limit"))
        read.filter_limit = static_cast<std::uint32_t>(number_of(*limit));
    if (const word* version = written.value_of("notification-version"))
        read.notification_version =
            protocol_version{static_cast<unsigned>(version->text.front() - '0'),
                             static_cast<unsigned>(version->text.back() - '0')};
    read.notify = written.find("notify") != nullptr;
    read.udp = written.find("udp") != nullptr;
    read.source_addresses = prefixes_of(written, "source-addresses");
    read.allowed_destinations = prefixes_of(written, "allowed-destinations");
    read.allowed_source_addresses = prefixes_of(written, "allowed-source-addresses");
}

void check_udp(const node& written, const control_source& read, const node& flow_tap,
               reporter& report) {
    const node* udp = written.find("udp");
    if (udp == nullptr) {
        if (const node* filter = written.find("source-addresses"))
            report.warn(filter->where, "source-addresses is about requests over UDP, which the "
                                       "control source may not send: it has no \"udp\"");
        return;
    }
    if (read.name == default_name)
        return report.error(udp->where, "UDP needs a control source of its own name, with its own "
                                        "dtcp-key");
    if (!read.dtcp_key && !written.flawed)
        report.error(udp->where, "a control source on UDP needs its own dtcp-key");
    if (flow_tap.find("udp") == nullptr)
        report.warn(udp->where, "nothing listens on UDP: services flow-tap udp is not configured");
}

control_source read_source(const node& written, const node& flow_tap, reporter& report) {
    control_source read;
    read.name = written.key().text;
    read_source_values(written, read);
    read.notification_targets = read_targets(written, report);
    check_udp(written, read, flow_tap, report);
    return read;
}

/// The unit that a service runs on, and the families it needs there.
void check_service_unit(const word& named, bool needs_inet6, std::string_view why_inet6,
                        const configuration& settings, reporter& report) {
    const std::string name = with_unit(named.text);
    const logical_interface* unit = settings.find_unit(name);
    if (unit == nullptr)
        return report.error(named.where,
                            "the unit " + name + " is not configured under interfaces");
    if (!unit->families.contains(family::inet))
        report.error(named.where, "the unit " + name + " needs family inet");
    if (needs_inet6 && !unit->families.contains(family::inet6))
        report.error(named.where,
                     "the unit " + name + " needs family inet6" + std::string(why_inet6));
}

family_set read_families(const node& written) {
    const node* families = written.find("family");
    if (families == nullptr || families->children.empty())
        return family::inet;
    family_set read;
    if (families->find("inet") != nullptr)
        read.insert(family::inet);
    if (families->find("inet6") != nullptr)
        read.insert(family::inet6);
    if (families->find("ccc") != nullptr)
        read.insert(family::ccc);
    return read;
}

void read_service(const node& written, flow_tap_settings& read, const configuration& settings,
                  reporter& report) {
    const word* service = written.value_of("interface");
    const word* tunnel = written.value_of("tunnel-interface");
    if (tunnel != nullptr) {
        read.mode = flow_tap_mode::flow_tap_lite;
        read.service_interface = with_unit(tunnel->text);
        check_service_unit(*tunnel, true, "", settings, report);
    }
    if (service != nullptr) {
        read.mode = flow_tap_mode::flow_tap;
        read.service_interface = with_unit(service->text);
        check_service_unit(*service, read.families.contains(family::inet6),
                           ", since flow-tap has family inet6", settings, report);
    }
    if (service == nullptr && tunnel == nullptr && !written.flawed)
        report.warn(written.where, "flow-tap has neither interface nor tunnel-interface: it runs "
                                   "with the limits of FlowTap");
    if (service != nullptr && tunnel != nullptr) {
        const text_position first = written.find("interface")->where;
        const text_position second = written.find("tunnel-interface")->where;
        report.error(std::pair(first.line, first.column) > std::pair(second.line, second.column)
                         ? first
                         : second,
                     "interface (FlowTap) and tunnel-interface (FlowTapLite) exclude each other");
    }
}

/// Logins that tap and have no control source of their own: each may use the default's quota.
std::uint64_t logins_of_default(const flow_tap_settings& read, const configuration& settings) {
    const auto users = settings.logins.users();
    const auto count = std::count_if(users.begin(), users.end(), [&](const auto& user) {
        const bool taps =
            permission::allowed(settings.logins.permissions_of(user.name),
                                permission::operation::use, permission::target::flow_tap_service);
        const bool own = std::any_of(read.control_sources.begin(), read.control_sources.end(),
                                     [&](const auto& source) { return source.name == user.name; });
        return taps && !own;
    });
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(count));
}

/// The quotas together may not exceed the system's limit: else one control source could see
/// another's use by being refused (dtcp.md section 10).
void check_quotas(const node& written, const flow_tap_settings& read, const configuration& settings,
                  reporter& report) {
    std::uint64_t sum = 0;
    for (const node& child : written.children) {
        if (keyword_of(*child.row) != "control-source")
            continue;
        const word* limit = child.value_of("filter-limit");
        if (limit == nullptr)
            continue;
        const bool many = child.key().text == default_name;
        sum += number_of(*limit) * (many ? logins_of_default(read, settings) : 1);
        if (sum > read.filter_limit)
            return report.error(
                limit->where, "the filter-limits of the control sources add up to more than the " +
                                  std::to_string(read.filter_limit) + " of the system");
    }
}

/// Whether two sockets cannot both have these: the unspecified address takes all of its family.
bool exclude_each_other(const endpoint& a, const endpoint& b) {
    return a.port == b.port && a.address.ip_family() == b.address.ip_family() &&
           (a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified());
}

/// Reads one `listen ADDRESS port [ ... ]`.
void read_listen(const node& written, std::vector<endpoint>& points, reporter& report) {
    const ip_address address = *parse_ip_address(written.key().text);
    const node* ports = written.find("port");
    if (ports == nullptr)
        return report_missing_port(written, report);
    for (const word& port : ports->values) {
        const endpoint point{address, static_cast<std::uint16_t>(number_of(port))};
        const auto taken = std::find_if(points.begin(), points.end(), [&](const endpoint& other) {
            return exclude_each_other(point, other);
        });
        if (taken != points.end())
            report.error(port.where,
                         "the port is taken by listen " + to_string(taken->address) + " already");
        else
            points.push_back(point);
    }
}

std::vector<endpoint> read_udp(const node& written, reporter& report) {
    std::vector<endpoint> points;
    if (const node* udp = written.find("udp"))
        for (const node& child : udp->children)
            read_listen(child, points, report);
    return points;
}

} // namespace

void read_flow_tap(const node& top, configuration& settings, reporter& report) {
    if (const node* ssh = top.find_path({"system", "services", "flow-tap-dtcp", "ssh"})) {
        ssh_limits limits;
        limits.connection_limit =
            static_cast<unsigned>(number_or(*ssh, "connection-limit", limits.connection_limit));
        limits.rate_limit = static_cast<unsigned>(number_or(*ssh, "rate-limit", limits.rate_limit));
        limits.source_connections = static_cast<unsigned>(
            number_or(*ssh, "source-connection-limit", limits.source_connections));
        limits.source_failures =
            static_cast<unsigned>(number_or(*ssh, "source-failure-limit", limits.source_failures));
        settings.flow_tap_dtcp = limits;
    }

    const node* written = top.find_path({"services", "flow-tap"});
    if (written == nullptr)
        return;
    flow_tap_settings read;
    read.families = read_families(*written);
    read_service(*written, read, settings, report);
    read.filter_limit = static_cast<std::uint32_t>(number_or(
        *written, "filter-limit",
        read.mode == flow_tap_mode::flow_tap_lite ? flow_tap_lite_filters : flow_tap_filters));
    if (const word* fragments = written->value_of("fragments"))
        read.fragments = fragments->text == "all" ? copied_fragments::all : copied_fragments::first;
    read.kernel_filter = written->find("kernel-filter") != nullptr;
    if (const word* lifetime = written->value_of("remote-login-lifetime"))
        read.remote_login_lifetime = std::chrono::minutes(number_of(*lifetime));
    read.udp_listen = read_udp(*written, report);
    for (const node& child : written->children) {
        if (keyword_of(*child.row) != "control-source")
            continue;
        control_source source = read_source(child, *written, report);
        if (source.name == default_name)
            read.default_source = std::move(source);
        else
            read.control_sources.push_back(std::move(source));
    }
    std::sort(read.control_sources.begin(), read.control_sources.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    check_quotas(*written, read, settings, report);
    settings.flow_tap = std::move(read);
}

} // namespace flowtap::config
