// SPDX-License-Identifier: Apache-2.0
//
// The worker's side of egress bindings.
#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <flowtap/path/delivery_ledger.hpp>

#include "egress_members.hpp"

namespace flowtap::deliver::detail {

namespace {

using path::copy;
using path::drop_cause;

/// Copies that are sorted at a time.
constexpr std::size_t window = 256;
/// So many copies in a row for one binding are worth a call of their own.
constexpr std::size_t long_run = 64;
/// How long one binding is waited for while others have something to do, too.
constexpr std::chrono::milliseconds shared_wait{1};

using numbers = binding_board::words;

/// Adds what was counted between two moments.
void add_difference(numbers& to, const path::delivery_counters& after,
                    const path::delivery_counters& before) noexcept {
    const auto more = std::bit_cast<numbers>(after);
    const auto less = std::bit_cast<numbers>(before);
    for (std::size_t i = 0; i < to.size(); ++i)
        to[i] += more[i] - less[i];
}

/// What is to be said of the queue of a binding that is no more.
class nothing_wanted final : public path::copy_review {
public:
    bool wants(const path::copy_origin&, stream_id) const noexcept override { return false; }
};

std::size_t length_of_run(std::span<const copy> copies) noexcept {
    const path::egress_id first = copies.front().egress;
    const auto end = std::ranges::find_if_not(
        copies, [first](const copy& each) { return each.egress == first; });
    return static_cast<std::size_t>(end - copies.begin());
}

class egress_sink final : public path::sink {
public:
    explicit egress_sink(std::shared_ptr<egress_mailbox> from)
        : mailbox_(std::move(from)), now_(std::make_unique<egress_table>(mailbox_->newest)),
          sorted_(std::make_unique<copy[]>(window)) {
        tell_all();
    }
    ~egress_sink() override {
        now_.reset();
        mailbox_->close();
    }

    std::size_t consume(std::span<const copy> copies) noexcept override;
    bool has_collected() const noexcept override;
    void flush() noexcept override;
    std::size_t queued() const noexcept override;
    void advance() noexcept override;
    void withdraw(const path::copy_review& review, drop_cause cause) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void report_to(path::delivery_ledger& ledger) noexcept override;

private:
    void tell_all() noexcept;
    void take_offer() noexcept;
    void give_up(egress_member& member) noexcept;
    egress_member* member_of(path::egress_id binding) const noexcept {
        return binding.value() > egress_bindings::most ? nullptr
                                                       : now_->members[binding.value()].get();
    }

    std::size_t dispatch(std::span<const copy> copies) noexcept;
    std::size_t give_run(std::span<const copy> run) noexcept;
    std::size_t room_for(std::span<const copy> copies) const noexcept;
    void spread(std::span<const copy> copies) noexcept;
    void give_all(path::egress_id to, std::span<const copy> group) noexcept;
    std::size_t give(egress_member& to, std::span<const copy> copies) noexcept;
    std::size_t queue_behind(egress_member& member, std::span<const copy> copies) noexcept;
    void send_waiting(egress_member& member) noexcept;
    void withdraw_from(egress_member& member, const path::copy_review& review,
                       drop_cause cause) noexcept;

    /// Calls `use` with each member.
    template <class Use>
    void for_each(Use use) const noexcept {
        for (const auto& each : now_->members)
            if (each != nullptr)
                use(*each);
    }
    /// Counts for a binding what `act` tells the ledger, and copies that it took.
    template <class Act>
    void counting(egress_member& member, Act act) noexcept {
        const path::delivery_counters before = ledger().totals();
        act();
        add_difference(member.counted, ledger().totals(), before);
        member.board->show(member.counted);
    }
    static void count_taken(egress_member& by, std::span<const copy> copies) noexcept {
        path::delivery_counters taken;
        taken.copies = copies.size();
        for (const copy& each : copies)
            taken.copies_octets += each.packet.size();
        add_difference(by.counted, taken, {});
    }

