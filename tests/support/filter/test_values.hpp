// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string_view>

#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/packet_key.hpp>

namespace flowtap::filter::testing {

template <class T>
range_entry<T> entry(T first, T last, bool negated = false) {
    range_entry<T> made;
    made.first = first;
    made.last = last;
    made.negated = negated;
    return made;
}

/// One entry of a list: from, to, negated.
template <class T>
struct listed {
    T first{};
    T last{};
    bool negated = false;
};

template <class T>
range_list<T> list(std::initializer_list<listed<T>> entries) {
    range_list<T> made;
    for (const auto& one : entries)
        made.entries.push_back(entry(one.first, one.last, one.negated));
    return made;
}

inline filter_spec wildcard(family of) {
    filter_spec spec;
    spec.families = of;
    return spec;
}

inline address_bits bits(std::string_view address) {
    return parse_ip_address(address).value().bits();
}

/// The list of one prefix, or of one host.
inline range_list<address_bits> host(std::string_view prefix) {
    const ip_prefix parsed = parse_ip_prefix(prefix).value();
    return list<address_bits>({{parsed.first().bits(), parsed.last().bits(), false}});
}

/// A TCP packet that enters.
inline packet_key tcp(std::string_view source, std::uint16_t source_port,
                      std::string_view destination, std::uint16_t destination_port) {
    packet_key key;
    key.of_family = parse_ip_address(source).value().ip_family();
    key.source = bits(source);
    key.destination = bits(destination);
    key.protocol = 6;
    key.has_ports = true;
    key.source_port = source_port;
    key.destination_port = destination_port;
    return key;
}

} // namespace flowtap::filter::testing
