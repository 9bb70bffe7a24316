// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/action_table.hpp>

#include <algorithm>
#include <utility>

namespace flowtap::path {

local_pointer<action>& action_table::writable(slot_id slot) {
    const std::size_t number = slot.value();
    if (number >= slot_bound())
        pages_.resize(number / page_span + 1);
    page& on = pages_[number / page_span].writable();
    leaf& at = on[number / leaf_size % page_size].writable();
    return at[number % leaf_size];
}

void action_table::assign(slot_id slot, action what) {
    for (const copy_target& target : what.targets)
        stream_bound_ = std::max(stream_bound_, std::size_t{target.stream.value()} + 1);
    has_drop_policies_ = has_drop_policies_ || what.withholds != nullptr;
    writable(slot) = local_pointer(std::move(what));
}

void action_table::erase(slot_id slot) {
    if (find(slot) != nullptr)
        writable(slot) = {};
}

} // namespace flowtap::path
