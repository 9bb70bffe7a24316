// SPDX-License-Identifier: Apache-2.0
#include "admission.hpp"

namespace flowtap::path::detail {

admission::outcome admission::pass(std::span<captured_packet> packets, const input_gates& gates,
                                   steady_time now) noexcept {
    outcome done;
    for (std::size_t first = 0; first < packets.size();) {
        const std::size_t count = assign(packets.subspan(first), gates);
        for (share& each : std::span(shares_).first(used_)) {
            each.admitted =
                each.gate == nullptr ? each.arrived : each.gate->take(each.arrived, now);
            // From the middle on: one of three is the second.
            each.turn = each.arrived / 2;
        }
        for (std::size_t i = 0; i < count; ++i) {
            const captured_packet& packet = packets[first + i];
            if (shares_[shares_of_[i]].next_passes())
                packets[done.passed++] = packet;
            else
                done.octets_left_out += packet.wire_length;
        }
        first += count;
    }
    return done;
}

/// Finds the shares of as many packets as there is room for different gates. Returns how many.
std::size_t admission::assign(std::span<const captured_packet> packets,
                              const input_gates& gates) noexcept {
    used_ = 0;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const std::size_t index = share_of(gates.find(packets[i].port));
        if (index == most_shares)
            return i;
        ++shares_[index].arrived;
        shares_of_[i] = static_cast<std::uint8_t>(index);
    }
    return packets.size();
}

std::size_t admission::share_of(rate_gate* gate) noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
        if (shares_[i].gate == gate)
            return i;
    }
    if (used_ == most_shares)
        return most_shares;
    shares_[used_] = {.gate = gate};
    return used_++;
}

} // namespace flowtap::path::detail
