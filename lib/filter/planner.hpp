// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "blocks.hpp"
#include "handle.hpp"
#include "rule.hpp"

namespace flowtap::filter {

/// No packet is put to more probes: `own_handle` has no room for more.
inline constexpr std::size_t max_probes = 16;

/// No rule has more handles.
inline constexpr std::uint64_t max_handles = 256;

/// All rules of a set together have at most so many for each rule, and so many more. What has no
/// handle then is left to the groups.
inline constexpr std::uint64_t handles_for_each = 8;
inline constexpr std::uint64_t handles_for_set = 4096;

/// By which handles rules are to be found.
struct probe_plan {
    static constexpr std::uint8_t none = 0xFF;

    std::vector<handle_shape> shapes;
    /// For each rule the number of its shape, or `none`: it has no telling handle.
    std::vector<std::uint8_t> shape_of;
};

/// Chooses few shapes, so that there are few probes, and those that few packets pass.
template <class Address>
probe_plan plan_probes(std::span<const rule<Address>> rules);
/// The same for those of `plan`'s shapes, but with at most one handle a rule, so that it takes less
/// memory.
template <class Address>
void spare_handles(std::span<const rule<Address>> rules, probe_plan& plan);

/// The values of one part of a handle that a rule admits.
struct part_range {
    std::uint64_t count = 0;
    std::uint32_t first = 0;
};

/// How many values of `part`, one of those that are no address, a rule admits: `most` stands for as
/// many and more.
inline part_range values_of(const lane_box& box, std::uint8_t part, std::uint64_t most) {
    const auto range = [&](lane where, std::uint32_t mark, unsigned shift = 0) {
        const std::uint32_t low = (box.low[where] & ~mark) >> shift;
        const std::uint32_t high = (box.high[where] & ~mark) >> shift;
        return part_range{std::min(std::uint64_t{high - low} + 1, most), low};
    };
    // A field without a bound is not told by its values, however few they are.
    const auto port = [&](lane where, unsigned shift) {
        return box.low[where] < lane_present ? part_range{most, 0}
                                             : range(where, lane_present, shift);
    };
    // Told by the port, where there is one protocol.
    const auto service = [&](lane where) {
        return range(lane_protocol, lane_egress).count == 1 ? port(where, 0) : part_range{most, 0};
    };
    switch (part) {
    case part_source_service:
        return service(lane_source_port);
    case part_destination_service:
        return service(lane_destination_port);
    case part_source_port:
        return port(lane_source_port, 0);
    case part_destination_port:
        return port(lane_destination_port, 0);
    case part_source_port_block:
        return port(lane_source_port, 8);
    case part_destination_port_block:
        return port(lane_destination_port, 8);
    case part_protocol:
        return (box.high[lane_protocol] & 0xFF) - (box.low[lane_protocol] & 0xFF) == 0xFF
                   ? part_range{most, 0}
                   : range(lane_protocol, lane_egress);
    case part_interface:
        return range(lane_interface, 0);
    case part_vrf:
        return range(lane_vrf, 0);
    default:
        return {1, 0};
    }
}

template <class Address>
bool is_wildcard(const value_range<Address>& range) {
    return range.first == Address{} && range.last == value_traits<Address>::highest;
}

/// The length of a part of an address, in bits.
template <class Address>
unsigned length_of_part(std::uint8_t part) {
    const auto within_side = static_cast<std::uint8_t>(part % part_destination);
    for (const handle_length& one : hash_layout<Address>::lengths) {
        if (one.part == within_side)
            return one.bits;
    }
    return 0;
}

/// How many handles of `shape` a rule has, or `most` if there are more.
template <class Address>
std::uint64_t count_handles(const rule<Address>& of, const handle_shape& shape,
                            std::uint64_t most) {
    const auto blocks_of = [most](const value_range<Address>& range, std::uint8_t part) {
        if (part == part_nothing)
            return std::uint64_t{1};
        // A wildcard is not told by addresses, however short.
        if (is_wildcard(range))
            return most;
        return blocks<Address>(range, length_of_part<Address>(part)).count(most);
    };
    std::uint64_t count = values_of(of.box, shape.other, most).count;
    count *= blocks_of(of.source(), shape.source);
    return std::min(most, std::min(most, count) * blocks_of(of.destination(), shape.destination));
}

/// The sums of one side's parts of all handles of a rule.
template <class Address>
class side_sums {
public:
    /// `field` is the first of the side.
    side_sums(const value_range<Address>& range, std::uint8_t part, std::size_t field) {
        if (part == part_nothing) {
            sums_[count_++] = 0;
            return;
        }
        const blocks<Address> all(range, length_of_part<Address>(part));
        hash_fields fields{};
        for (const std::uint64_t most = all.count(max_handles); count_ < most; ++count_) {
            set_address(fields, field, all.at(count_));
            sums_[count_] = part_value<Address>(part, fields);
        }
    }

    const std::uint32_t* begin() const noexcept { return sums_.data(); }
    const std::uint32_t* end() const noexcept { return sums_.data() + count_; }

private:
    std::array<std::uint32_t, max_handles> sums_;
    std::size_t count_ = 0;
};

/// Calls `take` with each handle of a rule that has at most `max_handles`.
template <class Address, class Take>
void for_each_handle(const rule<Address>& of, const handle_shape& shape, std::uint32_t salt,
                     Take&& take) {
    const side_sums<Address> sources(of.source(), shape.source, field_source_words);
    const side_sums<Address> destinations(of.destination(), shape.destination,
                                          field_destination_words);
    const part_range others = values_of(of.box, shape.other, max_handles);
    hash_fields fields{};
    fields[field_protocol] = of.box.low[lane_protocol] & 0xFF;
    for (std::uint64_t i = 0; i < others.count; ++i) {
        std::uint32_t other = salt;
        if (shape.other != part_nothing) {
            const hash_step step = hash_layout<Address>::step(shape.other);
            fields[step.field] = (others.first + static_cast<std::uint32_t>(i)) << step.shift;
            other += part_value<Address>(shape.other, fields);
        }
        for (const std::uint32_t source : sources) {
            for (const std::uint32_t destination : destinations)
                take(mix_parts(source + destination + other));
        }
    }
}

extern template void spare_handles(std::span<const rule<std::uint32_t>>, probe_plan&);
extern template void spare_handles(std::span<const rule<address_bits>>, probe_plan&);
extern template probe_plan plan_probes(std::span<const rule<std::uint32_t>>);
extern template probe_plan plan_probes(std::span<const rule<address_bits>>);

} // namespace flowtap::filter
