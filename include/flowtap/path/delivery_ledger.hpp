// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <flowtap/core/ids.hpp>
#include <flowtap/path/api.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::path {

/// Where one worker and its sink count what becomes of copies, over all and by stream. Each copy
/// that a sink takes is told once: delivered, dropped, or queued and later one of the others.
///
/// The worker's thread writes. What it has written is shown to other threads by `show`, for each
/// stream as a whole, so that its sums close whenever it is read.
/// Writing allocates nothing. It costs a few additions for each run of copies to one stream.
class FLOWTAP_PATH_API delivery_ledger {
public:
    /// Streams from `streams` on are counted among all, and not by themselves.
    explicit delivery_ledger(std::size_t streams = 0);
    ~delivery_ledger();
    delivery_ledger(const delivery_ledger&) = delete;
    delivery_ledger& operator=(const delivery_ledger&) = delete;

    /// Makes room for the streams below `streams`. For one thread, which may be another than the
    /// writing one: that must learn of the streams after this.
    void cover(std::size_t streams);

    /// Has it counted by criterion, too, what content destinations did not get of what they were
    /// to: copies dropped for any cause but `stopped` and `withdrawn`, unless they were collected.
    /// Slots will be below `slots`.
    /// Before the writing thread begins.
    void count_by_slot(std::size_t slots);
    /// As `cover`, for slots; without `count_by_slot` nothing.
    void cover_slots(std::size_t slots);
    /// What is counted of a slot begins at 0. While no copy of the slot is under way.
    void reset(slot_id slot) noexcept;
    /// What the stream did not get of copies whose origin was this slot; of the first
    /// `losses_of_slot` streams of a slot that lost any. Any thread, at any time.
    target_drops losses(slot_id slot, stream_id stream) const noexcept;
    static constexpr std::size_t losses_of_slot = 4;

    /// For the sink: the copies at the front of what it was given.
    void delivered(std::span<const copy> copies) noexcept;
    void dropped(drop_cause cause, std::span<const copy> copies) noexcept;
    /// The same of copies of one stream that were collected: how many, and their octets.
    void delivered(stream_id stream, std::uint64_t copies, std::uint64_t octets) noexcept;
    void dropped(drop_cause cause, stream_id stream, std::uint64_t copies,
                 std::uint64_t octets) noexcept;
    /// They wait in the sink for their next hop.
    void queued(std::span<const copy> copies) noexcept;
    /// One copy that was queued is about to be given to another sink, which tells what becomes of
    /// it, or is `queued` anew.
    void unqueued(stream_id stream, std::uint64_t octets) noexcept;
    /// One copy that was queued has left; `octets` as those of `copy::packet`.
    void queued_delivered(stream_id stream, std::uint64_t octets) noexcept;
    void queued_dropped(drop_cause cause, stream_id stream, std::uint64_t octets,
                        const copy_origin& origin) noexcept;

    /// For the worker: these copies were taken by its sink, or are dropped before it.
    void made(std::span<const copy> copies) noexcept;
    /// Lets other threads see what was counted for each stream so far.
    void show() noexcept;

    /// Over all streams, without waiting for `show`. Any thread; exact for the writing one, and
    /// between its calls.
    delivery_counters totals() const noexcept;
    /// Of one stream, as it was last shown. Any thread.
    delivery_counters counters(stream_id stream) const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::path
