// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "range_rules.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

namespace x3 = boost::spirit::x3;

// Letters that addresses are made of; whether they form one is parse_ip_address' to say.
const auto address = x3::raw[+(x3::xdigit | x3::char_('.') | x3::char_(':'))];
const auto address_entry_rule = range_rules::entry_start(address) >>
                                -(range_rules::range_end(address) |
                                  '/' >> range_rules::prefix_length[range_rules::note_length]);

std::optional<ip_address> address_of(std::string_view token) {
    const auto parsed = parse_ip_address(token);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

/// Digits of a prefix length.
constexpr std::size_t longest_length = 3;

/// The entry that a list of one plain address or prefix has, which most lists are. None for any
/// other list: the grammar reads it, or says where it is wrong.
std::optional<address_entry> single_entry(std::string_view text) {
    const auto is_of_prefix = [](char letter) {
        return (letter >= '0' && letter <= '9') || (lower(letter) >= 'a' && lower(letter) <= 'f') ||
               letter == '.' || letter == ':' || letter == '/';
    };
    if (!std::all_of(text.begin(), text.end(), is_of_prefix))
        return std::nullopt;
    const std::size_t slash = text.find('/');
    const bool has_length = slash != std::string_view::npos;
    const std::string_view length = has_length ? text.substr(slash + 1) : std::string_view();
    address_entry entry;
    entry.first.value = address_of(text.substr(0, slash));
    if (length.size() <= longest_length)
        entry.length = parse_unsigned<std::uint8_t>(length);
    if (!entry.first.value || entry.length.has_value() != has_length)
        return std::nullopt;
    return entry;
}

} // namespace

result<std::vector<address_entry>, std::size_t> parse_address_entries(std::string_view text) {
    if (const auto single = single_entry(text))
        return std::vector<address_entry>(1, *single);
    return range_rules::run<ip_address>({text, address_of, {}}, address_entry_rule);
}

} // namespace flowtap::dtcp
