// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/classifier.hpp>
#include <flowtap/packet/plain.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::path::detail {

/// Packets that follow one another, came in through one port, and are plain
/// (flowtap/packet/plain.hpp), as most are.
struct plain_run {
    std::size_t count = 0;
    std::uint64_t octets = 0; ///< on the wire
};

/// Finds the run that `some` begins with, as long as there is room in `headers`, and copies what a
/// classifier sifts by.
plain_run find_run(std::span<const captured_packet> some, filter::plain_headers& headers) noexcept;

/// Puts the keys of those packets of `run` that have a bit in `which` one behind the other, and
/// where they were captured. Returns how many these are. Straight to where the classifier reads
/// keys: to copy a key that was just written costs more than to make it.
std::size_t put_keys(const captured_packet* run, std::uint64_t which, packet::packet_place place,
                     packet_key* keys, const captured_packet** origins) noexcept;

} // namespace flowtap::path::detail
