// SPDX-License-Identifier: Apache-2.0
#include "backlog.hpp"

#include <algorithm>

namespace flowtap::tap {

void backlog::charge(control_source_id source, std::size_t criteria) {
    if (criteria != 0)
        queues_[source].work += criteria;
}

bool backlog::must_wait(control_source_id source) const {
    const auto found = queues_.find(source);
    return found != queues_.end() &&
           (found->second.work >= work_per_turn || !found->second.requests.empty());
}

dtcp::sequence_verdict backlog::check(control_source_id source, sequence_number seq,
                                      const dtcp::sequence_window& now) const {
    const auto found = queues_.find(source);
    const bool none_waits = found == queues_.end() || found->second.requests.empty();
    return (none_waits ? now : found->second.numbers).check(seq);
}

bool backlog::put(control_source_id source, waiting_request next,
                  const dtcp::sequence_window& now) {
    queue& into = queues_[source];
    if (into.octets + next.message.size() > octets_per_source)
        return false;
    if (into.requests.empty())
        into.numbers = now;
    into.numbers.accept(next.seq);
    into.octets += next.message.size();
    into.requests.push_back(std::move(next));
    return true;
}

void backlog::begin_turn() {
    std::erase_if(queues_, [](const auto& one) { return one.second.requests.empty(); });
    for (auto& [source, one] : queues_)
        one.work = 0;
}

std::optional<std::pair<control_source_id, waiting_request>> backlog::take() {
    const auto found = std::find_if(queues_.begin(), queues_.end(), [](const auto& one) {
        return one.second.work < work_per_turn && !one.second.requests.empty();
    });
    if (found == queues_.end())
        return std::nullopt;
    queue& from = found->second;
    std::pair taken(found->first, std::move(from.requests.front()));
    from.requests.pop_front();
    from.octets -= taken.second.message.size();
    return taken;
}

std::size_t backlog::size(control_source_id source) const {
    const auto found = queues_.find(source);
    return found == queues_.end() ? 0 : found->second.requests.size();
}

bool backlog::empty() const noexcept {
    return std::all_of(queues_.begin(), queues_.end(),
                       [](const auto& one) { return one.second.requests.empty(); });
}

} // namespace flowtap::tap
