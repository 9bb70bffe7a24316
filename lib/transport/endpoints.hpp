// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include <flowtap/core/address.hpp>

#include "asio.hpp"

namespace flowtap::transport {

inline boost::asio::ip::tcp::endpoint to_asio(const endpoint& point) {
    const auto octets = point.address.bytes();
    if (point.address.ip_family() == family::inet)
        return {boost::asio::ip::address_v4(load_big_endian<std::uint32_t>(octets)), point.port};
    boost::asio::ip::address_v6::bytes_type bytes{};
    std::transform(octets.begin(), octets.end(), bytes.begin(),
                   [](std::byte octet) { return std::to_integer<unsigned char>(octet); });
    return {boost::asio::ip::address_v6(bytes), point.port};
}

inline endpoint from_asio(const boost::asio::ip::tcp::endpoint& point) {
    if (point.address().is_v4())
        return {ip_address::v4(point.address().to_v4().to_uint()), point.port()};
    const auto bytes = point.address().to_v6().to_bytes();
    return {ip_address::from_bytes(std::as_bytes(std::span(bytes))), point.port()};
}

} // namespace flowtap::transport
