// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <flowtap/core/ids.hpp>

#include "control_source.hpp"

namespace flowtap::tap {

/// A criterion with the control source that it belongs to.
struct placed_criterion {
    control_source* of = nullptr;
    criterion* what = nullptr;
};

/// The criteria by slot: the data path knows them by nothing else.
class slot_index {
public:
    void insert(control_source& of, criterion& what) {
        if (places_.size() <= what.slot.value())
            places_.resize(what.slot.value() + std::size_t{1});
        places_[what.slot.value()] = {&of, &what};
    }

    void erase(slot_id slot) noexcept { places_[slot.value()] = {}; }

    /// Null pointers if there is no criterion in the slot.
    placed_criterion find(slot_id slot) const noexcept {
        return slot.value() < places_.size() ? places_[slot.value()] : placed_criterion{};
    }

    /// No slot with a criterion is this high.
    std::size_t bound() const noexcept { return places_.size(); }

private:
    std::vector<placed_criterion> places_;
};

} // namespace flowtap::tap
