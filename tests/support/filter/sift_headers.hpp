// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/classifier.hpp>

namespace flowtap::filter::testing {

/// Whether `classifier::sift` may be asked about such a packet.
inline bool is_plain(const packet_key& key) {
    return key.of_family == family::inet && key.has_ports &&
           (key.protocol == 6 || key.protocol == 17);
}

/// Puts what `sift` looks at of a packet at place `at`. What it must not look at is noise.
inline void put_header(plain_headers& headers, std::size_t at, const packet_key& key) {
    const auto out = std::span(headers.octets).subspan(at * plain_headers::size);
    std::ranges::fill(out.first(plain_headers::size), static_cast<std::byte>(37 * at + 11));
    store_big_endian(out.subspan(1), key.protocol);
    store_big_endian(out.subspan(4), static_cast<std::uint32_t>(key.source.low));
    store_big_endian(out.subspan(8), static_cast<std::uint32_t>(key.destination.low));
    store_big_endian(out.subspan(12), key.source_port);
    store_big_endian(out.subspan(14), key.destination_port);
}

} // namespace flowtap::filter::testing
