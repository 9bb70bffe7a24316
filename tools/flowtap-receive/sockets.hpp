// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <sys/socket.h>

#include <flowtap/core/address.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::tools {

/// A UDP socket that no other shares, ready to receive: with the time and the destination address
/// of each datagram, and room for `buffer` octets as far as the system allows.
/// Errors: those of the system.
result<descriptor> open_udp(const endpoint& local, int buffer);

/// A raw socket that receives packets of a protocol, for one address or for all.
/// Errors: those of the system; the subject says what a missing privilege is called.
result<descriptor> open_raw(family of, int protocol, const std::optional<ip_address>& local,
                            int buffer);

/// The address and port that a socket is bound to.
endpoint local_of(int socket) noexcept;

/// Packets that the kernel dropped for a socket, since it was opened: no room, or a wrong UDP
/// checksum.
std::uint64_t drops_of(int socket) noexcept;

endpoint to_endpoint(const sockaddr_storage& address) noexcept;

/// What the kernel tells about a packet beside its octets.
struct ancillary {
    std::optional<wall_time> time;
    std::optional<ip_address> destination;
};
ancillary read_ancillary(msghdr& message) noexcept;

} // namespace flowtap::tools
