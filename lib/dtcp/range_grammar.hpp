// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::dtcp {

/// What a grammar rule found of one side of an entry: a value, or none for `*`.
template <class Value>
struct range_bound {
    std::optional<Value> value;
    /// Where it begins in the text, counted from 0.
    std::size_t offset = 0;
};

/// One entry of a list as it was written: `a`, `a/length`, `a-b`, `a-*`, `*-b` or `*`, each
/// perhaps after `!`.
template <class Value>
struct written_entry {
    bool negated = false;
    range_bound<Value> first;
    /// Present in the forms with a dash.
    std::optional<range_bound<Value>> last;
    /// Present in the form with a slash.
    std::optional<std::uint64_t> length;
};

using number_entry = written_entry<std::uint64_t>;
using address_entry = written_entry<ip_address>;

/// Entries separated by commas with optional blanks after them. On failure: where in the text,
/// counted from 0, it stops being valid.
///
///     list  = entry *("," *WSP entry)
///     entry = ["!"] (value / value "-" value / value "-" "*" / "*" "-" value / "*")
///
/// draft-cavuto-dtcp-03, section 8: ProtFilter, PortFilter, ICMPFilter, CritFilter.
result<std::vector<number_entry>, std::size_t> parse_number_entries(std::string_view text);

/// The same for addresses, with the form `address/length`: IPFilter.
result<std::vector<address_entry>, std::size_t> parse_address_entries(std::string_view text);

} // namespace flowtap::dtcp
