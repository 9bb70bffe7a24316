// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::capture::detail {

/// What a sending host left to be done, or a receiving card has done: `struct virtio_net_hdr` of
/// the virtio specification (section 5.1.6), in the machine's own byte order.
struct offload_header {
    std::uint8_t flags = 0;
    std::uint8_t segmentation = 0;
    std::uint16_t header_size = 0;
    std::uint16_t segment_payload = 0;
    std::uint16_t checksum_start = 0;
    std::uint16_t checksum_offset = 0;
};
inline constexpr std::size_t offload_header_size = 10;
static_assert(sizeof(offload_header) == offload_header_size);

/// Octets in front of a frame that may be written to.
inline constexpr std::size_t frame_headroom = 4;

/// One packet, where the kernel has put it.
struct ring_packet {
    /// From the link header on. The octets in front of it belong to it, too: `frame_headroom`.
    std::span<std::byte> frame;
    /// Octets that it has, of which the ring may hold fewer.
    std::uint32_t wire_length = 0;
    offload_header offload;
    bool is_outgoing = false;
    /// A VLAN tag that the kernel took off.
    bool has_tag = false;
    std::uint16_t tag_protocol = 0;
    std::uint16_t tag = 0;
    wall_time time;
    /// The time is the device's own.
    bool is_hardware_time = false;
};

/// The receive ring of a packet socket, version 3
/// (https://docs.kernel.org/networking/packet_mmap.html): blocks that the kernel fills one by one,
/// each with many packets, and that are given back to it one by one. For one thread.
class packet_ring {
public:
    packet_ring() = default;
    packet_ring(packet_ring&& other) noexcept { *this = std::move(other); }
    packet_ring& operator=(packet_ring&& other) noexcept;
    ~packet_ring();

    /// Makes the ring of a socket that has none, is not bound, and has all the options that may not
    /// follow. About `octets` large; half of it, and so on, where the kernel has no memory for it.
    /// Errors: those of the system, with the name of the step.
    static result<packet_ring> make(int socket, std::size_t octets);

    /// The next packet, in the order in which the kernel took them. False when there is none for
    /// now.
    bool next(ring_packet& out) noexcept;

    /// Gives blocks back to the kernel of which every packet was taken. Packets of theirs are
    /// invalid from here on; with `keep` the block of the packet taken last is none of them.
    enum class last_packet : std::uint8_t { done, kept };
    void give_back(last_packet last) noexcept;

private:
    static result<void> request(int socket, std::size_t octets, std::size_t& blocks);
    bool open_block() noexcept;
    void close_block() noexcept;
    bool parse(ring_packet& out) noexcept;
    std::byte* block(std::size_t index) const noexcept;
    std::uint32_t& status(std::size_t index) const noexcept;

    std::byte* memory_ = nullptr;
    std::size_t blocks_ = 0;
    /// The block that is read, and how many before it are read through and not given back.
    std::size_t current_ = 0;
    std::size_t held_ = 0;
    /// Where its next packet is, in octets from its start, and how many there are; no block is open
    /// when the former is 0.
    std::size_t at_ = 0;
    std::uint32_t left_ = 0;
};

} // namespace flowtap::capture::detail
