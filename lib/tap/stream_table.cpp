// SPDX-License-Identifier: Apache-2.0
#include "stream_table.hpp"

namespace flowtap::tap {

stream_key make_stream_key(control_source_id owner, const packet::encapsulation& around) {
    return {owner,
            around.kind,
            around.source,
            around.destination,
            around.mirror.intercept_id,
            around.mirror.session_id,
            false};
}

stream_id stream_table::acquire(const stream_key& key) {
    stream& used = streams_[key];
    if (used.users++ != 0)
        return used.id;
    if (sizes_.size() <= key.owner.value())
        sizes_.resize(key.owner.value() + std::size_t{1});
    ++sizes_[key.owner.value()];
    if (free_.empty()) {
        used.id = stream_id{next_++};
    } else {
        used.id = free_.back();
        free_.pop_back();
    }
    return used.id;
}

void stream_table::release(const stream_key& key, edition without) {
    const auto found = streams_.find(key);
    if (--found->second.users != 0)
        return;
    --sizes_[key.owner.value()];
    retired_.push_back({without, found->second.id});
    streams_.erase(found);
}

void stream_table::settle(edition now) {
    while (!retired_.empty() && retired_.front().without <= now) {
        free_.push_back(retired_.front().id);
        retired_.pop_front();
    }
}

std::size_t stream_table::size(control_source_id owner) const {
    return owner.value() < sizes_.size() ? sizes_[owner.value()] : 0;
}

} // namespace flowtap::tap
