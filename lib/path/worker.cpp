// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include <flowtap/packet/plain.hpp>
#include <flowtap/path/data_path.hpp>

#include "interface_lookup.hpp"
#include "worker_state.hpp"

namespace flowtap::path {

namespace {

/// Copies that are handed over in one call of a sink.
constexpr std::size_t outbox_room = 256;

/// The longest a worker waits for packets or room without looking around.
constexpr std::chrono::milliseconds idle_limit{1000};
constexpr std::chrono::milliseconds full_limit{100};
/// The same while a sink has queued copies.
constexpr std::chrono::milliseconds queue_limit{10};

/// What a packet takes in the kernel's buffer beside its octets, or more.
constexpr std::uint64_t header_in_buffer = 128;

/// The longest a criterion whose budget is used up is kept from ending by copies in a queue, which
/// may belong to others.
constexpr std::chrono::seconds budget_hold_limit{4};

constexpr std::size_t index_of(auto value) noexcept {
    return static_cast<std::size_t>(value);
}

bool is_part_of(byte_view part, byte_view whole) noexcept {
    const std::less<const std::byte*> before;
    return !before(part.data(), whole.data()) && before(part.data(), whole.data() + whole.size());
}

/// What there is to say of queued copies when the access point stops.
class nothing_wanted final : public copy_review {
public:
    bool wants(const copy_origin&, stream_id) const noexcept override { return false; }
};

} // namespace

worker::state::state(detail::common& shared, const data_path_options& limits,
                     std::unique_ptr<source> from, std::unique_ptr<sink> to,
                     const worker_options& with)
    : common(shared), ledger(limits.streams), packets(std::move(from)), copies(std::move(to)),
      options(with), counts(limits.slots), drops(limits.slots), clock_(limits.clock),
      wall_clock_(limits.wall_clock), pause_(limits.pause),
      brake_(with.loop_brake && packets->when_full() == backpressure::drop
                 ? std::make_unique<detail::loop_brake>()
                 : nullptr),
      batch_(std::max<std::size_t>(with.batch, 1)), admission_(batch_.size()),
      keys_(2 * batch_.size()), bodies_(2 * batch_.size()),
      found_(batch_.size(), std::max(limits.slots, batch_.size())), outbox_(outbox_room),
      held_(std::make_unique_for_overwrite<std::uint32_t[]>(counts.capacity())),
      limited_(std::make_unique_for_overwrite<detail::limited_match[]>(counts.capacity())),
      stamps_(limits.streams) {
    copies->report_to(ledger);
}

void worker::state::cover(std::size_t slots, std::size_t streams) {
    counts.cover(slots);
    stamps_.cover(streams);
    ledger.cover(streams);
}

source_state worker::state::run_once() noexcept {
    wait_for_hold();
    const read_result got = packets->read(batch_);
    if (got.count != 0 || copies->queued() != 0 || held_count_ != 0)
        process(got.count);
    show_counters();
    return got.state;
}

void worker::state::process(std::size_t count) noexcept {
    enter();
    begin_fragments();
    totals_.seen += count;
    decode(admit(count));
    std::size_t done = 0;
    while (done < kept_ && !stopping()) {
        done += copy_matched(done, match(done));
        hand_over();
    }
    end_batch(done);
    // A source that can wait does: it may block in its next read, and copies must not stay behind.
    if (packets->when_full() == backpressure::wait)
        empty_queue();
    leave();
    if (brake_ != nullptr && brake_->is_testing())
        brake();
}

/// Has all workers hold still for the moment that the brake asks for: copies of others may feed the
/// flow, too.
void worker::state::brake() noexcept {
    const wall_time now = wall_clock_();
    std::uint64_t octets = totals_.sampled_out_octets + totals_.seen * header_in_buffer;
    for (const std::uint64_t each : totals_.decoded_octets)
        octets += each;
    const auto pause = brake_->end_of_batch(now, octets);
    if (pause.count() != 0)
        common.hold_until.store((now + pause).time_since_epoch().count(),
                                std::memory_order_relaxed);
}

void worker::state::wait_for_hold() noexcept {
    const std::int64_t until = common.hold_until.load(std::memory_order_relaxed);
    if (until == 0 || brake_ == nullptr)
        return;
    while (!stopping()) {
        const std::int64_t left = until - wall_clock_().time_since_epoch().count();
        // A clock that was set back does not hold anybody.
        if (left <= 0 || left > detail::loop_brake::longest_moment.count())
            return;
        pause_(std::min<std::chrono::nanoseconds>(queue_limit, std::chrono::nanoseconds(left)));
    }
}

void worker::state::enter() noexcept {
    now_ = &common.snapshots.enter(place);
    look_at_clock();
    tend_queue();
}

void worker::state::leave() noexcept {
    const bool is_news = must_hold_budgets() ? false : drop_budgets();
    now_ = nullptr;
    common.snapshots.leave(place);
    if (is_news)
        common.tell();
}

/// Lets go of queued copies that nobody asks for any more, then has the others sent.
void worker::state::tend_queue() noexcept {
    if (copies->queued() == 0) {
        reviewed_ = now_->number;
        return;
    }
    if (reviewed_ != now_->number) {
        copies->withdraw(*this, drop_cause::withdrawn);
        reviewed_ = now_->number;
    }
    copies->advance();
}

bool worker::state::wants(const copy_origin& from, stream_id stream) const noexcept {
    const action* asked = action_of(from.slot, from.matched_with);
    return asked != nullptr &&
           std::ranges::find(asked->targets, stream, &copy_target::stream) != asked->targets.end();
}

/// Waits until the sink has queued nothing, as long as a stop allows.
void worker::state::empty_queue() noexcept {
    while (copies->queued() != 0) {
        if (!wait_for_room())
            copies->withdraw(nothing_wanted(), drop_cause::stopped);
    }
}

void worker::state::finish() noexcept {
    if (copies->queued() != 0 || held_count_ != 0) {
        enter();
        empty_queue();
        leave();
    }
    show_counters();
}

/// A budget that is used up ends its criterion, and with it the copies that are queued.
bool worker::state::must_hold_budgets() const noexcept {
    return held_count_ != 0 && copies->queued() != 0 && time_ - held_since_ < budget_hold_limit;
}

/// The batch ends here: what was kept from `first` on no filter has looked at, and what no
/// criterion matched of the rest is counted.
void worker::state::end_batch(std::size_t first) noexcept {
    if (first != kept_)
        abandon(first);
    const std::uint64_t tapped = totals_.tapped - totals_.frames_alone;
    const std::uint64_t tapped_octets = totals_.tapped_octets - totals_.frames_alone_octets;
    totals_.untapped = all_kept_ - tapped - totals_.abandoned;
    totals_.untapped_octets = all_kept_octets_ - tapped_octets - totals_.abandoned_octets;
}

/// Returns how many packets at the front of the batch are to be decoded.
std::size_t worker::state::admit(std::size_t count) noexcept {
    const input_gates* gates = now_->what.gates.get();
    if (gates == nullptr || gates->empty())
        return count;
    const auto done = admission_.pass(std::span(batch_).first(count), *gates, time_);
    totals_.sampled_out += count - done.passed;
    totals_.sampled_out_octets += done.octets_left_out;
    return done.passed;
}

void worker::state::decode(std::size_t count) noexcept {
    kept_ = 0;
    tapped_frame_ = {};
    const std::span<const captured_packet> all = std::span(batch_).first(count);
    if (!now_->sees_frames)
        return decode(all);
    // Each frame as a whole first, for criteria of family ccc, then the IP packet in it for others.
    for (const captured_packet& captured : all) {
        take_frame(captured);
        decode(std::span(&captured, 1));
    }
}

/// Decodes packets straight to where the classifier reads their keys: to copy a key that was just
/// written costs more than to decode it.
void worker::state::decode(std::span<const captured_packet> some) noexcept {
    const std::size_t kept_before = kept_;
    std::uint64_t plain = 0;
    std::uint64_t plain_octets = 0;
    std::uint64_t kept_octets = 0;
    const own_traffic* own = now_->what.own.get();
    detail::interface_lookup interfaces(now_->what.interfaces.get());
    for (const captured_packet& captured : some) {
        packet_key& key = keys_[kept_];
        int vlan = -1;
        if (packet::plain_packet found;
            packet::decode_plain(captured.link, captured.frame, key, found)) {
            ++plain;
            plain_octets += captured.wire_length;
            bodies_[kept_] = {found.ip, found.total_length, captured.wire_length, captured.time, 0};
        } else if (!decode_other(captured, vlan)) {
            continue;
        }
        const interface_binding& binding = interfaces.find(captured.port, vlan);
        key.interface = binding.interface;
        key.vrf = binding.vrf;
        key.way = captured.way;
        if (own != nullptr && own->contains(key)) {
            ++totals_.own;
            totals_.own_octets += captured.wire_length;
            continue;
        }
        ++kept_;
        kept_octets += captured.wire_length;
    }
    all_kept_ += kept_ - kept_before;
    all_kept_octets_ += kept_octets;
    totals_.decoded[index_of(packet::verdict::ip)] += plain;
    totals_.decoded_octets[index_of(packet::verdict::ip)] += plain_octets;
}

/// Decodes a packet of any kind as the next one that is kept. Returns false if filters do not look
/// at such a packet.
bool worker::state::decode_other(const captured_packet& captured, int& vlan) noexcept {
    packet::packet_view view;
    packet::decode(captured.link, captured.frame, captured.wire_length, view);
    ++totals_.decoded[index_of(view.what)];
    totals_.decoded_octets[index_of(view.what)] += captured.wire_length;
    vlan = view.vlan;
    if (view.what != packet::verdict::ip && !is_sent_cut_short(view))
        return follows_fragments_ && decode_beside(captured, view);
    const bool is_first = view.more_fragments && follows_fragments_;
    const std::uint32_t note = is_first ? note_first(captured, view) : 0;
    keys_[kept_] = view.key;
    bodies_[kept_] = {view.ip, view.total_length, captured.wire_length, captured.time, note};
    return true;
}

/// Where the packet was seen.
void worker::state::set_place(const captured_packet& captured,
                              packet::packet_view& view) const noexcept {
    if (const interface_map* interfaces = now_->what.interfaces.get(); interfaces != nullptr) {
        const interface_binding binding = interfaces->find(captured.port, view.vlan);
        view.key.interface = binding.interface;
        view.key.vrf = binding.vrf;
    }
    view.key.way = captured.way;
}

/// Packets from `done` on, which no filter looked at.
void worker::state::abandon(std::size_t done) noexcept {
    for (const detail::packet_body& body : std::span(bodies_).subspan(done, kept_ - done))
        if (body.note != detail::frame_note)
            abandon(body);
    if (follows_fragments_)
        abandon_early(done);
}

void worker::state::abandon(const detail::packet_body& body) noexcept {
    ++totals_.abandoned;
    totals_.abandoned_octets += body.wire_length;
}

/// Matches the packets from `first` on. Returns how many it did: one at least, since there is room
/// for the matches of as many criteria as there are slots.
std::size_t worker::state::match(std::size_t first) noexcept {
    matched_with_ = now_->number;
    matched_from_ = first;
    const std::size_t done =
        now_->what.criteria->match(std::span(keys_).subspan(first, kept_ - first), found_);
    if (follows_fragments_ && fragments_->any())
        fragments_->decide(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(done),
                           found_, matched_with_);
    return done;
}

/// Makes the copies of `count` matched packets. Returns how many it did: all, unless it had to
/// stop.
std::size_t worker::state::copy_matched(std::size_t first, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        const std::span<const slot_id> slots = found_.matches(i);
        if (slots.empty())
            continue;
        if (stopping())
            return i;
        const detail::packet_body& body = bodies_[first + i];
        refuses_ = is_loop(first + i);
        const auto index = static_cast<std::uint32_t>(i);
        tap(slots, index, body);
        if (body.note != 0)
            tap_early(slots, index, body.note);
    }
    return count;
}

