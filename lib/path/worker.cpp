// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <flowtap/path/data_path.hpp>

#include "worker_state.hpp"

namespace flowtap::path {

namespace {

/// Copies that are handed over in one call of a sink.
constexpr std::size_t outbox_room = 256;

/// From how many packets on a source is not read again before the worker looks around, while the
/// sink collects copies.
constexpr std::size_t most_packets = 65'536;

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
      options(with), counts(limits.slots), drops(limits.slots), withheld(limits.slots),
      clock_(limits.clock), wall_clock_(limits.wall_clock), pause_(limits.pause),
      brake_(with.loop_brake && packets->when_full() == backpressure::drop
                 ? std::make_unique<detail::loop_brake>()
                 : nullptr),
      batch_(std::max<std::size_t>(with.batch, 1)), admission_(batch_.size()),
      keys_(2 * batch_.size()), origins_(2 * batch_.size()), bodies_(2 * batch_.size()),
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
    read_result got = packets->read(batch_);
    if (got.count != 0 || copies->queued() != 0 || held_count_ != 0) {
        enter();
        process(got.count);
        for (std::size_t done = 0; done < most_packets && goes_on(got);) {
            got = packets->read(batch_);
            process(got.count);
            done += std::max<std::size_t>(got.count, 1);
        }
        leave();
        if (brake_ != nullptr && brake_->is_testing())
            brake();
    }
    show_counters();
    return got.state;
}

/// Whether the next packets are taken for the same batch: as long as the sink collects copies, and
/// nobody is kept waiting by it.
bool worker::state::goes_on(const read_result& last) const noexcept {
    return last.state == source_state::ready && copies->has_collected() && !packets->may_wait() &&
           packets->when_full() == backpressure::wait && held_count_ == 0 && !stopping() &&
           common.snapshots.is_current(*now_);
}

void worker::state::process(std::size_t count) noexcept {
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
    copies->flush();
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

/// Packets from `done` on, which no filter looked at.
void worker::state::abandon(std::size_t done) noexcept {
    for (std::size_t i = done; i < kept_; ++i)
        if (const detail::packet_body& body = body_of(i); body.note != detail::frame_note)
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
    copies->flush();
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
            const action* asked = action_of(slot, matched_with(body_of(matched_from_ + packet)));
            if (asked == nullptr || withholds(*asked, packet))
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
