// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace flowtap::tap {

namespace {

/// So many numbers fit into 1400 octets with all that is around them.
constexpr std::ptrdiff_t purged_at_a_time = 50;

} // namespace

void notifier::tell(control_source_id to, dtcp::notification what, edition after) {
    std::deque<entry>& queue = waiting_[to];
    // Nothing overtakes what the same control source is to be told before: editions ascend.
    if (!queue.empty())
        after = std::max(after, queue.back().after);
    const auto purged = std::exchange(what.purged.entries, {});
    auto from = purged.begin();
    do {
        const auto count = std::min(purged.end() - from, purged_at_a_time);
        dtcp::notification part = what;
        part.purged.entries.assign(from, from + count);
        queue.push_back({after, std::move(part)});
        ++size_;
        from += count;
    } while (from != purged.end());
}

std::vector<told> notifier::take(edition settled, std::size_t most) {
    std::vector<told> due;
    while (is_due(settled) && due.size() < most) {
        for (auto at = waiting_.begin(); at != waiting_.end() && due.size() < most;) {
            std::deque<entry>& queue = at->second;
            if (queue.front().after <= settled) {
                due.push_back({at->first, std::move(queue.front().what)});
                queue.pop_front();
                --size_;
            }
            at = queue.empty() ? waiting_.erase(at) : std::next(at);
        }
    }
    return due;
}

bool notifier::is_due(edition settled) const noexcept {
    return std::any_of(waiting_.begin(), waiting_.end(), [settled](const auto& queue) {
        return queue.second.front().after <= settled;
    });
}

} // namespace flowtap::tap