/// Counts and copies one packet for all its criteria.
void worker::state::tap(std::span<const slot_id> slots, std::uint32_t index,
                        const detail::packet_body& body) noexcept {
    new_stamp();
    const bool tapped = now_->what.copy_limits.empty() ? tap_unlimited(slots, index, body)
                                                       : tap_limited(slots, index, body);
    if (tapped)
        count_tapped(body);
}

/// A packet counts once, be it tapped as a frame, as the IP packet in it, or as both.
void worker::state::count_tapped(const detail::packet_body& body) noexcept {
    if (body.note == detail::frame_note) {
        tapped_frame_ = body.octets;
        ++totals_.frames_alone;
        totals_.frames_alone_octets += body.wire_length;
    } else if (!tapped_frame_.empty() && is_part_of(body.octets, tapped_frame_)) {
        tapped_frame_ = {};
        --totals_.frames_alone;
        totals_.frames_alone_octets -= body.wire_length;
        return;
    }
    ++totals_.tapped;
    totals_.tapped_octets += body.wire_length;
}

/// Returns whether there were any criteria.
bool worker::state::tap_unlimited(std::span<const slot_id> slots, std::uint32_t index,
                                  const detail::packet_body& body) noexcept {
    std::size_t room = SIZE_MAX;
    bool tapped = false;
    for (const slot_id slot : slots) {
        if (!count_match(slot, body))
            continue;
        tapped = true;
        copy_for(slot, index, body, room);
    }
    return tapped;
}

