// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <flowtap/path/snapshot.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::path::detail {

/// Takes the packets out of a batch that their gates do not let through, evenly spread.
class admission {
public:
    explicit admission(std::size_t batch) : shares_of_(batch) {}

    struct outcome {
        std::size_t passed = 0;
        std::uint64_t octets_left_out = 0;
    };

    /// Moves the packets that may pass to the front, in order. `packets` are at most a batch.
    outcome pass(std::span<captured_packet> packets, const input_gates& gates,
                 steady_time now) noexcept;

private:
    /// What one gate has to do with the packets at hand.
    struct share {
        rate_gate* gate = nullptr; ///< null lets everything through
        std::uint64_t arrived = 0;
        std::uint64_t admitted = 0;
        std::uint64_t turn = 0;

        bool next_passes() noexcept {
            turn += admitted;
            if (turn < arrived)
                return false;
            turn -= arrived;
            return true;
        }
    };

    std::size_t assign(std::span<const captured_packet> packets, const input_gates& gates) noexcept;
    std::size_t share_of(rate_gate* gate) noexcept;

    /// Gates told apart at a time, so that looking one up has a bound: where a batch has more, it
    /// is done in pieces.
    static constexpr std::size_t most_shares = 8;
    std::array<share, most_shares> shares_;
    std::size_t used_ = 0;
    std::vector<std::uint8_t> shares_of_; ///< by packet
};

} // namespace flowtap::path::detail
