// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include <flowtap/core/ids.hpp>

#include "chunked_array.hpp"

namespace flowtap::path::detail {

/// What a worker has to know of a slot's criterion before it uses it.
class tenure {
public:
    static constexpr std::uint64_t budget_mark = std::uint64_t{1} << 63;

    constexpr explicit tenure(std::uint64_t word) noexcept : word_(word) {}

    /// The first generation that knows the criterion; 0 when it is switched off.
    constexpr std::uint64_t born() const noexcept { return word_ & ~budget_mark; }
    /// Whether what was matched with `generation` is this criterion, and not switched off.
    constexpr bool covers(std::uint64_t generation) const noexcept {
        return born() - 1 < generation;
    }
    constexpr bool has_budget() const noexcept { return (word_ & budget_mark) != 0; }

private:
    std::uint64_t word_;
};

/// Which slots are in use, which wait until no worker remembers them, and since when each is live.
/// For the control side's thread, but for `of`.
class slot_pool {
public:
    explicit slot_pool(std::size_t slots) : slots_(slots), tenures_(slots) {}

    /// `next` is the number of the generation published next, the first that may know the slot;
    /// `settled` the newest settled one.
    bool acquire(slot_id& slot, std::uint64_t next, std::uint64_t settled);
    /// `next` is the first generation without the slot. One that was acquired since the last
    /// publication, and not stopped, is free at once: no worker ever knew it.
    void release(slot_id slot, std::uint64_t next);
    void stop(slot_id slot) noexcept;

    /// The slot's criterion has a budget from here on.
    void has_budget(slot_id slot) noexcept;

    /// Any thread.
    tenure of(slot_id slot) noexcept { return tenure(tenures_[slot.value()].load()); }

    /// Slots below this were in use at some time.
    std::size_t used() const noexcept { return used_; }

private:
    struct leaving {
        slot_id slot;
        std::uint64_t gone_in;
    };

    std::size_t slots_;
    std::size_t used_ = 0;
    chunked_array<std::atomic<std::uint64_t>> tenures_;
    std::deque<leaving> leaving_; ///< in ascending order of `gone_in`
    std::vector<slot_id> free_;
};

} // namespace flowtap::path::detail
