// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <flowtap/core/opener.hpp>

namespace flowtap::deliver {

/// What becomes of a copy that is longer than the MTU towards its destination.
enum class too_long_copies : std::uint8_t {
    fragment, ///< its outer packet is fragmented
    drop,     ///< it is dropped as `path::drop_cause::too_long`
};

/// What all sockets that copies leave through have in common.
struct socket_options {
    /// The socket mark (SO_MARK) of the copies, by which a live source knows and leaves them out.
    /// Needs CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17.
    std::optional<std::uint32_t> mark;
    /// The device that copies leave through (SO_BINDTODEVICE), by a route out of it; empty: as the
    /// routing table says. Where there is no such route over IPv4, the destination is taken to be
    /// on that device's link. IP sockets stay with the device that has the name when they are
    /// opened: when it goes and comes again, they are to be opened again. Frames find it again.
    std::string device;
    /// Octets of the socket's send buffer; 0 leaves what the system gives.
    int send_buffer = 0;
    too_long_copies too_long = too_long_copies::fragment;
    /// Opens the sockets; must outlive the sink.
    opener* via = &direct_opener();
};

} // namespace flowtap::deliver