/// The same where groups have limits: first the criteria without one, then the others in turn.
bool worker::state::tap_limited(std::span<const slot_id> slots, std::uint32_t index,
                                const detail::packet_body& body) noexcept {
    std::size_t room = SIZE_MAX;
    bool tapped = false;
    limited_count_ = 0;
    for (const slot_id slot : slots) {
        if (!count_match(slot, body))
            continue;
        tapped = true;
        const action* what = action_of(slot, matched_with(body));
        if (what != nullptr && room_of(what->group) != SIZE_MAX)
            limited_[limited_count_++] = {what->rank, slot.value(), what->group.value()};
        else
            copy_for(slot, index, body, room);
    }
    copy_limited(index, body);
    return tapped;
}

/// How many copies of a packet a group gets; SIZE_MAX without a limit.
std::size_t worker::state::room_of(copy_group_id group) const noexcept {
    const auto& limits = now_->what.copy_limits;
    return group.value() == 0 || group.value() >= limits.size() ? SIZE_MAX : limits[group.value()];
}

/// Sorted, so that many criteria cost little more than each of them: a packet may match all.
void worker::state::copy_limited(std::uint32_t index, const detail::packet_body& body) noexcept {
    const std::span all(limited_.get(), limited_count_);
    std::ranges::sort(all, {}, [](const detail::limited_match& each) {
        return std::tuple(each.group, each.rank, each.slot);
    });
    std::uint8_t group = 0;
    std::size_t room = 0;
    for (const detail::limited_match& each : all) {
        if (each.group != group) {
            group = each.group;
            room = room_of(copy_group_id(group));
        }
        copy_for(slot_id(each.slot), index, body, room);
    }
}

