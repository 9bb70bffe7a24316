// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace traffic {

/// What sender and receiver show each other, and the script that started them, while they run: a
/// file that all of them have mapped. All members are 64-bit words in this order.
struct board {
    static constexpr std::size_t ports = 8;
    static constexpr std::size_t flows = 4096;
    using word = std::atomic<std::uint64_t>;

    /// No packet with this number or a higher one has been given to the kernel.
    word prepared;
    /// All packets with lower numbers have been given to the kernel.
    word sent;
    /// Copies that came to each port of the receiver.
    std::array<word, ports> received;
    /// Of each port and flow the number of the latest copy, and one more; 0: none came.
    std::array<std::array<word, flows>, ports> next;
};

/// A file of this size that consists of zeros is an empty board.
inline constexpr std::size_t board_size = sizeof(board);

struct unmap_board {
    void operator()(board* mapped) const noexcept;
};
using mapped_board = std::unique_ptr<board, unmap_board>;

/// Throws std::system_error.
mapped_board map_board(const std::string& file);

} // namespace traffic
