// SPDX-License-Identifier: Apache-2.0
#include "range_rules.hpp"

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

} // namespace

result<std::vector<address_entry>, std::size_t> parse_address_entries(std::string_view text) {
    return range_rules::run<ip_address>({text, address_of, {}}, address_entry_rule);
}

} // namespace flowtap::dtcp
