// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <system_error>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::radius {

/// A socket at a free port of `source`, or of an address that the system chooses, that exchanges
/// datagrams with `peer` alone.
result<descriptor> open_client_socket(opener& with, const endpoint& peer,
                                      const std::optional<ip_address>& source);

/// Errors: the operating system's.
std::error_code send_to_peer(int socket, byte_view octets) noexcept;

/// Receives one datagram into `room`, as much of it as fits. Does not wait: then the error is
/// `std::errc::operation_would_block`.
result<byte_view> receive_from_peer(int socket, std::span<std::byte> room);

} // namespace flowtap::radius
