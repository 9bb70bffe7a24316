// SPDX-License-Identifier: Apache-2.0
#include "counters.hpp"

#include <bit>

namespace flowtap::path {

namespace {

/// Counters that belong together, as their words. Each structure of them holds words only.
template <class Counters>
using words_of = std::array<std::uint64_t, sizeof(Counters) / sizeof(std::uint64_t)>;

template <class Counters>
Counters sum_of(const Counters& a, const Counters& b) noexcept {
    auto sum = std::bit_cast<words_of<Counters>>(a);
    const auto more = std::bit_cast<words_of<Counters>>(b);
    for (std::size_t i = 0; i < sum.size(); ++i)
        sum[i] += more[i];
    return std::bit_cast<Counters>(sum);
}

} // namespace

path_counters& path_counters::operator+=(const path_counters& other) noexcept {
    return *this = sum_of(*this, other);
}

delivery_counters& delivery_counters::operator+=(const delivery_counters& other) noexcept {
    return *this = sum_of(*this, other);
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