/// Null when the criterion that was matched with the snapshot `number` is no longer in force.
const action* worker::state::action_of(slot_id slot, std::uint64_t number) const noexcept {
    if (!common.slots.of(slot).covers(number))
        return nullptr;
    return now_->what.actions.find(slot);
}

bool worker::state::count_match(slot_id slot, const detail::packet_body& body) noexcept {
    const std::uint32_t octets = body.total_length;
    const detail::tenure its = common.slots.of(slot);
    if (!its.covers(matched_with(body)) || now_->what.actions.find(slot) == nullptr)
        return false;
    if (its.has_budget() && !draw(slot, octets))
        return false;
    detail::slot_count& count = counts[slot.value()];
    count.packets.add(1);
    count.octets.add(octets);
    count.last_match.set(time_);
    return true;
}

/// Takes one packet from the budget of a criterion, and holds the budget until `drop_budgets`.
bool worker::state::draw(slot_id slot, std::uint32_t octets) noexcept {
    detail::budget& left = common.budgets[slot];
    if (left.used_up())
        return false;
    detail::slot_count& count = counts[slot.value()];
    if (!count.holds_budget) {
        common.budgets.hold(slot);
        count.holds_budget = true;
        if (held_count_ == 0)
            held_since_ = time_;
        held_[held_count_++] = slot.value();
    }
    return left.draw(octets);
}

