// SPDX-License-Identifier: Apache-2.0
#include "residual.hpp"

#include <algorithm>

namespace flowtap::filter {

namespace {

/// How a range of values of one type stands in words.
template <class T>
struct encoding;

/// Small numbers: the first in the lower half of a word, the last in the upper.
template <class T>
requires(sizeof(T) <= 2) struct encoding<T> {
    static constexpr std::size_t words = 1;
    static void append(std::vector<std::uint32_t>& to, const value_range<T>& range) {
        to.push_back(range.first | (std::uint32_t{range.last} << 16));
    }
    static T first(const std::uint32_t* at) noexcept { return static_cast<T>(*at); }
    static T last(const std::uint32_t* at) noexcept { return static_cast<T>(*at >> 16); }
};

template <>
struct encoding<std::uint32_t> {
    static constexpr std::size_t words = 2;
    static void append(std::vector<std::uint32_t>& to, const value_range<std::uint32_t>& range) {
        to.insert(to.end(), {range.first, range.last});
    }
    static std::uint32_t first(const std::uint32_t* at) noexcept { return at[0]; }
    static std::uint32_t last(const std::uint32_t* at) noexcept { return at[1]; }
};

template <>
struct encoding<address_bits> {
    static constexpr std::size_t words = 8;
    static void append(std::vector<std::uint32_t>& to, const value_range<address_bits>& range) {
        for (const std::uint64_t half :
             {range.first.high, range.first.low, range.last.high, range.last.low})
            to.insert(to.end(),
                      {static_cast<std::uint32_t>(half >> 32), static_cast<std::uint32_t>(half)});
    }
    static address_bits first(const std::uint32_t* at) noexcept { return {pair(at), pair(at + 2)}; }
    static address_bits last(const std::uint32_t* at) noexcept { return first(at + 4); }

private:
    static std::uint64_t pair(const std::uint32_t* at) noexcept {
        return (std::uint64_t{at[0]} << 32) | at[1];
    }
};

/// Whether one of `count` sorted ranges contains `value`. Leaves `at` behind them.
template <class T>
bool contained(const std::uint32_t*& at, std::size_t count, const T& value) noexcept {
    constexpr std::size_t words = encoding<T>::words;
    const std::uint32_t* const ranges = at;
    at += count * words;
    // The last range that begins at or before the value is the only one that can contain it.
    std::size_t found = 0;
    for (std::size_t left = count; left > 1;) {
        const std::size_t half = left / 2;
        if (encoding<T>::first(ranges + (found + half) * words) <= value)
            found += half;
        left -= half;
    }
    const std::uint32_t* const range = ranges + found * words;
    return count != 0 && encoding<T>::first(range) <= value && value <= encoding<T>::last(range);
}

bool some_pair_holds(const std::uint32_t*& at, std::size_t count, const packet_key& key) noexcept {
    using port = encoding<std::uint16_t>;
    const auto within = [](const std::uint32_t* range, std::uint16_t value) {
        return port::first(range) <= value && value <= port::last(range);
    };
    const std::uint32_t* const pairs = at;
    at += 2 * count;
    for (const std::uint32_t* pair = pairs; pair != at; pair += 2) {
        if (within(pair, key.source_port) && within(pair + 1, key.destination_port))
            return true;
    }
    return false;
}

/// Whether the list of one field admits `key`.
bool field_holds(residual_field field, const std::uint32_t*& at, std::size_t count,
                 const packet_key& key) noexcept {
    const bool is_inet = key.of_family == family::inet;
    switch (field) {
    case residual_field::source_address:
        return is_inet ? contained(at, count, narrow<std::uint32_t>(key.source))
                       : contained(at, count, key.source);
    case residual_field::destination_address:
        return is_inet ? contained(at, count, narrow<std::uint32_t>(key.destination))
                       : contained(at, count, key.destination);
    case residual_field::protocol:
        return contained(at, count, key.protocol);
    case residual_field::source_port:
        return contained(at, count, key.source_port) && key.has_ports;
    case residual_field::destination_port:
        return contained(at, count, key.destination_port) && key.has_ports;
    case residual_field::icmp_type:
        return contained(at, count, key.icmp_type) && key.has_icmp;
    case residual_field::icmp_code:
        return contained(at, count, key.icmp_code) && key.has_icmp;
    case residual_field::interface:
        return contained(at, count, key.interface.value());
    case residual_field::port_pairs:
        return some_pair_holds(at, count, key) && key.has_ports;
    case residual_field::end:
        break;
    }
    return true;
}

} // namespace

template <class T>
void residual_store::require(residual_field field, const std::vector<value_range<T>>& ranges) {
    words_.push_back(static_cast<std::uint32_t>(field) |
                     static_cast<std::uint32_t>(ranges.size() << 8));
    for (const auto& range : ranges)
        encoding<T>::append(words_, range);
}

void residual_store::require_pairs(const filter_spec& spec) {
    const auto& sources = spec.source_ports.entries;
    const auto& destinations = spec.destination_ports.entries;
    const std::size_t count = std::min(sources.size(), destinations.size());
    words_.push_back(static_cast<std::uint32_t>(residual_field::port_pairs) |
                     static_cast<std::uint32_t>(count << 8));
    for (std::size_t i = 0; i < count; ++i) {
        encoding<std::uint16_t>::append(words_, sources[i]);
        encoding<std::uint16_t>::append(words_, destinations[i]);
    }
}

void residual_store::begin_like(std::uint32_t earlier, std::size_t size) {
    begin();
    if (earlier == nothing)
        return;
    words_.reserve(words_.size() + size);
    // All but the end.
    const auto first = words_.begin() + earlier;
    words_.insert(words_.end(), first, first + static_cast<std::ptrdiff_t>(size - 1));
}

std::uint32_t residual_store::finish() {
    if (words_.size() == start_)
        return nothing;
    words_.push_back(static_cast<std::uint32_t>(residual_field::end));
    return static_cast<std::uint32_t>(start_);
}

bool residual_store::holds_from(const std::uint32_t* at, const packet_key& key) noexcept {
    while (true) {
        const auto field = static_cast<residual_field>(*at & 0xFF);
        if (field == residual_field::end)
            return true;
        const std::size_t count = *at++ >> 8;
        if (!field_holds(field, at, count, key))
            return false;
    }
}

template void residual_store::require(residual_field,
                                      const std::vector<value_range<std::uint8_t>>&);
template void residual_store::require(residual_field,
                                      const std::vector<value_range<std::uint16_t>>&);
template void residual_store::require(residual_field,
                                      const std::vector<value_range<std::uint32_t>>&);
template void residual_store::require(residual_field,
                                      const std::vector<value_range<address_bits>>&);

} // namespace flowtap::filter
