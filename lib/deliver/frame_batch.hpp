// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/encapsulation.hpp>

#include "neighbour_frames.hpp"
#include "route_table.hpp"
#include "sockets.hpp"

namespace flowtap::deliver::detail {

/// Opens a packet socket that sends frames straight to a device's driver: past queueing
/// disciplines, packet filters and other packet sockets. Errors: those of `opener`, and of the
/// system for the mark.
result<descriptor> open_frame_socket(const socket_options& options);

/// Frames that one system call sends, each a whole copy or a fragment of one.
class frame_batch {
public:
    static constexpr std::size_t room = 64;
    /// An Ethernet header, the longest header of a copy, and a fragment header.
    static constexpr std::size_t header_room = ethernet_header_size + packet::max_header_size + 8;

    std::size_t size() const noexcept { return size_; }
    std::size_t left() const noexcept { return room - size_; }
    void clear() noexcept { size_ = 0; }

    /// Where the IP header of the next frame is to be written.
    std::span<std::byte> header() noexcept {
        return std::span(headers_[size_]).subspan(ethernet_header_size);
    }
    /// Adds a frame with the first `header_size` octets of `header()`, then `body`. `copy` is the
    /// number of the copy that it is of, and `completes` says that no other frame of it follows.
    void add(const egress_plan& through, std::size_t header_size, byte_view body, std::size_t copy,
             bool completes) noexcept;

    /// Sends the frames from the first on, in order. Returns how many were sent; 0 leaves the
    /// reason in errno.
    std::size_t send(int socket) noexcept;

    std::size_t copy_of(std::size_t frame) const noexcept { return copies_[frame]; }
    bool completes_copy(std::size_t frame) const noexcept { return completes_[frame]; }

private:
    std::array<std::array<std::byte, header_room>, room> headers_;
    std::array<sockaddr_ll, room> addresses_;
    std::array<std::array<iovec, 2>, room> parts_;
    std::array<mmsghdr, room> messages_;
    std::array<std::size_t, room> copies_;
    std::array<bool, room> completes_;
    std::size_t size_ = 0;
};

} // namespace flowtap::deliver::detail
