// SPDX-License-Identifier: Apache-2.0
#include "listener.hpp"

#include <charconv>

namespace flowtap::tools {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, reason] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (reason != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return port;
}

/// An address, in brackets if and only if it is one of IPv6.
std::optional<ip_address> parse_host(std::string_view text) {
    const bool is_inet6 = text.size() > 2 && text.front() == '[' && text.back() == ']';
    if (is_inet6)
        text = text.substr(1, text.size() - 2);
    const auto address = parse_ip_address(text);
    if (!address || (address->ip_family() == family::inet6) != is_inet6)
        return std::nullopt;
    return *address;
}

} // namespace

std::optional<packet::encapsulation_kind> parse_encapsulation(std::string_view name) {
    if (name == "udp")
        return packet::encapsulation_kind::udp;
    if (name == "mirror")
        return packet::encapsulation_kind::udp_mirror;
    if (name == "ip-in-ip")
        return packet::encapsulation_kind::ip_in_ip;
    return std::nullopt;
}

result<listener> parse_listener(std::string_view text, packet::encapsulation_kind kind) {
    const std::string subject(text);
    listener made;
    made.kind = kind;
    if (const std::size_t sign = text.rfind('='); sign != std::string_view::npos) {
        const auto named = parse_encapsulation(text.substr(sign + 1));
        if (!named || *named == packet::encapsulation_kind::ip_in_ip)
            return fail(error(std::make_error_code(std::errc::invalid_argument), subject));
        made.kind = *named;
        text = text.substr(0, sign);
    }
    const std::size_t colon = text.rfind(':');
    const auto address =
        colon == std::string_view::npos ? std::nullopt : parse_host(text.substr(0, colon));
    if (!address)
        return fail(errc::invalid_address, subject);
    made.address = *address;
    const std::string_view ports = text.substr(colon + 1);
    const std::size_t dash = ports.find('-');
    const auto first = parse_port(ports.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(ports.substr(dash + 1));
    if (!first || !last)
        return fail(errc::invalid_number, subject);
    if (*last < *first || (*first == 0 && *last != 0))
        return fail(errc::out_of_range, subject);
    made.first_port = *first;
    made.last_port = *last;
    return made;
}

} // namespace flowtap::tools