/// Called when every copy is handed over. Returns whether budgets are used up that are to be told.
bool worker::state::drop_budgets() noexcept {
    if (held_count_ == 0)
        return false;
    show_counters();
    bool is_news = false;
    for (const std::uint32_t slot : std::span(held_.get(), held_count_)) {
        counts[slot].holds_budget = false;
        is_news = common.budgets.drop(slot_id(slot)) || is_news;
    }
    held_count_ = 0;
    return is_news;
}

/// Copies one packet to the targets of one criterion that have not got it yet, as long as there is
/// room for copies, and takes them from it; counts those that there is no room for.
void worker::state::copy_for(slot_id slot, std::uint32_t index, const detail::packet_body& body,
                             std::size_t& room) noexcept {
    for (std::size_t i = 0;; ++i) {
        if (outbox_.full())
            hand_over();
        // Looked up each time: the snapshot may have changed while the worker waited for room.
        const action* what = action_of(slot, matched_with(body));
        if (what == nullptr || stopping() || i >= what->targets.size())
            return;
        const copy_target& target = what->targets[i];
        std::uint32_t& stamp = stamps_[target.stream.value()];
        if (stamp == stamp_)
            continue;
        if (room == 0) {
            count_drop(slot, i, body.total_length);
            continue;
        }
        --room;
        stamp = stamp_;
        const copy made{&target.header,
                        body.octets,
                        target.stream,
                        target.egress,
                        next_identification(),
                        body.time,
                        {slot, matched_with(body)}};
        if (refuses_)
            drop(drop_cause::looped, std::span(&made, 1));
        else
            outbox_.put(made, index);
    }
}

void worker::state::count_drop(slot_id slot, std::size_t target, std::uint32_t octets) noexcept {
    detail::drop_count& count = drops[slot.value()][target];
    count.packets.add(1);
    count.octets.add(octets);
}

std::uint16_t worker::state::next_identification() noexcept {
    if (++identification_ == 0)
        ++identification_;
    return identification_;
}

void worker::state::new_stamp() noexcept {
    if (++stamp_ != 0)
        return;
    stamps_.fill(0);
    stamp_ = 1;
}

void worker::state::hand_over() noexcept {
    while (!outbox_.empty()) {
        const std::span<const copy> waiting = outbox_.waiting();
        const std::size_t taken = std::min(copies->consume(waiting), waiting.size());
        ledger.made(waiting.first(taken));
        outbox_.taken(taken);
        if (outbox_.empty())
            return;
        if (packets->when_full() == backpressure::drop && !stopping())
            drop_stream(outbox_.waiting().front().stream);
        else if (!wait_for_room())
            drop_waiting(drop_cause::stopped);
    }
}

/// Waits for the sink, offline meanwhile, so that the control side need not wait for the sink too.
/// Returns false when the worker has to stop.
bool worker::state::wait_for_room() noexcept {
    auto limit = full_limit;
    if (stopping()) {
        const steady_time time = std::chrono::steady_clock::now();
        if (!deadline_)
            deadline_ = time + options.stop_limit;
        if (time >= *deadline_)
            return false;
        limit = std::min(limit, std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - time));
    }
    if (copies->queued() != 0)
        limit = std::min(limit, queue_limit);
    show_counters();
    common.snapshots.leave(place);
    copies->wait(limit);
    enter();
    refresh_waiting();
    return true;
}

