// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <utility>
#include <vector>

#include <flowtap/path/data_path.hpp>

#include "worker_state.hpp"

namespace flowtap::path {

struct data_path::state {
    explicit state(const data_path_options& with) : options(with), common(with) {}

    /// Has a worker count by criterion what content destinations did not get.
    void cover_drops(worker::state& of) const {
        of.cover_drops(common.slots.used());
        of.ledger.cover_slots(common.slots.used());
    }

    const data_path_options options;
    detail::common common;
    std::vector<std::unique_ptr<worker>> workers;
    /// The same workers, linked, for readers on other threads.
    std::atomic<worker::state*> newest{nullptr};
    bool has_limits = false;        ///< some snapshot so far had limits on copies
    bool has_policies = false;      ///< some snapshot so far had drop policies
    bool follows_fragments = false; ///< some snapshot so far asked for all fragments
    /// No stream published so far is this high. Other threads read it.
    std::atomic<std::size_t> streams{0};
};

data_path::data_path(data_path_options options) : state_(std::make_unique<state>(options)) {}
data_path::~data_path() = default;

worker& data_path::add_worker(std::unique_ptr<source> from, std::unique_ptr<sink> to,
                              worker_options options) {
    auto made = std::make_unique<worker::state>(state_->common, state_->options, std::move(from),
                                                std::move(to), options);
    worker::state& its = *made;
    its.cover(state_->common.slots.used(), state_->streams);
    its.ledger.count_by_slot(state_->options.slots);
    if (state_->has_limits)
        state_->cover_drops(its);
    if (state_->has_policies)
        its.cover_withheld(state_->common.slots.used());
    if (state_->follows_fragments)
        its.cover_fragments(state_->options.fragments);
    state_->workers.push_back(std::unique_ptr<worker>(new worker(std::move(made))));
    its.next = state_->newest.load(std::memory_order_relaxed);
    state_->newest.store(&its, std::memory_order_release);
    state_->common.snapshots.add(its.place);
    return *state_->workers.back();
}

generation data_path::publish(snapshot what) {
    if (what.actions.stream_bound() > state_->options.streams)
        throw std::length_error("a stream's number is above data_path_options::streams");
    const std::size_t streams = std::max(state_->streams.load(), what.actions.stream_bound());
    state_->has_limits = state_->has_limits || !what.copy_limits.empty();
    state_->has_policies = state_->has_policies || what.actions.has_drop_policies();
    state_->follows_fragments = state_->follows_fragments || what.fragments == fragment_policy::all;
    for (const auto& each : state_->workers) {
        each->state_->cover(state_->common.slots.used(), streams);
        if (state_->follows_fragments)
            each->state_->cover_fragments(state_->options.fragments);
        if (state_->has_limits)
            state_->cover_drops(*each->state_);
        if (state_->has_policies)
            each->state_->cover_withheld(state_->common.slots.used());
    }
    state_->streams = streams;
    return generation(state_->common.snapshots.publish(std::move(what)));
}

generation data_path::in_force() const noexcept {
    return generation(state_->common.snapshots.in_force());
}

generation data_path::settled() {
    return generation(state_->common.snapshots.settled());
}

void data_path::on_news(std::function<void()> what) {
    state_->common.news = what;
    state_->common.snapshots.on_settled(std::move(what));
}

bool data_path::acquire(slot_id& slot) {
    auto& snapshots = state_->common.snapshots;
    if (!state_->common.slots.acquire(slot, snapshots.next(), snapshots.settled()))
        return false;
    for (const auto& each : state_->workers) {
        auto& counts = each->state_->counts;
        if (counts.find(slot.value()) == nullptr)
            continue;
        counts[slot.value()].reset();
        auto& drops = each->state_->drops;
        if (drops.find(slot.value()) != nullptr)
            for (detail::drop_count& one : drops[slot.value()])
                one.reset();
        if (detail::drop_count* kept = each->state_->withheld.find(slot.value()))
            kept->reset();
        each->state_->ledger.reset(slot);
    }
    state_->common.budgets.acquired(slot);
    return true;
}

void data_path::release(slot_id slot) {
    state_->common.slots.release(slot, state_->common.snapshots.next());
    state_->common.budgets.released(slot);
}

void data_path::grant(slot_id slot, const match_budget& what) {
    if (what == match_budget{})
        return;
    const bool is_news = state_->common.budgets.grant(slot, what);
    state_->common.slots.has_budget(slot);
    if (is_news)
        state_->common.tell();
}

bool data_path::refill(slot_id slot, const match_budget& what) {
    const detail::budgets::refilled outcome = state_->common.budgets.refill(slot, what);
    if (outcome.done)
        state_->common.slots.has_budget(slot);
    if (outcome.is_news)
        state_->common.tell();
    return outcome.done;
}

match_budget data_path::remaining(slot_id slot) const noexcept {
    return state_->common.budgets.left(slot);
}

std::optional<slot_id> data_path::next_exhausted() {
    return state_->common.budgets.next_exhausted();
}

void data_path::stop(slot_id slot) noexcept {
    state_->common.slots.stop(slot);
}

slot_counters data_path::counters(slot_id slot) const noexcept {
    slot_counters sum;
    for (const auto& each : state_->workers) {
        const detail::slot_count* count = std::as_const(each->state_->counts).find(slot.value());
        if (count == nullptr)
            continue;
        sum.packets += count->packets.read();
        sum.octets += count->octets.read();
        // None is less than any time.
        sum.last_match = std::max(sum.last_match, count->last_match.read());
        if (const detail::drop_count* kept =
                std::as_const(each->state_->withheld).find(slot.value())) {
            sum.withheld.packets += kept->packets.read();
            sum.withheld.octets += kept->octets.read();
        }
        const detail::slot_drops* dropped = std::as_const(each->state_->drops).find(slot.value());
        if (dropped == nullptr)
            continue;
        for (std::size_t i = 0; i < max_targets; ++i) {
            sum.dropped[i].packets += (*dropped)[i].packets.read();
            sum.dropped[i].octets += (*dropped)[i].octets.read();
        }
    }
    return sum;
}

target_drops data_path::undelivered(slot_id slot, stream_id stream) const noexcept {
    target_drops sum;
    for (const auto& each : state_->workers) {
        const target_drops its = each->state_->ledger.losses(slot, stream);
        sum.packets += its.packets;
        sum.octets += its.octets;
    }
    return sum;
}

path_counters data_path::counters() const noexcept {
    path_counters sum;
    const worker::state* each = state_->newest.load(std::memory_order_acquire);
    for (; each != nullptr; each = each->next)
        sum += each->shown.read();
    return sum;
}

delivery_counters data_path::counters(stream_id stream) const noexcept {
    delivery_counters sum;
    const worker::state* each = state_->newest.load(std::memory_order_acquire);
    for (; each != nullptr; each = each->next)
        sum += each->ledger.counters(stream);
    return sum;
}

path_statistics data_path::statistics() const {
    path_statistics read;
    const worker::state* each = state_->newest.load(std::memory_order_acquire);
    for (; each != nullptr; each = each->next)
        read.workers.push_back(each->shown.read());
    std::ranges::reverse(read.workers);
    read.streams.resize(state_->streams);
    for (std::size_t i = 0; i < read.streams.size(); ++i)
        read.streams[i] = counters(stream_id(static_cast<std::uint32_t>(i)));
    return read;
}

} // namespace flowtap::path
