// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <flowtap/core/ids.hpp>

namespace flowtap::filter {

/// A value for each slot, in pages that are made when a slot of them is first used: slots are
/// dense, but one that is not costs no more than its pages. Constant time.
template <class Value>
class slot_table {
public:
    /// The value of `slot`, or null if its page was never made.
    Value* find(slot_id slot) const noexcept {
        const std::size_t high = slot.value() >> 16;
        if (high >= pages_.size() || !pages_[high])
            return nullptr;
        const auto& leaf = (*pages_[high])[slot.value() >> 8 & 0xFF];
        return leaf ? &(*leaf)[slot.value() & 0xFF] : nullptr;
    }

    Value& make(slot_id slot) {
        const std::size_t high = slot.value() >> 16;
        if (high >= pages_.size())
            pages_.resize(high + 1);
        if (!pages_[high]) {
            pages_[high] = std::make_unique<page>();
            memory_ += sizeof(page);
        }
        auto& leaf = (*pages_[high])[slot.value() >> 8 & 0xFF];
        if (!leaf) {
            leaf = std::make_unique<values>();
            memory_ += sizeof(values);
        }
        return (*leaf)[slot.value() & 0xFF];
    }

    std::size_t memory() const noexcept { return memory_ + pages_.capacity() * sizeof(pages_[0]); }

private:
    using values = std::array<Value, 256>;
    using page = std::array<std::unique_ptr<values>, 256>;

    std::vector<std::unique_ptr<page>> pages_;
    std::size_t memory_ = 0;
};

} // namespace flowtap::filter
