// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>

#include "../common/capture_writer.hpp"
#include "copy.hpp"
#include "intercept.hpp"
#include "output_directory.hpp"

namespace flowtap::tools {

struct collector_settings {
    /// What stands in the copies: raw IP, or frames of a link type.
    packet::link_type inner = packet::link_type::raw;
    /// Intercepts that are told apart; the copies of all others are counted together.
    std::size_t intercepts = 4096;
    /// Copies after which nothing more is taken; 0 for no end.
    std::uint64_t copies = 0;
};

/// What was received. Everything that came is a copy or was refused.
struct collected {
    std::uint64_t copies = 0;
    std::uint64_t octets = 0; ///< of the packets in the copies
    std::array<std::uint64_t, refusal_count> refused{};
    /// Copies that had octets behind the packet, which were cut off.
    std::uint64_t padded = 0;
    /// Copies whose outer checksum is wrong, or was left to the sender's hardware.
    std::uint64_t wrong_ip_checksums = 0;
    std::uint64_t wrong_udp_checksums = 0;
    /// Copies of intercepts that are too many to be told apart.
    std::uint64_t other_copies = 0;
    std::uint64_t other_octets = 0;

    std::uint64_t refused_in_all() const noexcept;
};

/// Checks copies, tells their intercepts apart, counts and writes them. Allocates when a new
/// intercept comes and when a file is opened. Used by one thread, but for `copies`.
class collector {
public:
    explicit collector(const collector_settings& settings);

    /// One capture an intercept, there.
    void write_to(output_directory directory) { directory_ = std::move(directory); }
    /// All copies, in the order in which they came.
    void write_to(capture_writer all) { all_ = std::move(all); }

    void take(const received_copy& copy);
    void refuse(refusal why) noexcept { ++counted_.refused[static_cast<std::size_t>(why)]; }

    /// Nothing more is wanted.
    bool is_full() const noexcept {
        return settings_.copies != 0 && counted_.copies >= settings_.copies;
    }

    /// Hands what was buffered to the system, so that others can read it.
    void flush();
    /// Closes all files. Errors: those of any write.
    result<void> close();

    const collected& counted() const noexcept { return counted_; }
    /// Packets that could not be written; complete once files are closed.
    std::uint64_t unwritten() const noexcept;
    /// Why something could not be written, the last time that happened.
    error failure() const;
    /// All intercepts, in the order of their first copies.
    std::vector<const intercept*> intercepts() const;
    std::size_t intercept_count() const noexcept { return intercepts_.size(); }
    bool writes_intercepts() const noexcept { return directory_.has_value(); }
    /// Copies so far. Any thread.
    const std::atomic<std::uint64_t>& copies() const noexcept { return copies_; }

private:
    std::optional<byte_view> packet_in(const received_copy& copy) noexcept;
    intercept* find(const received_copy& copy);
    void count(const received_copy& copy, byte_view inner) noexcept;

    collector_settings settings_;
    collected counted_;
    std::atomic<std::uint64_t> copies_ = 0;
    /// Ordered, because a sender may choose keys that collide in a hash table.
    std::map<intercept_key, intercept> intercepts_;
    /// Where keys were found last, by a few of their bits.
    std::vector<intercept*> recent_;
    std::optional<output_directory> directory_;
    std::optional<capture_writer> all_;
};

} // namespace flowtap::tools