/// The snapshot that the waiting copies point into may be gone: each is taken from the current one
/// anew, and dropped when no criterion asks for it any more.
void worker::state::refresh_waiting() noexcept {
    outbox_.filter([this](copy& what, std::uint32_t packet) {
        for (const slot_id slot : found_.matches(packet)) {
            const action* asked = action_of(slot, matched_with(bodies_[matched_from_ + packet]));
            if (asked == nullptr)
                continue;
            const auto target =
                std::ranges::find(asked->targets, what.stream, &copy_target::stream);
            if (target == asked->targets.end())
                continue;
            what.header = &target->header;
            what.egress = target->egress;
            return true;
        }
        drop(drop_cause::withdrawn, std::span(&what, 1));
        return false;
    });
}

/// Drops all waiting copies of a stream that the sink has no room for. Those of other streams may
/// have room, and are to be offered again. (Were only those at the front dropped, a full stream
/// among others would have each copy of these offered alone.)
void worker::state::drop_stream(stream_id full) noexcept {
    outbox_.filter([this, full](const copy& what, std::uint32_t) {
        if (what.stream != full)
            return true;
        drop(drop_cause::sink_full, std::span(&what, 1));
        return false;
    });
}

void worker::state::drop_waiting(drop_cause cause) noexcept {
    drop(cause, outbox_.waiting());
    outbox_.clear();
}

/// Counts copies that are dropped before a sink took them.
void worker::state::drop(drop_cause cause, std::span<const copy> what) noexcept {
    ledger.made(what);
    ledger.dropped(cause, what);
}

void worker::state::show_counters() noexcept {
    path_counters all = totals_;
    all.filtered = packets->filtered();
    all.lost = packets->lost();
    all.seen += all.filtered;
    all.seen_octets = all.sampled_out_octets;
    for (const std::uint64_t octets : all.decoded_octets)
        all.seen_octets += octets;
    const std::uint64_t tapped = all.tapped - all.frames_alone;
    const std::uint64_t tapped_octets = all.tapped_octets - all.frames_alone_octets;
    all.pending = all_kept_ - tapped - all.untapped - all.abandoned;
    all.pending_octets =
        all_kept_octets_ - tapped_octets - all.untapped_octets - all.abandoned_octets;
    static_cast<delivery_counters&>(all) = ledger.totals();
    if (has_followed_)
        all.fragments = fragments_->counters();
    shown.show(all);
    ledger.show();
}

worker::worker(std::unique_ptr<state> with) : state_(std::move(with)) {}
worker::~worker() = default;

worker::outcome worker::run() {
    const outcome how = work();
    state_->finish();
    return how;
}

worker::outcome worker::work() noexcept {
    while (!state_->stopping()) {
        switch (state_->run_once()) {
        case source_state::ready:
            break;
        case source_state::idle:
            state_->packets->wait(state_->copies->queued() != 0 ? queue_limit : idle_limit);
            break;
        case source_state::finished:
            return state_->stopping() ? outcome::stopped : outcome::finished;
        case source_state::failed:
            return outcome::failed;
        }
    }
    return outcome::stopped;
}

source_state worker::run_once() noexcept {
    return state_->run_once();
}

void worker::request_stop() noexcept {
    state_->stop.store(true, std::memory_order_relaxed);
    state_->packets->interrupt();
}

path_counters worker::counters() const noexcept {
    return state_->shown.read();
}

delivery_counters worker::counters(stream_id stream) const noexcept {
    return state_->ledger.counters(stream);
}

const source& worker::packets() const noexcept {
    return *state_->packets;
}

const sink& worker::copies() const noexcept {
    return *state_->copies;
}

} // namespace flowtap::path
