// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <flowtap/path/sink.hpp>

namespace flowtap::path::detail {

/// The copies that a worker has made and not handed over yet, in order, each with the packet of the
/// batch it was made of. Its room is fixed.
class outbox {
public:
    explicit outbox(std::size_t room);

    bool full() const noexcept { return end_ == copies_.size(); }
    bool empty() const noexcept { return begin_ == end_; }
    std::span<const copy> waiting() const noexcept {
        return std::span(copies_).subspan(begin_, end_ - begin_);
    }

    /// Where the next copy is to be made: member by member, as one that is put together elsewhere
    /// with narrow stores and moved with wide loads is waited for. The box must not be full.
    copy& next() noexcept { return copies_[end_]; }
    /// Puts in what was made at `next`, of a packet.
    void put(std::uint32_t packet) noexcept { packets_[end_++] = packet; }
    /// Forgets the first `count` copies.
    void taken(std::size_t count) noexcept;
    void clear() noexcept { begin_ = end_ = 0; }

    /// Keeps the copies for which `keep(copy&, packet)` is true, in order. Returns how many were
    /// not.
    template <class Keep>
    std::size_t filter(Keep keep) noexcept {
        std::size_t kept = 0;
        const std::size_t before = end_ - begin_;
        for (std::size_t i = begin_; i < end_; ++i) {
            if (!keep(copies_[i], packets_[i]))
                continue;
            copies_[kept] = copies_[i];
            packets_[kept++] = packets_[i];
        }
        begin_ = 0;
        end_ = kept;
        return before - kept;
    }

private:
    std::vector<copy> copies_;
    std::vector<std::uint32_t> packets_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace flowtap::path::detail
