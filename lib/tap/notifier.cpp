// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace flowtap::tap {

namespace {

/// So many numbers fit into 1400 octets with all that is around them.
constexpr std::ptrdiff_t purged_at_a_time = 50;

} // namespace

void notifier::tell(control_source_id to, dtcp::notification what, edition after) {
    // Nothing overtakes what was told before, to anybody: editions then ascend.
    if (!waiting_.empty())
        after = std::max(after, waiting_.back().after);
    const auto purged = std::exchange(what.purged.entries, {});
    auto from = purged.begin();
    do {
        const auto count = std::min(purged.end() - from, purged_at_a_time);
        dtcp::notification part = what;
        part.purged.entries.assign(from, from + count);
        waiting_.push_back({after, {to, std::move(part)}});
        from += count;
    } while (from != purged.end());
}

std::vector<told> notifier::take(edition settled, std::size_t most) {
    std::vector<told> due;
    while (is_due(settled) && due.size() < most) {
        due.push_back(std::move(waiting_.front().what));
        waiting_.pop_front();
    }
    return due;
}

} // namespace flowtap::tap
