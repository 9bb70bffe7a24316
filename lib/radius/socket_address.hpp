// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <flowtap/core/address.hpp>

namespace flowtap::radius {

/// An address and port in the form of the system's calls.
struct socket_address {
    socket_address() = default;
    explicit socket_address(const endpoint& from) noexcept;

    endpoint to_endpoint() const noexcept;
    sockaddr* any() noexcept { return reinterpret_cast<sockaddr*>(&octets); }

    sockaddr_storage octets{};
    socklen_t size = sizeof octets;
};

} // namespace flowtap::radius
