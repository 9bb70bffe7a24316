// SPDX-License-Identifier: Apache-2.0
#include "slot_pool.hpp"

namespace flowtap::path::detail {

bool slot_pool::acquire(slot_id& slot, std::uint64_t next, std::uint64_t settled) {
    while (!leaving_.empty() && leaving_.front().gone_in <= settled) {
        free_.push_back(leaving_.front().slot);
        leaving_.pop_front();
    }
    if (!free_.empty()) {
        slot = free_.back();
        free_.pop_back();
    } else if (used_ < slots_) {
        slot = slot_id(static_cast<std::uint32_t>(used_));
        tenures_.cover(++used_);
    } else {
        return false;
    }
    tenures_[slot.value()].store(next);
    return true;
}

void slot_pool::release(slot_id slot, std::uint64_t next) {
    const bool is_unpublished = of(slot).born() == next;
    stop(slot);
    if (is_unpublished) {
        free_.push_back(slot);
        return;
    }
    leaving_.push_back({slot, next});
}

void slot_pool::has_budget(slot_id slot) noexcept {
    // Only this thread writes it.
    auto& its = tenures_[slot.value()];
    if (its.load() != 0)
        its.store(its.load() | tenure::budget_mark);
}

void slot_pool::stop(slot_id slot) noexcept {
    tenures_[slot.value()].store(0);
}

} // namespace flowtap::path::detail