    const std::shared_ptr<egress_mailbox> mailbox_;
    std::unique_ptr<egress_table> now_;
    pending_copies pending_;
    /// Copies of a window, by binding.
    std::unique_ptr<copy[]> sorted_;
    /// By the number of the binding, and one for those with numbers too high.
    std::array<std::uint16_t, egress_bindings::most + 2> ends_{};
    /// The one that had no room last.
    egress_member* full_ = nullptr;
};

void egress_sink::report_to(path::delivery_ledger& ledger) noexcept {
    sink::report_to(ledger);
    tell_all();
}

void egress_sink::tell_all() noexcept {
    for_each([this](egress_member& each) { each.sink->report_to(ledger()); });
}

/// Goes over to the newest table, if there is another one.
void egress_sink::take_offer() noexcept {
    if (mailbox_->offered.load(std::memory_order_relaxed) == nullptr)
        return;
    egress_table* const next = mailbox_->offered.exchange(nullptr, std::memory_order_acquire);
    if (next == nullptr)
        return;
    for (std::size_t i = 0; i < next->members.size(); ++i)
        if (now_->members[i] != nullptr && now_->members[i] != next->members[i])
            give_up(*now_->members[i]);
    egress_table* const old = now_.release();
    now_.reset(next);
    full_ = nullptr;
    tell_all();
    old->next = mailbox_->done_with.load(std::memory_order_relaxed);
    while (!mailbox_->done_with.compare_exchange_weak(old->next, old, std::memory_order_release,
                                                      std::memory_order_relaxed)) {
    }
}

/// What is collected leaves, what is queued does not.
void egress_sink::give_up(egress_member& member) noexcept {
    counting(member, [&] { member.sink->flush(); });
    withdraw_from(member, nothing_wanted(), drop_cause::unreachable);
}

std::size_t egress_sink::consume(std::span<const copy> copies) noexcept {
    take_offer();
    full_ = nullptr;
    std::size_t done = 0;
    while (done < copies.size()) {
        const std::size_t taken = dispatch(copies.subspan(done));
        if (taken == 0)
            break;
        done += taken;
    }
    return done;
}

/// Takes copies from the front: a run for one binding, or a window of several.
std::size_t egress_sink::dispatch(std::span<const copy> copies) noexcept {
    const std::size_t run = length_of_run(copies);
    if (run < copies.size() && run < long_run) {
        const std::size_t together = room_for(copies.first(std::min(copies.size(), window)));
        if (together > run) {
            spread(copies.first(together));
            return together;
        }
    }
    return give_run(copies.first(run));
}

/// How many from the front can be queued whatever binding has no room for them.
std::size_t egress_sink::room_for(std::span<const copy> copies) const noexcept {
    std::size_t wanted = 0;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < copies.size(); ++i) {
        const std::size_t octets = copies[i].packet.size();
        wanted += pending_copies::blocks_for(octets);
        if (const egress_member* const its = member_of(copies[i].egress))
            longest = std::max<std::size_t>(longest, its->waiting.blocks);
        if (octets > pending_copies::longest_copy || !pending_.has_room_for(wanted, longest))
            return i;
    }
    return copies.size();
}

/// Hands each binding its copies, in order. All are taken: there is room to queue them.
void egress_sink::spread(std::span<const copy> copies) noexcept {
    const auto place = [](const copy& of) {
        return std::min<std::size_t>(of.egress.value(), egress_bindings::most + 1);
    };
    ends_ = {};
    for (const copy& each : copies)
        ++ends_[place(each)];
    std::uint16_t begin = 0;
    for (std::uint16_t& each : ends_)
        each = static_cast<std::uint16_t>(std::exchange(begin, begin + each));
    for (const copy& each : copies)
        sorted_[ends_[place(each)]++] = each;
    std::span<const copy> rest(sorted_.get(), copies.size());
    while (!rest.empty()) {
        const std::size_t run = length_of_run(rest);
        give_all(rest.front().egress, rest.first(run));
        rest = rest.subspan(run);
    }
}

void egress_sink::give_all(path::egress_id to, std::span<const copy> group) noexcept {
    egress_member* const member = member_of(to);
    if (member == nullptr) {
        ledger().dropped(drop_cause::unreachable, group);
        return;
    }
    const std::size_t taken = give(*member, group);
    if (taken < group.size())
        queue_behind(*member, group.subspan(taken));
}

/// Returns how many copies of a run were taken: a sink that has no room for some is full, as any
/// other.
std::size_t egress_sink::give_run(std::span<const copy> run) noexcept {
    egress_member* const member = member_of(run.front().egress);
    if (member == nullptr) {
        ledger().dropped(drop_cause::unreachable, run);
        return run.size();
    }
    const std::size_t taken = give(*member, run);
    return taken != 0 || member->waiting.empty() ? taken : queue_behind(*member, run);
}

/// Hands copies to a binding's sink, unless earlier ones wait.
std::size_t egress_sink::give(egress_member& to, std::span<const copy> copies) noexcept {
    if (!to.waiting.empty())
        send_waiting(to);
    if (!to.waiting.empty())
        return 0;
    std::size_t taken = 0;
    counting(to, [&] {
        taken = std::min(to.sink->consume(copies), copies.size());
        count_taken(to, copies.first(taken));
    });
    if (taken < copies.size())
        full_ = &to;
    return taken;
}

/// Queues as many as there is room for. Returns how many.
std::size_t egress_sink::queue_behind(egress_member& member,
                                      std::span<const copy> copies) noexcept {
    std::size_t count = 0;
    while (count < copies.size() && pending_.put(member.waiting, copies[count], {}))
        ++count;
    counting(member, [&] {
        ledger().queued(copies.first(count));
        count_taken(member, copies.first(count));
    });
    return count;
}

/// Sends what waits for a binding, as far as its sink has room.
void egress_sink::send_waiting(egress_member& member) noexcept {
    counting(member, [&] {
        while (!member.waiting.empty()) {
            const copy first = pending_.front(member.waiting);
            const std::span<const copy> one(&first, 1);
            ledger().unqueued(first.stream, first.packet.size());
            if (member.sink->consume(one) == 0) {
                ledger().queued(one);
                full_ = &member;
                return;
            }
            pending_.pop_front(member.waiting);
        }
    });
}

bool egress_sink::has_collected() const noexcept {
    bool found = false;
    for_each([&](const egress_member& each) { found = found || each.sink->has_collected(); });
    return found;
}

void egress_sink::flush() noexcept {
    for_each([this](egress_member& each) {
        if (each.sink->has_collected())
            counting(each, [&] { each.sink->flush(); });
    });
}

std::size_t egress_sink::queued() const noexcept {
    std::size_t sum = pending_.size();
    for_each([&](const egress_member& each) { sum += each.sink->queued(); });
    return sum;
}

void egress_sink::advance() noexcept {
    take_offer();
    for_each([this](egress_member& each) {
        if (each.sink->queued() != 0)
            counting(each, [&] { each.sink->advance(); });
        if (!each.waiting.empty())
            send_waiting(each);
    });
}

void egress_sink::withdraw(const path::copy_review& review, drop_cause cause) noexcept {
    take_offer();
    for_each([&](egress_member& each) { withdraw_from(each, review, cause); });
}

void egress_sink::withdraw_from(egress_member& member, const path::copy_review& review,
                                drop_cause cause) noexcept {
    if (member.waiting.empty() && member.sink->queued() == 0)
        return;
    counting(member, [&] {
        member.sink->withdraw(review, cause);
        pending_.filter(
            member.waiting, review,
            [&](const path::copy_origin& origin, stream_id stream, std::uint64_t octets) {
                ledger().queued_dropped(cause, stream, octets, origin);
            });
    });
}

void egress_sink::wait(std::chrono::milliseconds limit) noexcept {
    egress_member* longest = full_ != nullptr ? full_ : now_->members[0].get();
    std::size_t busy = 0;
    for_each([&](egress_member& each) {
        if (each.waiting.empty() && each.sink->queued() == 0)
            return;
        busy += &each != full_ ? 1U : 0U;
        if (full_ == nullptr)
            longest = &each;
    });
    const bool is_shared = busy > (full_ == nullptr ? 1U : 0U);
    longest->sink->wait(is_shared ? std::min(limit, shared_wait) : limit);
}

} // namespace

std::unique_ptr<path::sink> make_egress_sink(std::shared_ptr<egress_mailbox> from) {
    return std::make_unique<egress_sink>(std::move(from));
}

} // namespace flowtap::deliver::detail
