// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include <flowtap/core/ids.hpp>

#include "chunked_array.hpp"

namespace flowtap::path::detail {

/// Which slots are in use, which wait until no worker remembers them, and since when each is live.
/// For the control side's thread, but for `born`.
class slot_pool {
public:
    explicit slot_pool(std::size_t slots) : slots_(slots), born_(slots) {}

    /// `next` is the number of the generation published next, the first that may know the slot;
    /// `settled` the newest settled one.
    bool acquire(slot_id& slot, std::uint64_t next, std::uint64_t settled);
    /// `next` is the first generation without the slot. One that was acquired since the last
    /// publication, and not stopped, is free at once: no worker ever knew it.
    void release(slot_id slot, std::uint64_t next);
    void stop(slot_id slot) noexcept;

    /// The first generation that knows the slot's criterion; 0 when it is switched off. A slot that
    /// a worker matched with generation g is still the same criterion's if this is from 1 to g.
    /// Any thread.
    std::uint64_t born(slot_id slot) noexcept { return born_[slot.value()].load(); }

    /// Slots below this were in use at some time.
    std::size_t used() const noexcept { return used_; }

private:
    struct leaving {
        slot_id slot;
        std::uint64_t gone_in;
    };

    std::size_t slots_;
    std::size_t used_ = 0;
    chunked_array<std::atomic<std::uint64_t>> born_;
    std::deque<leaving> leaving_; ///< in ascending order of `gone_in`
    std::vector<slot_id> free_;
};

} // namespace flowtap::path::detail
