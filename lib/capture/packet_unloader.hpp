// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include <flowtap/capture/ring_source.hpp>
#include <flowtap/packet/segmentation.hpp>
#include <flowtap/path/source.hpp>

#include "packet_ring.hpp"

namespace flowtap::capture::detail {

/// Takes packets out of a ring and makes of them what the receiving host sees. For one thread, but
/// for the counters.
class packet_unloader {
public:
    packet_unloader();

    /// What follows is a ring of a device with this link type. Drops what is left of a
    /// super-packet.
    void begin(port_id port, packet::link_type link) noexcept;

    /// A batch, as `path::source::read`. What it hands over is valid until the next one.
    std::size_t read(packet_ring& from, std::span<path::captured_packet> packets) noexcept;

    /// Any thread.
    ring_counters counters() const noexcept;

private:
    /// Puts one packet of the ring at the end of the batch, or begins to split it.
    void take(ring_packet& packet) noexcept;
    /// What most packets do not need. Returns false when the packet is to be split.
    bool finish(ring_packet& packet) noexcept;
    bool begin_splitting(const ring_packet& packet) noexcept;
    /// Splits on as far as there is room. False when there is none for the next piece.
    bool split() noexcept;
    path::captured_packet describe(const ring_packet& packet) const noexcept;
    void show_counters() noexcept;

    port_id port_;
    packet::link_type link_ = packet::link_type::ethernet;
    std::span<path::captured_packet> batch_;
    std::size_t count_ = 0;

    /// The super-packet at hand, in a block of the ring that is kept meanwhile.
    std::optional<packet::segmenter> pieces_;
    path::captured_packet whole_;
    /// Where its pieces are written.
    std::unique_ptr<std::byte[]> arena_;
    std::size_t used_ = 0;

    ring_counters counted_;
    std::array<std::atomic<std::uint64_t>, 6> shown_{};
};

} // namespace flowtap::capture::detail
