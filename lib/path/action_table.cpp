// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <flowtap/path/snapshot.hpp>

namespace flowtap::path {

std::shared_ptr<const action>& action_table::writable(slot_id slot) {
    const std::size_t index = slot.value() / chunk_size;
    if (index >= chunks_.size())
        chunks_.resize(index + 1);
    auto& place = chunks_[index];
    if (!place)
        place = std::make_shared<chunk>();
    else if (place.use_count() != 1)
        place = std::make_shared<chunk>(*place);
    return (*place)[slot.value() % chunk_size];
}

void action_table::assign(slot_id slot, action what) {
    for (const copy_target& target : what.targets)
        stream_bound_ = std::max(stream_bound_, std::size_t{target.stream.value()} + 1);
    writable(slot) = std::make_shared<const action>(std::move(what));
}

void action_table::erase(slot_id slot) {
    if (find(slot) != nullptr)
        writable(slot) = nullptr;
}

} // namespace flowtap::path
