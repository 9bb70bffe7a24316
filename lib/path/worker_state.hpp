// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "admission.hpp"
#include "budgets.hpp"
#include "counters.hpp"
#include "outbox.hpp"
#include "publication.hpp"
#include "slot_pool.hpp"

namespace flowtap::path {

namespace detail {

/// What the control side and its workers share.
struct common {
    explicit common(const data_path_options& options)
        : slots(options.slots), budgets(options.slots) {}

    publication snapshots;
    slot_pool slots;
    detail::budgets budgets;
    /// Tells the control side that there is something to look at.
    std::function<void()> news;

    void tell() const {
        if (news)
            news();
    }
};

/// What remains of a captured packet once its key is taken out: what a copy is made of.
struct packet_body {
    byte_view octets;
    std::uint32_t total_length = 0;
    std::uint32_t wire_length = 0;
    wall_time time;
};

/// A criterion of a group with a limit that a packet matched. Made in plain memory: of the room for
/// all there can be, only what is used is touched.
struct limited_match {
    std::uint64_t rank;
    std::uint32_t slot;
    std::uint8_t group;
};
static_assert(std::is_trivially_default_constructible_v<limited_match>);

} // namespace detail

/// Everything a worker has. Its own thread works on it; the control side reads `shown`, `counts`
/// and `ledger` and lets `counts`, `ledger` and `stamps` grow.
struct worker::state final : private copy_review {
    state(detail::common& shared, const data_path_options& limits, std::unique_ptr<source> from,
          std::unique_ptr<sink> to, const worker_options& with);

    /// Makes room for what a snapshot to be published needs. For the control side.
    void cover(std::size_t slots, std::size_t streams);
    /// The same, for one with limits on copies.
    void cover_drops(std::size_t slots) { drops.cover(slots); }

    source_state run_once() noexcept;
    /// Has the copies that the sink has queued sent, or dropped, when there are no more packets.
    void finish() noexcept;
    bool stopping() const noexcept { return stop.load(std::memory_order_relaxed); }

    detail::common& common;
    /// Outlives the sink, which writes to it.
    delivery_ledger ledger;
    const std::unique_ptr<source> packets;
    const std::unique_ptr<sink> copies;
    const worker_options options;
    std::atomic<bool> stop{false};
    detail::counter_board shown;
    detail::chunked_array<detail::slot_count> counts;
    /// Covers slots when there are limits on copies.
    detail::chunked_array<detail::slot_drops> drops;
    state* next = nullptr; ///< the worker added before this one

    detail::reader place;

private:
    void process(std::size_t count) noexcept;
    void enter() noexcept;
    void leave() noexcept;
    void tend_queue() noexcept;
    void empty_queue() noexcept;
    bool wants(const copy_origin& from, stream_id stream) const noexcept override;
    void look_at_clock() noexcept { time_ = clock_(); }
    std::size_t admit(std::size_t count) noexcept;
    void end_batch(std::size_t first) noexcept;
    void decode(std::size_t count) noexcept;
    bool decode_other(const captured_packet& captured, int& vlan) noexcept;
    std::size_t match(std::size_t first) noexcept;
    std::size_t copy_matched(std::size_t first, std::size_t count) noexcept;
    bool count_match(slot_id slot, std::uint32_t octets) noexcept;
    bool draw(slot_id slot, std::uint32_t octets) noexcept;
    bool drop_budgets() noexcept;
    bool must_hold_budgets() const noexcept;
    bool tap(std::span<const slot_id> slots, std::uint32_t index,
             const detail::packet_body& body) noexcept;
    bool tap_limited(std::span<const slot_id> slots, std::uint32_t index,
                     const detail::packet_body& body) noexcept;
    void copy_limited(std::uint32_t index, const detail::packet_body& body) noexcept;
    std::size_t room_of(copy_group_id group) const noexcept;
    void copy_for(slot_id slot, std::uint32_t index, const detail::packet_body& body,
                  std::size_t& room) noexcept;
    void count_drop(slot_id slot, std::size_t target, std::uint32_t octets) noexcept;
    std::uint16_t next_identification() noexcept;
    void new_stamp() noexcept;
    const action* action_of(slot_id slot, std::uint64_t matched_with) const noexcept;

    void hand_over() noexcept;
    bool wait_for_room() noexcept;
    void refresh_waiting() noexcept;
    void drop_stream(stream_id full) noexcept;
    void drop_waiting(drop_cause cause) noexcept;
    void drop(drop_cause cause, std::span<const copy> what) noexcept;
    void show_counters() noexcept;

    /// The snapshot in use, between entering and leaving only.
    const detail::published* now_ = nullptr;
    /// The generation with which `found_` was made.
    std::uint64_t matched_with_ = 0;
    /// The generation that the copies queued by the sink were last held against.
    std::uint64_t reviewed_ = 0;

    const std::function<steady_time()> clock_;
    /// When the batch began, or the worker came back from waiting for room.
    steady_time time_;

    std::vector<captured_packet> batch_;
    detail::admission admission_;
    /// The packets of the batch that filters look at.
    std::vector<packet_key> keys_;
    std::vector<detail::packet_body> bodies_;
    std::size_t kept_ = 0;
    /// Packets that were kept so far, for filters to look at.
    std::uint64_t all_kept_ = 0;
    std::uint64_t all_kept_octets_ = 0;
    filter::match_buffer found_;
    detail::outbox outbox_;

    /// The slots whose budgets the worker holds; room for all there are.
    std::unique_ptr<std::uint32_t[]> held_;
    std::size_t held_count_ = 0;
    steady_time held_since_; ///< when the first of them was taken

    /// The criteria with a limit that one packet matched; room for all there are.
    std::unique_ptr<detail::limited_match[]> limited_;
    std::size_t limited_count_ = 0;

    /// By stream: the stamp of the last packet that was copied to it.
    detail::chunked_array<std::uint32_t> stamps_;
    std::uint32_t stamp_ = 0;
    std::uint16_t identification_ = 0;
    std::optional<steady_time> deadline_;

    /// All but what became of copies, which is in the ledger, and what the source has counted.
    path_counters totals_;
};

} // namespace flowtap::path
