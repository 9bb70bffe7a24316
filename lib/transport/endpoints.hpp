// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <flowtap/core/address.hpp>

#include "asio.hpp"

namespace flowtap::transport {

inline endpoint from_asio(const boost::asio::ip::tcp::endpoint& point) {
    if (point.address().is_v4())
        return {ip_address::v4(point.address().to_v4().to_uint()), point.port()};
    const auto bytes = point.address().to_v6().to_bytes();
    return {ip_address::from_bytes(std::as_bytes(std::span(bytes))), point.port()};
}

} // namespace flowtap::transport
