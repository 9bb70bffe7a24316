// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include <algorithm>
#include <utility>

namespace flowtap::tap {

void notifier::tell(control_source_id to, dtcp::notification what, edition after) {
    // Nothing overtakes what was told before, to anybody: editions then ascend.
    if (!waiting_.empty())
        after = std::max(after, waiting_.back().after);
    waiting_.push_back({after, {to, std::move(what)}});
}

std::vector<told> notifier::take(edition settled) {
    std::vector<told> due;
    while (!waiting_.empty() && waiting_.front().after <= settled) {
        due.push_back(std::move(waiting_.front().what));
        waiting_.pop_front();
    }
    return due;
}

} // namespace flowtap::tap
