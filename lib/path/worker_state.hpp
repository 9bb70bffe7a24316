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
#include <flowtap/path/drop_policy.hpp>

#include "admission.hpp"
#include "budgets.hpp"
#include "counters.hpp"
#include "fragment_notes.hpp"
#include "loop_brake.hpp"
#include "outbox.hpp"
#include "plain_run.hpp"
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
    /// No worker reads before this moment of `data_path_options::wall_clock`, in nanoseconds.
    std::atomic<std::int64_t> hold_until{0};

    void tell() const {
        if (news)
            news();
    }
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
    /// The same, for one with drop policies.
    void cover_withheld(std::size_t slots) { withheld.cover(slots); }
    /// The same, for one that asks for all fragments.
    void cover_fragments(const fragment_options& with);

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
    /// Covers slots when there are drop policies.
    detail::chunked_array<detail::drop_count> withheld;
    state* next = nullptr; ///< the worker added before this one

    detail::reader place;

private:
    bool goes_on(const read_result& last) const noexcept;
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
    void decode(std::span<const captured_packet> some) noexcept;
    void keep_run(std::span<const captured_packet> some, const detail::plain_run& run,
                  const interface_binding& binding) noexcept;
    std::uint64_t take_own(const own_traffic& own, std::span<const captured_packet> run) noexcept;
    void count_own(const captured_packet& captured) noexcept;
    void put(const packet_key& key, const detail::packet_body& body) noexcept;
    const detail::packet_body& body_of(std::size_t index) noexcept;
    bool decode_other(const captured_packet& captured, int& vlan) noexcept;
    void set_place(const captured_packet& captured, packet::packet_view& view) const noexcept;
    bool is_sent_cut_short(const packet::packet_view& view) const noexcept {
        return view.what == packet::verdict::cut_short &&
               options.cut_short == cut_short_packets::send;
    }
    void take_frame(const captured_packet& captured) noexcept;
    void abandon(std::size_t done) noexcept;
    void abandon(const detail::packet_body& body) noexcept;
    std::size_t match(std::size_t first) noexcept;
    std::size_t copy_matched(std::size_t first, std::size_t count) noexcept;
    const action* count_match(slot_id slot, std::uint32_t index,
                              const detail::packet_body& body) noexcept;
    bool withholds(const action& what, std::uint32_t index) noexcept;
    void count_withheld(slot_id slot, const detail::packet_body& body) noexcept;
    bool draw(slot_id slot, std::uint32_t octets) noexcept;
    bool drop_budgets() noexcept;
    bool must_hold_budgets() const noexcept;
    void tap(std::span<const slot_id> slots, std::uint32_t index,
             const detail::packet_body& body) noexcept;
    void count_tapped(const detail::packet_body& body) noexcept;
    bool tap_unlimited(std::span<const slot_id> slots, std::uint32_t index,
                       const detail::packet_body& body) noexcept;
    bool tap_limited(std::span<const slot_id> slots, std::uint32_t index,
                     const detail::packet_body& body) noexcept;
    void copy_limited(std::uint32_t index, const detail::packet_body& body) noexcept;
    std::size_t room_of(copy_group_id group) const noexcept;
    void copy_for(slot_id slot, const action* what, std::uint32_t index,
                  const detail::packet_body& body, std::size_t& room) noexcept;
    void count_drop(slot_id slot, std::size_t target, std::uint32_t octets) noexcept;
    std::uint16_t next_identification() noexcept;
    void new_stamp() noexcept;
    const action* action_of(slot_id slot, std::uint64_t number) const noexcept;
    std::uint64_t matched_with(const detail::packet_body& body) const noexcept {
        const bool is_fragment = body.note != 0 && body.note != detail::frame_note;
        return is_fragment ? fragments_->generation(body.note) : matched_with_;
    }

    void begin_fragments() noexcept;
    bool decode_beside(const captured_packet& captured, packet::packet_view& view) noexcept;
    bool follow(const captured_packet& captured, packet::packet_view& view) noexcept;
    void count_kept(const detail::fragment_notes::early_sum& what) noexcept;
    std::uint32_t note_first(const captured_packet& captured, packet::packet_view& view) noexcept;
    void abandon_early(std::size_t done) noexcept;
    void tap_early(std::span<const slot_id> slots, std::uint32_t index,
                   std::uint32_t note) noexcept;

    void hand_over() noexcept;
    bool wait_for_room() noexcept;
    void refresh_waiting() noexcept;
    void drop_stream(stream_id full) noexcept;
    void drop_waiting(drop_cause cause) noexcept;
    void drop(drop_cause cause, std::span<const copy> what) noexcept;
    void show_counters() noexcept;
    void brake() noexcept;
    void wait_for_hold() noexcept;
    bool is_loop(std::size_t packet) noexcept {
        const detail::packet_body& body = body_of(packet);
        return brake_ != nullptr && body.total_length >= detail::loop_brake::shortest_carrier &&
               !brake_->admit(keys_[packet], body.time);
    }

    /// The snapshot in use, between entering and leaving only.
    const detail::published* now_ = nullptr;
    /// The generation with which `found_` was made, and the packet of the batch that is its first.
    std::uint64_t matched_with_ = 0;
    std::size_t matched_from_ = 0;
    /// The generation that the copies queued by the sink were last held against.
    std::uint64_t reviewed_ = 0;

    const std::function<steady_time()> clock_;
    const std::function<wall_time()> wall_clock_;
    const std::function<void(std::chrono::nanoseconds)> pause_;
    /// Null for a source that can wait.
    std::unique_ptr<detail::loop_brake> brake_;
    bool refuses_ = false; ///< the packet at hand is part of a loop
    /// When the batch began, or the worker came back from waiting for room.
    steady_time time_;

    std::vector<captured_packet> batch_;
    detail::admission admission_;
    /// The packets of the batch that filters look at.
    std::vector<packet_key> keys_;
    /// Of plain packets where they were captured, of others null; what is in `bodies_` holds then.
    std::vector<const captured_packet*> origins_;
    std::vector<detail::packet_body> bodies_;
    std::size_t kept_ = 0;
    filter::plain_headers headers_;
    /// IP packets so far that filters looked at, or could have.
    std::uint64_t all_kept_ = 0;
    std::uint64_t all_kept_octets_ = 0;
    /// Made by the control side; to be looked at after a snapshot that asks for it.
    std::unique_ptr<detail::fragment_notes> fragments_;
    /// The snapshot with which the batch began asks for all fragments; some snapshot did.
    bool follows_fragments_ = false;
    bool has_followed_ = false;
    /// For what drop policies are asked, and whether one withheld the packet at hand.
    filter::match_buffer policy_room_ = drop_policy::make_room();
    bool is_withheld_ = false;
    /// The last frame of the batch that was tapped as a whole.
    byte_view tapped_frame_;
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
