// SPDX-License-Identifier: Apache-2.0
#include "counters.hpp"

#include <bit>

namespace flowtap::path {

path_counters& path_counters::operator+=(const path_counters& other) noexcept {
    seen += other.seen;
    seen_octets += other.seen_octets;
    for (std::size_t i = 0; i < decoded.size(); ++i)
        decoded[i] += other.decoded[i];
    tapped += other.tapped;
    own += other.own;
    abandoned += other.abandoned;
    sampled_out += other.sampled_out;
    copies += other.copies;
    delivered += other.delivered;
    for (std::size_t i = 0; i < dropped.size(); ++i)
        dropped[i] += other.dropped[i];
    queued += other.queued;
    lost += other.lost;
    return *this;
}

namespace detail {

void counter_board::show(const path_counters& counters) noexcept {
    const auto values = std::bit_cast<std::array<std::uint64_t, words>>(counters);
    const std::uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < words; ++i)
        words_[i].store(values[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
}

path_counters counter_board::read() const noexcept {
    std::array<std::uint64_t, words> values{};
    for (;;) {
        const std::uint64_t before = version_.load(std::memory_order_acquire);
        for (std::size_t i = 0; i < words; ++i)
            values[i] = words_[i].load(std::memory_order_acquire);
        if (before % 2 == 0 && version_.load(std::memory_order_relaxed) == before)
            return std::bit_cast<path_counters>(values);
    }
}

} // namespace detail

} // namespace flowtap::path
