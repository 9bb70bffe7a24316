// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <flowtap/core/address.hpp>
#include <flowtap/permission/permission_set.hpp>

namespace flowtap::permission {

/// Who vouches for an identity.
enum class origin : std::uint8_t {
    /// The configuration's own users.
    local,
    /// A RADIUS server.
    radius,
    /// The access point itself: criteria loaded from a file at start, no login behind them.
    internal,
};

/// An identity that has been authenticated, with its effective permissions: what a transport hands
/// to the control side and to the operator's commands. A value; holds nothing of a connection.
struct principal {
    /// The login name; over DTCP it is the Csource-ID.
    std::string name;
    permission_set permissions;
    origin from = origin::local;
    /// The other end of the connection, where there is one.
    std::optional<endpoint> peer = std::nullopt;
    /// How long a session of an operator may be idle, by its class; zero: as long as it likes.
    std::chrono::minutes idle_timeout{0};

    friend bool operator==(const principal&, const principal&) = default;
};

} // namespace flowtap::permission
