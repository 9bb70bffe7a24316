// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/escape.hpp>
#include <flowtap/dtcp/writer.hpp>

#include "line_writer.hpp"

namespace flowtap::dtcp {

namespace {

/// A list of addresses, as ranges; a single address alone.
std::string format_addresses(const range_list<address_bits>& list, family of) {
    std::string text;
    for (const auto& entry : list.entries) {
        if (!text.empty())
            text += ',';
        if (entry.negated)
            text += '!';
        text += to_string(ip_address(of, entry.first));
        if (entry.first != entry.last)
            text += '-' + to_string(ip_address(of, entry.last));
    }
    return text;
}

/// Flags are written together, in one line.
class flag_list {
public:
    void add_if(std::string_view name, bool is_set) {
        if (!is_set)
            return;
        if (!text_.empty())
            text_ += ',';
        text_ += name;
    }
    void write(line_writer& lines) const {
        if (!text_.empty())
            lines.line(parameter::flags, text_);
    }

private:
    std::string text_;
};

template <class Number>
void write_ranges(line_writer& lines, parameter name, const range_list<Number>& list) {
    if (!list.is_wildcard())
        lines.line(name, format_ranges(list));
}

void write_filter(line_writer& lines, const filter_fields& filter) {
    const family of = filter.address_family.value_or(family::inet);
    if (!filter.source_addresses.is_wildcard())
        lines.line(parameter::source_address, format_addresses(filter.source_addresses, of));
    if (!filter.destination_addresses.is_wildcard())
        lines.line(parameter::dest_address, format_addresses(filter.destination_addresses, of));
    write_ranges(lines, parameter::protocol, filter.protocols);
    write_ranges(lines, parameter::source_port, filter.source_ports);
    write_ranges(lines, parameter::dest_port, filter.destination_ports);
    write_ranges(lines, parameter::icmp_type, filter.icmp_types);
    write_ranges(lines, parameter::icmp_code, filter.icmp_codes);
}

std::string_view name_of_version(family of) {
    return of == family::inet6 ? "ipv6" : "ipv4";
}

void write_destinations(line_writer& lines, const std::vector<endpoint>& destinations) {
    std::string addresses;
    std::string ports;
    for (const endpoint& destination : destinations) {
        if (!addresses.empty()) {
            addresses += ',';
            ports += ',';
        }
        addresses += to_string(destination.address);
        append_number(ports, destination.port);
    }
    if (destinations.empty())
        return;
    lines.line(parameter::x_jtap_cdest_dest_address, addresses);
    lines.line(parameter::x_jtap_cdest_dest_port, ports);
}

void write_jtap(line_writer& lines, const jtap_parameters& jtap) {
    write_destinations(lines, jtap.destinations);
    if (jtap.source_address)
        lines.line(parameter::x_jtap_cdest_source_address, to_string(*jtap.source_address));
    lines.number(parameter::x_jtap_cdest_source_port, jtap.source_port);
    if (jtap.ttl != 255)
        lines.number(parameter::x_jtap_cdest_ttl, std::uint64_t{jtap.ttl});
    lines.tokens(parameter::x_jtap_input_interface, jtap.input_interfaces);
    lines.tokens(parameter::x_jtap_output_interface, jtap.output_interfaces);
    lines.token(parameter::x_jtap_vrf_name, jtap.vrf);
    if (jtap.ip_version)
        lines.line(parameter::x_jtap_ip_version, name_of_version(*jtap.ip_version));
    if (jtap.filter_family)
        lines.line(parameter::x_jtap_filter_family, "ccc");
}

void append_hexadecimal(std::string& out, std::uint32_t word) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 28; shift >= 0; shift -= 4)
        out += digits[(word >> shift) & 0xF];
}

void write_subscriber(line_writer& lines, const subscriber_parameters& subscriber) {
    std::string id = "0x";
    append_hexadecimal(id, subscriber.intercept.first);
    if (subscriber.intercept.second)
        append_hexadecimal(id, *subscriber.intercept.second);
    lines.line(parameter::x_md_intercept_id, id);
    lines.token(subscriber.trigger, subscriber.trigger_value);
    lines.token(parameter::x_logical_system, subscriber.logical_system);
    lines.token(parameter::x_router_instance, subscriber.router_instance);
}

std::string_view name_of_action(packet_action action) {
    switch (action) {
    case packet_action::block:
        return "Block";
    case packet_action::redirect:
        return "Redirect";
    case packet_action::copy:
        break;
    }
    return "Copy";
}

