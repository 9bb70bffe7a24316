// SPDX-License-Identifier: Apache-2.0
#include "range_rules.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

namespace {

namespace x3 = boost::spirit::x3;

const auto number = x3::raw[+x3::digit];
const auto number_entry_rule = range_rules::entry_start(number) >> -range_rules::range_end(number);

} // namespace

result<std::vector<number_entry>, std::size_t> parse_number_entries(std::string_view text) {
    return range_rules::run<std::uint64_t>({text, parse_unsigned<std::uint64_t>, {}},
                                           number_entry_rule);
}

} // namespace flowtap::dtcp
