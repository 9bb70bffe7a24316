// SPDX-License-Identifier: Apache-2.0
#include "prefilter_need.hpp"

#include <algorithm>
#include <cmath>

#include "admitted_ranges.hpp"

namespace flowtap::filter {

namespace {

/// How much a condition tells, in bits: about one packet in two to that power meets it. What is
/// known about the traffic is a guess, so small differences mean nothing.
using bits = double;

/// From here on all of a family is passed: what the condition would keep away is not worth its
/// instructions.
constexpr bits telling = 1;

template <class T>
bits telling_bits(const std::vector<value_range<T>>& ranges, double space) {
    double covered = 0;
    for (const auto& range : ranges)
        covered +=
            value_traits<T>::as_double(range.last) - value_traits<T>::as_double(range.first) + 1;
    return std::log2(space / std::max(covered, 1.0));
}

address_ranges ranges_of(const range_list<address_bits>& list, family of) {
    if (of != family::inet)
        return admitted_ranges<address_bits>(list);
    address_ranges wide;
    for (const auto& range : admitted_ranges<std::uint32_t>(list))
        wide.push_back({{0, range.first}, {0, range.last}});
    return wide;
}

/// Networks of IPv6 have 64 bits, and the first ones are the same for everybody.
bits address_bits_told(const address_ranges& ranges, family of) {
    if (of == family::inet)
        return telling_bits(ranges, 0x1p32);
    return std::min(telling_bits(ranges, 0x1p128) / 2, 32.0);
}

protocol_bits protocols_of(const range_list<std::uint8_t>& list) {
    protocol_bits admitted;
    for (const auto& range : admitted_ranges<std::uint8_t>(list))
        for (unsigned each = range.first; each <= range.last; ++each)
            admitted.set(each);
    return admitted;
}

/// The protocols that can meet all fields above IP.
protocol_bits possible_protocols(const filter_spec& spec, family of) {
    protocol_bits possible = protocols_of(spec.protocols);
    if (!spec.source_ports.is_wildcard() || !spec.destination_ports.is_wildcard()) {
        protocol_bits with_ports;
        for (const std::uint8_t each : port_protocols)
            with_ports.set(each);
        possible &= with_ports;
    }
    if (!spec.icmp_types.is_wildcard() || !spec.icmp_codes.is_wildcard())
        possible &= protocol_bits().set(of == family::inet ? 1 : 58);
    return possible;
}

/// Most packets are TCP's, and most others UDP's.
bits protocol_bits_told(const protocol_bits& possible) {
    constexpr bits tcp = 0.5;
    constexpr bits udp = 2;
    constexpr bits rare = 6;
    if (possible.test(port_protocols[0]))
        return possible.test(port_protocols[1]) ? 0 : tcp;
    return possible.test(port_protocols[1]) ? udp : rare;
}

/// The bits that ranges of ports tell. Traffic keeps to a few ports, so that one is not as telling
/// as sixteen bits are.
bits port_bits_told(const port_ranges& ranges) {
    return std::min(telling_bits(ranges, 0x1p16) / 2, 8.0);
}

/// Of several conditions the one that tells most.
class choice {
public:
    /// Condition `what`, which says `value` about the packet; the first of two equals stays.
    template <class Apply>
    void offer(bits value, const Apply& apply) {
        if (value <= best_)
            return;
        best_ = value;
        chosen_ = {};
        apply(chosen_);
    }

    packet_needs take() {
        if (best_ < telling) {
            chosen_ = {};
            chosen_.everything = true;
        }
        return std::move(chosen_);
    }

private:
    bits best_ = 0;
    packet_needs chosen_;
};

void offer_ports(choice& among, const filter_spec& spec, const protocol_bits& possible,
                 bits protocol_told) {
    const auto place = [&](const port_ranges& ranges, std::array<port_ranges, 2>& into) {
        for (std::size_t i = 0; i < port_protocols.size(); ++i)
            if (possible.test(port_protocols[i]))
                into[i] = ranges;
    };
    if (!spec.destination_ports.is_wildcard()) {
        const auto ranges = admitted_ranges<std::uint16_t>(spec.destination_ports);
        among.offer(port_bits_told(ranges) + protocol_told,
                    [&](packet_needs& made) { place(ranges, made.destination_ports); });
    }
    if (!spec.source_ports.is_wildcard()) {
        const auto ranges = admitted_ranges<std::uint16_t>(spec.source_ports);
        among.offer(port_bits_told(ranges) + protocol_told,
                    [&](packet_needs& made) { place(ranges, made.source_ports); });
    }
}

bool admits_nothing(const filter_spec& spec, const address_ranges& destinations,
                    const address_ranges& sources) {
    return destinations.empty() || sources.empty() ||
           (!spec.destination_ports.is_wildcard() &&
            admitted_ranges<std::uint16_t>(spec.destination_ports).empty()) ||
           (!spec.source_ports.is_wildcard() &&
            admitted_ranges<std::uint16_t>(spec.source_ports).empty());
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& what) {
    to.insert(to.end(), what.begin(), what.end());
}

bool has_all(const address_ranges& ranges, const address_bits& highest) {
    return ranges.size() == 1 && ranges[0].first == address_bits{} && ranges[0].last == highest;
}

} // namespace

std::size_t packet_needs::ranges() const noexcept {
    std::size_t sum = destinations.size() + sources.size();
    for (std::size_t i = 0; i < port_protocols.size(); ++i)
        sum += destination_ports[i].size() + source_ports[i].size();
    return sum;
}

void packet_needs::add(const packet_needs& other) {
    everything |= other.everything;
    append(destinations, other.destinations);
    append(sources, other.sources);
    protocols |= other.protocols;
    for (std::size_t i = 0; i < port_protocols.size(); ++i) {
        append(destination_ports[i], other.destination_ports[i]);
        append(source_ports[i], other.source_ports[i]);
    }
}

void packet_needs::normalize(family of) {
    join_ranges(destinations);
    join_ranges(sources);
    for (std::size_t i = 0; i < port_protocols.size(); ++i) {
        for (port_ranges* each : {&destination_ports[i], &source_ports[i]}) {
            if (protocols.test(port_protocols[i]))
                each->clear();
            join_ranges(*each);
        }
    }
    everything |=
        has_all(destinations, highest_address(of)) || has_all(sources, highest_address(of));
    if (everything) {
        *this = {};
        everything = true;
    }
}

std::optional<packet_needs> need_of(const filter_spec& spec, family of) {
    if (!spec.families.contains(of))
        return std::nullopt;
    const protocol_bits possible = possible_protocols(spec, of);
    const address_ranges destinations = ranges_of(spec.destination_addresses, of);
    const address_ranges sources = ranges_of(spec.source_addresses, of);
    if (possible.none() || admits_nothing(spec, destinations, sources))
        return std::nullopt;

    choice among;
    among.offer(address_bits_told(destinations, of),
                [&](packet_needs& made) { made.destinations = destinations; });
    among.offer(address_bits_told(sources, of),
                [&](packet_needs& made) { made.sources = sources; });
    const bits protocol_told = protocol_bits_told(possible);
    if (!possible.all())
        among.offer(protocol_told, [&](packet_needs& made) { made.protocols = possible; });
    offer_ports(among, spec, possible, protocol_told);
    return among.take();
}

} // namespace flowtap::filter