/// `7` must exist and `7-7` need not, so the two are kept apart.
std::string format_selection(const criteria_selection& criteria) {
    if (criteria.ids.is_wildcard())
        return "*";
    std::string text;
    auto listed = criteria.listed.begin();
    for (const auto& entry : criteria.ids.entries) {
        if (!text.empty())
            text += ',';
        if (entry.negated)
            text += '!';
        append_number(text, entry.first);
        const bool is_single = entry.first == entry.last && !entry.negated;
        if (is_single && listed != criteria.listed.end() && *listed == entry.first) {
            ++listed;
            continue;
        }
        text += '-';
        append_number(text, entry.last);
    }
    return text;
}

void write_selector(line_writer& lines, const selector& selected) {
    if (const auto* const criteria = std::get_if<criteria_selection>(&selected))
        lines.line(parameter::criteria_id, format_selection(*criteria));
    else
        lines.line(parameter::cdest_id, escape_value(std::get<std::string>(selected)));
}

void write_static_flag(line_writer& lines, bool include_static) {
    flag_list flags;
    flags.add_if("STATIC", include_static);
    flags.write(lines);
}

void write_body(line_writer& lines, const add_request& add) {
    lines.tokens(parameter::cdest_id, add.cdest_ids);
    write_filter(lines, add.filter);
    lines.limits(add.limits);
    if (add.priority != 1)
        lines.number(parameter::priority, std::uint64_t{add.priority});
    if (add.action != packet_action::copy)
        lines.line(parameter::action, name_of_action(add.action));
    write_jtap(lines, add.jtap);
    if (add.subscriber)
        write_subscriber(lines, *add.subscriber);
    flag_list flags;
    flags.add_if("STATIC", add.is_static);
    flags.add_if("SendAsync", add.send_async);
    flags.write(lines);
}

void write_body(line_writer& lines, const delete_request& message) {
    write_selector(lines, message.selected);
    write_static_flag(lines, message.include_static);
}

void write_body(line_writer& lines, const refresh_request& message) {
    write_selector(lines, message.selected);
    lines.limits(message.limits);
}

void write_body(line_writer& lines, const list_request& message) {
    if (message.selected)
        write_selector(lines, *message.selected);
    flag_list flags;
    flags.add_if("Stats", message.detail == list_detail::stats);
    flags.add_if("Criteria", message.detail == list_detail::criteria);
    flags.write(lines);
}

void write_body(line_writer& lines, const noop_request& message) {
    flag_list flags;
    flags.add_if("SendAsync", message.send_async);
    flags.write(lines);
}

template <class Switch>
void write_switch(line_writer& lines, const Switch& message) {
    write_selector(lines, message.selected);
    lines.token(parameter::x_drop_policy, message.drop_policy);
    write_static_flag(lines, message.include_static);
}

void write_body(line_writer& lines, const enable_request& message) {
    write_switch(lines, message);
}

void write_body(line_writer& lines, const disable_request& message) {
    write_switch(lines, message);
}

void append_request_line(std::string& out, std::string_view method, version spoken) {
    out += method;
    out += ' ';
    append_version(out, spoken);
    out += "\r\n";
}

/// Signs what has been appended since `start`.
void finish(std::string& out, std::size_t start, keyed_hash& hash) {
    hash.reset();
    hash.update(as_byte_view(std::string_view(out).substr(start)));
    append_signature(out, hash, name_of);
}

} // namespace

void write_request(std::string& out, const request& message, keyed_hash& hash) {
    const std::size_t start = out.size();
    const request_header& header = header_of(message);
    append_request_line(out, method_of(message), header.spoken);
    line_writer lines(out, name_of);
    lines.line(parameter::csource_id, escape_value(header.csource_id));
    std::visit([&lines](const auto& body) { write_body(lines, body); }, message);
    lines.number(parameter::seq, header.seq.value());
    finish(out, start, hash);
}

void write_request(std::string& out, std::string_view method, version spoken,
                   std::span<const text_field> fields, keyed_hash& hash) {
    const std::size_t start = out.size();
    append_request_line(out, method, spoken);
    for (const text_field& field : fields) {
        out += field.name;
        out += ": ";
        out += field.value;
        out += "\r\n";
    }
    finish(out, start, hash);
}

} // namespace flowtap::dtcp
