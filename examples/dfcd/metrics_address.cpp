// SPDX-License-Identifier: Apache-2.0
#include "metrics_address.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include <sys/un.h>

#include "error.hpp"

namespace dfcd {

namespace {

constexpr std::string_view local_prefix = "unix:";
/// With the zero at its end.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path);

/// `192.0.2.1:80` or `[2001:db8::1]:80`.
std::optional<flowtap::endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets)
        host = host.substr(1, host.size() - 2);
    const auto address = flowtap::parse_ip_address(host);
    if (!address || in_brackets != (address->ip_family() == flowtap::family::inet6))
        return std::nullopt;
    flowtap::endpoint made{*address, 0};
    const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), made.port);
    if (problem != std::errc() || end != port.data() + port.size())
        return std::nullopt;
    return made;
}

} // namespace

flowtap::result<metrics_address> parse_metrics_address(const std::string& text) {
    if (text.starts_with(local_prefix)) {
        local_socket made{text.substr(local_prefix.size())};
        if (made.path.empty() || made.path.size() >= longest_path ||
            made.path.find('\0') != std::string::npos)
            return flowtap::fail(errc::no_metrics_address, text);
        return made;
    }
    const auto where = parse_endpoint(text);
    if (!where)
        return flowtap::fail(errc::no_metrics_address, text);
    if (!where->address.is_loopback())
        return flowtap::fail(errc::metrics_not_loopback, text);
    return *where;
}

std::string to_string(const metrics_address& where) {
    if (const auto* local = std::get_if<local_socket>(&where))
        return std::string(local_prefix) + local->path;
    return to_string(std::get<flowtap::endpoint>(where));
}

} // namespace dfcd
