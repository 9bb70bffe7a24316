// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/keyed_hash.hpp>
#include <flowtap/path/api.hpp>

namespace flowtap::path {

/// What a worker remembers of fragmented packets, where a snapshot asks for all fragments. It is
/// allocated when the first such snapshot is published and does not grow: for each decision 144
/// octets at most, for each early fragment `longest_early` octets and 168 more.
struct fragment_options {
    /// Packets of which the first fragment has come.
    std::size_t decisions = 16'384;
    /// Fragments that came before the first of their packet, kept until that comes. Of one packet
    /// 128 at most.
    std::size_t early = 1'024;
    /// Longer ones are not kept, in octets: the largest frames of common links pass.
    std::size_t longest_early = 10'240;
    /// How long both are remembered.
    std::chrono::nanoseconds lifetime = std::chrono::seconds(30);
    /// Random and secret: who knows it can send packets that slow the worker down.
    hash_key hash{};
};

/// Why a later fragment was left out without a decision on its packet.
enum class fragment_loss : std::uint8_t {
    expired,   ///< the first did not come in time
    displaced, ///< it made room for those of other packets
    no_room,   ///< too long to be kept, or too many of its packet were
    cut_short, ///< the capture holds a part of it only, and such packets are not sent
};
inline constexpr std::size_t fragment_loss_count = 4;

/// What became of later fragments, where a snapshot asks for all fragments: decoded later_fragment
/// = followed + waiting + the sum of left_out. All zero where it never did.
struct fragment_counters {
    /// Those for which the decision on their packet was known, whatever it was: like decoded ip,
    /// each of them is tapped, own, abandoned, or matched by nothing.
    std::uint64_t followed = 0;
    std::uint64_t followed_octets = 0;
    /// Early ones that are kept at the moment.
    std::uint64_t waiting = 0;
    /// By `fragment_loss`.
    std::array<std::uint64_t, fragment_loss_count> left_out{};
    /// Decisions that made room for others before their time.
    std::uint64_t decisions_displaced = 0;

    friend bool operator==(const fragment_counters&, const fragment_counters&) = default;
};

} // namespace flowtap::path
