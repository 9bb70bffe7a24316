// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace flowtap {

/// A number that names one kind of thing and does not mix with the numbers of another.
template <class Tag, class Number>
class strong_id {
public:
    using number_type = Number;

    constexpr strong_id() = default;
    constexpr explicit strong_id(Number value) noexcept : value_(value) {}

    constexpr Number value() const noexcept { return value_; }

    friend constexpr auto operator<=>(const strong_id&, const strong_id&) = default;

private:
    Number value_{};
};

/// A criterion's number towards its control source: counts from 1 for each of them, and is never
/// reused while the server runs.
using criteria_id = strong_id<struct criteria_id_tag, std::uint32_t>;

/// A criterion's place in the data path: dense, stable for the criterion's life, reused only after
/// every worker has forgotten it. It indexes actions, counters, live flags and budgets.
using slot_id = strong_id<struct slot_id_tag, std::uint32_t>;

/// A logical interface (`ge-0/0/0.100`): dense, stable across configuration changes. Zero stands
/// for "no interface known".
using interface_id = strong_id<struct interface_id_tag, std::uint32_t>;

/// A routing instance. Zero is the default instance.
using vrf_id = strong_id<struct vrf_id_tag, std::uint32_t>;

/// A port packets come in through: a device or a capture file, before VLAN tags choose the logical
/// interface. Dense, from zero.
using port_id = strong_id<struct port_id_tag, std::uint32_t>;

/// A control source: dense, stable while the server runs.
using control_source_id = strong_id<struct control_source_id_tag, std::uint32_t>;

/// One stream of copies: a control source together with one set of outer addresses and ports.
/// However many criteria of the source match a packet, one copy of it goes into each stream.
using stream_id = strong_id<struct stream_id_tag, std::uint32_t>;

/// A DTCP sequence number; arithmetic is modulo 2^64 (draft-cavuto-dtcp-03, section 4.4.1).
using sequence_number = strong_id<struct sequence_number_tag, std::uint64_t>;

} // namespace flowtap

template <class Tag, class Number>
struct std::hash<flowtap::strong_id<Tag, Number>> {
    std::size_t operator()(const flowtap::strong_id<Tag, Number>& id) const noexcept {
        return std::hash<Number>{}(id.value());
    }
};
