// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <memory>

#include <flowtap/path/delivery_ledger.hpp>

#include "chunked_array.hpp"
#include "counters.hpp"

namespace flowtap::path {

namespace {

/// What can become of a copy: each has a place in a page of the ledger. `dropped` is the first of
/// as many as there are causes.
enum class column : std::size_t { copies, delivered, queued, dropped };
constexpr std::size_t column_count = static_cast<std::size_t>(column::dropped) + drop_cause_count;

constexpr std::size_t index_of(column what) noexcept {
    return static_cast<std::size_t>(what);
}
constexpr std::size_t index_of(drop_cause cause) noexcept {
    return index_of(column::dropped) + static_cast<std::size_t>(cause);
}

struct volume {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
};
using row = std::array<volume, column_count>;

/// A row that one thread writes and others read.
struct open_row {
    struct open_volume {
        std::atomic<std::uint64_t> packets{0};
        std::atomic<std::uint64_t> octets{0};
    };
    std::array<open_volume, column_count> columns;

    void store(std::size_t at, const volume& what) noexcept {
        columns[at].packets.store(what.packets, std::memory_order_release);
        columns[at].octets.store(what.octets, std::memory_order_release);
    }
    row load() const noexcept {
        row made;
        for (std::size_t i = 0; i < column_count; ++i)
            made[i] = {columns[i].packets.load(std::memory_order_acquire),
                       columns[i].octets.load(std::memory_order_acquire)};
        return made;
    }
};

delivery_counters counters_of(const row& from) noexcept {
    delivery_counters made;
    const auto put = [&from](column what, std::uint64_t& packets, std::uint64_t& octets) {
        packets = from[index_of(what)].packets;
        octets = from[index_of(what)].octets;
    };
    put(column::copies, made.copies, made.copies_octets);
    put(column::delivered, made.delivered, made.delivered_octets);
    put(column::queued, made.queued, made.queued_octets);
    for (std::size_t i = 0; i < drop_cause_count; ++i) {
        const volume& lost = from[index_of(static_cast<drop_cause>(i))];
        made.dropped[i] = lost.packets;
        made.dropped_octets[i] = lost.octets;
    }
    return made;
}

/// No stream has this number: it would be above any limit.
constexpr std::uint32_t none = UINT32_MAX;

/// What is counted for one stream. What a copy that is delivered touches is on one line of the
/// cache.
struct alignas(64) page {
    /// Written by the worker's thread alone, until it is shown. `next` links the pages that have
    /// something to show.
    bool is_noted = false;
    bool has_losses = false; ///< other columns than copies and delivered have something to show
    std::uint32_t next = none;
    row now{};
    open_row shown;
};

/// What one stream did not get of the copies for one criterion.
struct open_loss {
    std::atomic<std::uint32_t> stream{none};
    detail::single_writer_counter packets;
    detail::single_writer_counter octets;
};
using open_losses = std::array<open_loss, delivery_ledger::losses_of_slot>;

/// Whether the content destination was to get what is dropped for this cause.
bool is_loss(drop_cause cause) noexcept {
    return cause != drop_cause::stopped && cause != drop_cause::withdrawn;
}

} // namespace

struct delivery_ledger::state {
    explicit state(std::size_t streams) : pages(streams) {}

    void lose(const copy_origin& origin, stream_id stream, std::uint64_t size) noexcept {
        open_losses* const of = losses ? losses->find(origin.slot.value()) : nullptr;
        if (of == nullptr)
            return;
        for (open_loss& each : *of) {
            const std::uint32_t its = each.stream.load(std::memory_order_relaxed);
            if (its != none && its != stream.value())
                continue;
            each.packets.add(1);
            each.octets.add(size);
            each.stream.store(stream.value(), std::memory_order_release);
            return;
        }
    }

    /// Adds to one column of each copy's stream, and of all.
    void count(std::size_t at, std::span<const copy> copies) noexcept {
        while (!copies.empty()) {
            const stream_id stream = copies.front().stream;
            volume run;
            while (run.packets < copies.size() && copies[run.packets].stream == stream)
                run.octets += copies[run.packets++].packet.size();
            add(at, stream, run);
            copies = copies.subspan(run.packets);
        }
    }

    void add(std::size_t at, stream_id stream, const volume& what) noexcept {
        add_to_all(at, what);
        page* const its = note(stream, at);
        if (its == nullptr)
            return;
        its->now[at].packets += what.packets;
        its->now[at].octets += what.octets;
    }

    /// One copy leaves the queue.
    void leave_queue(stream_id stream, std::uint64_t octets) noexcept {
        // Unsigned numbers wrap: what is added here is taken away.
        add(index_of(column::queued), stream, {~std::uint64_t{0}, std::uint64_t{0} - octets});
    }

    /// The page of a stream that is about to be written to; null if it has none.
    page* note(stream_id stream, std::size_t at) noexcept {
        page* const its = pages.find(stream.value());
        if (its == nullptr)
            return nullptr;
        its->has_losses |= at > index_of(column::delivered);
        if (!its->is_noted) {
            its->is_noted = true;
            its->next = first;
            first = stream.value();
        }
        return its;
    }

