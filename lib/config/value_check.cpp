// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <flowtap/config/schema.hpp>
#include <flowtap/config/secret.hpp>
#include <flowtap/core/address.hpp>

namespace flowtap::config {

namespace {

constexpr std::uint64_t highest_unit = 1073741823;

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

template <class Predicate>
bool all_of(std::string_view text, Predicate admitted) {
    return std::all_of(text.begin(), text.end(), admitted);
}

result<void> check_range(const schema_row& row, std::uint64_t number) {
    const std::uint64_t most = row.kind == statement_kind::entry ? highest_unit : row.most;
    const std::uint64_t least = row.kind == statement_kind::entry ? 0 : row.least;
    if (number < least || number > most)
        return fail(errc::out_of_range, std::to_string(least) + '-' + std::to_string(most));
    return {};
}

result<void> check_name(std::string_view value) {
    const bool fits =
        value.size() <= 64 && all_of(value, [](char c) {
            return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '@';
        });
    if (!fits)
        return fail(errc::invalid_name);
    return {};
}

result<void> check_port(std::string_view value) {
    const auto number = parse_number(value);
    if (!number)
        return fail(number.error());
    if (*number < 1 || *number > 65535)
        return fail(errc::out_of_range, "1-65535");
    return {};
}

result<void> check_choice(std::string_view choices, std::string_view value) {
    std::string_view rest = choices;
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(' '));
        if (one == value)
            return {};
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    }
    return fail(errc::invalid_value, std::string(choices));
}

result<void> check_address(std::string_view value) {
    if (!parse_ip_address(value))
        return fail(errc::invalid_address, "an IPv4 or IPv6 address");
    return {};
}

result<void> check_ipv4_address(std::string_view value) {
    const auto address = parse_ip_address(value);
    if (!address || address->ip_family() != family::inet)
        return fail(errc::invalid_address, "an IPv4 address");
    return {};
}

/// `ge-0/0/0`, `lo0`, `st0`, `ae12`: letters and digits, then numbers of slot, module and port.
result<void> check_interface(std::string_view value) {
    if (value.find(':') != std::string_view::npos)
        return fail(errc::channelized);
    if (value.find('.') != std::string_view::npos)
        return fail(errc::unit_in_name);
    const bool fits = value.size() <= 64 && is_letter(value.front()) && all_of(value, [](char c) {
                          return is_letter(c) || is_digit(c) || c == '-' || c == '/' || c == '_';
                      });
    if (!fits || value.ends_with('/') || value.ends_with('-'))
        return fail(errc::invalid_interface);
    return {};
}

result<void> check_unit(std::string_view value) {
    if (value.find(':') != std::string_view::npos)
        return fail(errc::channelized);
    const std::size_t dot = value.find('.');
    if (dot == 0)
        return fail(errc::invalid_interface);
    if (dot != std::string_view::npos) {
        const auto unit = parse_number(value.substr(dot + 1));
        if (!unit || *unit > highest_unit)
            return fail(errc::invalid_interface);
    }
    return check_interface(value.substr(0, dot));
}

result<void> check_device(std::string_view value) {
    // As the kernel allows (dev_valid_name).
    if (value.size() > 15 || value == "." || value == ".." ||
        !all_of(value, [](char c) { return c > ' ' && c < '\x7F' && c != '/' && c != ':'; }))
        return fail(errc::invalid_value, "the name of a network device");
    return {};
}

result<void> check_secret(const schema_row& row, std::string_view value) {
    const auto clear = reveal_secret(value);
    if (!clear)
        return fail(clear.error());
    if (clear->empty() && row.least > 0)
        return fail(errc::empty_value);
    if (clear->size() < row.least)
        return fail(errc::invalid_value, "at least " + std::to_string(row.least) + " octets");
    if (clear->size() > row.most)
        return fail(errc::too_long, "at most " + std::to_string(row.most) + " octets");
    return {};
}

result<void> check_version(std::string_view value) {
    return check_choice("0.5 0.6 0.7 0.8", value);
}

} // namespace

result<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stopped, problem] = std::from_chars(text.data(), end, number);
    if (text.empty() || problem != std::errc{} || stopped != end)
        return fail(errc::not_a_number);
    return number;
}

result<std::uint64_t> parse_bandwidth(std::string_view text) {
    std::uint64_t unit = 1;
    if (!text.empty()) {
        switch (text.back()) {
        case 'k':
            unit = 1'000;
            break;
        case 'm':
            unit = 1'000'000;
            break;
        case 'g':
            unit = 1'000'000'000;
            break;
        default:
            break;
        }
        if (unit != 1)
            text.remove_suffix(1);
    }
    const auto number = parse_number(text);
    if (!number || *number > UINT64_MAX / unit)
        return fail(errc::not_a_number);
    return *number * unit;
}

result<void> check_value(const schema_row& row, std::string_view value) {
    if (value.empty() && row.type != value_type::text)
        return fail(errc::empty_value);
    switch (row.type) {
    case value_type::none:
    case value_type::text:
    case value_type::permission:
    case value_type::public_key: // the model looks at keys: one that is none is worth a warning
        return {};
    case value_type::name:
        return check_name(value);
    case value_type::number: {
        const auto number = parse_number(value);
        if (!number)
            return fail(number.error());
        return check_range(row, *number);
    }
    case value_type::port:
        return check_port(value);
    case value_type::choice:
        return check_choice(row.choices, value);
    case value_type::address:
        return check_address(value);
    case value_type::ipv4_address:
        return check_ipv4_address(value);
    case value_type::prefix:
        if (!parse_ip_prefix(value))
            return fail(errc::invalid_prefix);
        return {};
    case value_type::interface_name:
        return check_interface(value);
    case value_type::unit_name:
        return check_unit(value);
    case value_type::device_name:
        return check_device(value);
    case value_type::secret:
        return check_secret(row, value);
    case value_type::password_hash:
        if (value.size() > row.most)
            return fail(errc::too_long);
        return {};
    case value_type::bandwidth:
        if (!parse_bandwidth(value))
            return fail(errc::not_a_number, "bit/s, with k, m or g");
        return {};
    case value_type::version:
        return check_version(value);
    }
    return {};
}

} // namespace flowtap::config
