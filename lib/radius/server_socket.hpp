// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include <netinet/in.h>
#include <sys/socket.h>

#include <flowtap/core/bytes.hpp>

#include "socket_address.hpp"

namespace flowtap::radius {

/// Where a datagram came from, and which address of this system it was sent to.
struct datagram_origin {
    socket_address from;
    /// What the system says of the address, and is told to answer from it; none if it says nothing.
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(in6_pktinfo))> control{};
    std::size_t control_size = 0;
};

/// Has a socket tell which address datagrams were sent to, so that they are answered from it. Where
/// that is not to be had the system chooses.
void tell_destinations(int socket) noexcept;

/// Receives a datagram, as much of it as fits. Does not wait; none if there is none, or what there
/// was is an error, which are told apart by `is_empty`.
std::optional<byte_view> receive_datagram(int socket, std::span<std::byte> room,
                                          datagram_origin& origin, bool& is_empty) noexcept;

/// Sends an answer. One that cannot be sent now is lost, as it may be on the way.
void send_answer(int socket, byte_view answer, datagram_origin& to) noexcept;

} // namespace flowtap::radius
