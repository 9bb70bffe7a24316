// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "arguments.hpp"

namespace traffic {

using octets = std::span<const std::byte>;
using mac_address = std::array<std::byte, 6>;

/// What a stream of numbered packets looks like. The flows have the word in turn, for `run` packets
/// each: packet n belongs to flow (n / `run`) modulo `flows`. It is UDP
///
///     from 10.64.0.0 + flow, or 2001:db8:64::flow, port 10000 + flow
///     to   10.65.0.0 + flow, or 2001:db8:65::flow, port 20000 + flow
///
/// with its number in its payload. Every octet of it follows from the number, so a receiver can
/// tell whether a packet is the one that was sent.
struct stream_shape {
    std::uint32_t flows = 1; ///< 1 to 4096
    std::uint32_t run = 1;   ///< packets of a flow that follow one another, at least 1
    /// Each flow whose number this divides is IPv6; 0: all are IPv4.
    std::uint32_t inet6_every = 0;
    /// Octets of the frames, Ethernet header included, 54 (IPv6: 74) to 1514: those of a flow take
    /// them in turn.
    std::vector<std::uint64_t> sizes = {64};
    mac_address from{};
    mac_address to{};
};

/// The shape that a command line gives: --flows N --run N --inet6-every N --sizes N,N,...
stream_shape shape_from(const arguments& given);

/// Makes the packets of a stream, each at the cost of copying its first octets and a few additions.
/// Objects may be used by one thread at a time.
class numbered_packets {
public:
    static constexpr std::size_t longest_frame = 1514;
    static constexpr std::size_t link_header = 14;
    using frame_buffer = std::array<std::byte, longest_frame>;

    /// Throws std::runtime_error for a shape out of range.
    explicit numbered_packets(stream_shape shape);

    /// What the end of each frame looks like; `write` counts on it.
    const frame_buffer& filler() const { return filler_; }

    /// Writes the frame with this number into a buffer that was a copy of `filler`, or that another
    /// frame was written to. Returns its length.
    std::size_t write(std::uint64_t number, frame_buffer& into) const;

    /// The number that an IP packet says it has; none if it is no packet of such a stream.
    std::optional<std::uint64_t> number_in(octets packet) const;

    /// Whether an IP packet, octet by octet, is the one with this number.
    bool is(octets packet, std::uint64_t number);

    std::uint32_t flow_of(std::uint64_t number) const {
        return static_cast<std::uint32_t>(number / shape_.run % shape_.flows);
    }
    /// How many packets of its flow come before it.
    std::uint64_t place_of(std::uint64_t number) const {
        return number / shape_.run / shape_.flows * shape_.run + number % shape_.run;
    }
    std::uint32_t flows() const { return shape_.flows; }

private:
    /// The octets of a frame that are not filler.
    static constexpr std::size_t longest_head = 74;

    struct flow {
        std::array<std::byte, longest_head> head{};
        std::size_t transport = 0; ///< where the UDP header begins
        std::uint32_t ip_sum = 0;  ///< sums of the 16-bit words that are the same in all packets
        std::uint32_t udp_sum = 0;
    };

    flow make_flow(std::uint32_t number) const;
    bool is_inet6(std::uint32_t flow_number) const {
        return shape_.inet6_every != 0 && flow_number % shape_.inet6_every == 0;
    }
    std::size_t size_of(std::uint64_t number) const;

    stream_shape shape_;
    frame_buffer filler_{};
    std::vector<flow> flows_;
    /// The sum of the 16-bit words of the filler up to here.
    std::array<std::uint32_t, longest_frame / 2 + 1> filler_sums_{};
    frame_buffer expected_{};
};

} // namespace traffic