    void add_to_all(std::size_t at, const volume& what) noexcept {
        auto& total = all.columns[at];
        total.packets.store(total.packets.load(std::memory_order_relaxed) + what.packets,
                            std::memory_order_relaxed);
        total.octets.store(total.octets.load(std::memory_order_relaxed) + what.octets,
                           std::memory_order_relaxed);
    }

    detail::chunked_array<page, 64> pages;
    /// The first page that has something to show.
    std::uint32_t first = none;
    open_row all;
    /// By slot; null unless asked for.
    std::unique_ptr<detail::chunked_array<open_losses>> losses;
    /// Odd while pages are shown: readers try again (a sequence lock).
    alignas(64) std::atomic<std::uint64_t> version{0};
};

delivery_ledger::delivery_ledger(std::size_t streams) : state_(std::make_unique<state>(streams)) {}
delivery_ledger::~delivery_ledger() = default;

void delivery_ledger::cover(std::size_t streams) {
    state_->pages.cover(streams);
}

void delivery_ledger::count_by_slot(std::size_t slots) {
    state_->losses = std::make_unique<detail::chunked_array<open_losses>>(slots);
}

void delivery_ledger::cover_slots(std::size_t slots) {
    if (state_->losses)
        state_->losses->cover(slots);
}

void delivery_ledger::reset(slot_id slot) noexcept {
    open_losses* const of = state_->losses ? state_->losses->find(slot.value()) : nullptr;
    if (of == nullptr)
        return;
    for (open_loss& each : *of) {
        each.stream.store(none, std::memory_order_relaxed);
        each.packets.reset();
        each.octets.reset();
    }
}

target_drops delivery_ledger::losses(slot_id slot, stream_id stream) const noexcept {
    const open_losses* const of = state_->losses ? state_->losses->find(slot.value()) : nullptr;
    if (of == nullptr)
        return {};
    for (const open_loss& each : *of)
        if (each.stream.load(std::memory_order_acquire) == stream.value())
            return {each.packets.read(), each.octets.read()};
    return {};
}

void delivery_ledger::delivered(std::span<const copy> copies) noexcept {
    state_->count(index_of(column::delivered), copies);
}

void delivery_ledger::dropped(drop_cause cause, std::span<const copy> copies) noexcept {
    state_->count(index_of(cause), copies);
    if (state_->losses && is_loss(cause))
        for (const copy& each : copies)
            state_->lose(each.origin, each.stream, each.packet.size());
}

void delivery_ledger::delivered(stream_id stream, std::uint64_t copies,
                                std::uint64_t octets) noexcept {
    state_->add(index_of(column::delivered), stream, {copies, octets});
}

void delivery_ledger::dropped(drop_cause cause, stream_id stream, std::uint64_t copies,
                              std::uint64_t octets) noexcept {
    state_->add(index_of(cause), stream, {copies, octets});
}

void delivery_ledger::queued(std::span<const copy> copies) noexcept {
    state_->count(index_of(column::queued), copies);
}

void delivery_ledger::unqueued(stream_id stream, std::uint64_t octets) noexcept {
    state_->leave_queue(stream, octets);
}

void delivery_ledger::queued_delivered(stream_id stream, std::uint64_t octets) noexcept {
    state_->leave_queue(stream, octets);
    delivered(stream, 1, octets);
}

void delivery_ledger::queued_dropped(drop_cause cause, stream_id stream, std::uint64_t octets,
                                     const copy_origin& origin) noexcept {
    state_->leave_queue(stream, octets);
    dropped(cause, stream, 1, octets);
    if (is_loss(cause))
        state_->lose(origin, stream, octets);
}

void delivery_ledger::made(std::span<const copy> copies) noexcept {
    state_->count(index_of(column::copies), copies);
}

void delivery_ledger::show() noexcept {
    state& its = *state_;
    if (its.first == none)
        return;
    const std::uint64_t version = its.version.load(std::memory_order_relaxed);
    its.version.store(version + 1, std::memory_order_relaxed);
    while (its.first != none) {
        page& next = its.pages[its.first];
        const std::size_t columns = next.has_losses ? column_count : index_of(column::queued);
        for (std::size_t i = 0; i < columns; ++i)
            next.shown.store(i, next.now[i]);
        its.first = next.next;
        next.is_noted = next.has_losses = false;
    }
    its.version.store(version + 2, std::memory_order_release);
}

delivery_counters delivery_ledger::totals() const noexcept {
    return counters_of(state_->all.load());
}

delivery_counters delivery_ledger::counters(stream_id stream) const noexcept {
    const state& its = *state_;
    const page* const of = its.pages.find(stream.value());
    if (of == nullptr)
        return {};
    for (;;) {
        const std::uint64_t before = its.version.load(std::memory_order_acquire);
        const row read = of->shown.load();
        if (before % 2 == 0 && its.version.load(std::memory_order_relaxed) == before)
            return counters_of(read);
    }
}

} // namespace flowtap::path
