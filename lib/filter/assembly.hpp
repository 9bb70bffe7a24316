// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "hits.hpp"

namespace flowtap::filter {

/// Puts the hits of one chunk of `packets` packets in order, by packet and then by slot. They go to
/// `slots` from number `ends[0]` on, where there is room for all; the next `packets` values of
/// `ends` are set to where the matches of each packet end, and one more is used on the way.
/// `matched` gets the numbers of the packets that have any, in order, that of the chunk's first
/// packet being `first`. Returns how many these are.
std::size_t assemble(const hit_list& found, std::size_t packets, slot_id* slots,
                     std::uint32_t* ends, std::uint32_t first, std::uint32_t* matched) noexcept;

} // namespace flowtap::filter
