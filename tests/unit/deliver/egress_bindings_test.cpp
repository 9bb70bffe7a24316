// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/egress_bindings.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <flowtap/path/delivery_ledger.hpp>

#include "../../support/memory/allocations.hpp"
#include "copies.hpp"

using namespace flowtap;
using namespace flowtap::deliver;
using namespace flowtap::deliver::test;
using path::drop_cause;
using path::egress_id;
namespace allocations = flowtap::testing::allocations;

namespace {

const packet::encapsulation somewhere =
    from_to({ip_address::v4(0xC6336409), 4000}, {ip_address::v4(0xC0000205), 2300});

/// What tests see of the sinks of one binding, and say to them.
struct way_out {
    std::vector<std::uint32_t> got;  ///< numbers of copies
    std::vector<std::size_t> calls;  ///< how many copies each call of `consume` brought
    std::size_t room = SIZE_MAX;     ///< for how many there is room
    bool keeps = false;              ///< queues what there is no room for, ...
    std::size_t most_kept = 4;       ///< ... up to so many
    std::set<std::uint32_t> refused; ///< streams that there is no room for
    std::atomic<int> sinks{0};       ///< that are there now
    int waits = 0;
    std::chrono::milliseconds longest_wait{0};
};

std::uint32_t number_of(byte_view packet) {
    return load_big_endian<std::uint32_t>(packet.subspan(4));
}

class fake_sink final : public path::sink {
public:
    explicit fake_sink(way_out& where) : where_(where) { ++where_.sinks; }
    ~fake_sink() override { --where_.sinks; }

    std::size_t consume(std::span<const path::copy> copies) noexcept override {
        where_.calls.push_back(copies.size());
        std::size_t taken = 0;
        for (; taken < copies.size(); ++taken) {
            const std::span<const path::copy> one = copies.subspan(taken, 1);
            const bool is_refused = where_.refused.contains(one.front().stream.value());
            if (where_.room != 0 && queue_.empty() && !is_refused) {
                leave(number_of(one.front().packet));
                ledger().delivered(one);
            } else if (where_.keeps && queue_.size() < where_.most_kept) {
                queue_.push_back({one.front().origin, one.front().stream,
                                  octets(one.front().packet.begin(), one.front().packet.end())});
                ledger().queued(one);
            } else {
                break;
            }
        }
        return taken;
    }
    std::size_t queued() const noexcept override { return queue_.size(); }
    void advance() noexcept override {
        for (; !queue_.empty() && where_.room != 0; queue_.pop_front()) {
            leave(number_of(queue_.front().packet));
            ledger().queued_delivered(queue_.front().stream, queue_.front().packet.size());
        }
    }
    void withdraw(const path::copy_review& review, drop_cause cause) noexcept override {
        std::erase_if(queue_, [&](const entry& each) {
            if (review.wants(each.origin, each.stream))
                return false;
            ledger().queued_dropped(cause, each.stream, each.packet.size(), each.origin);
            return true;
        });
    }
    void wait(std::chrono::milliseconds limit) noexcept override {
        ++where_.waits;
        where_.longest_wait = std::max(where_.longest_wait, limit);
    }

private:
    struct entry {
        path::copy_origin origin;
        stream_id stream;
        octets packet;
    };

    void leave(std::uint32_t number) {
        where_.got.push_back(number);
        where_.room -= where_.room == SIZE_MAX ? 0 : 1;
    }

    way_out& where_;
    std::deque<entry> queue_;
};

egress_bindings::opening through(way_out& where) {
    return [&where]() -> result<std::unique_ptr<path::sink>> {
        return std::unique_ptr<path::sink>(new fake_sink(where));
    };
}

result<std::unique_ptr<path::sink>> no_device() {
    return fail(error(std::make_error_code(std::errc::no_such_device), "eth9"));
}

/// One worker, its sink, three bindings and a way for all others.
struct lab {
    lab() {
        for (std::uint32_t i = 1; i <= 3; ++i)
            REQUIRE(bindings.set(egress_id(i), through(ways[i])));
        sink = bindings.make_sink(std::make_unique<fake_sink>(ways[0])).value();
        sink->report_to(ledger);
        ledger.cover(16);
    }

    /// Copies for these bindings, numbered from `next` on; of the stream with the same number.
    std::vector<path::copy> copies(const std::vector<std::uint32_t>& bound, std::size_t size = 60) {
        std::vector<path::copy> made;
        for (const std::uint32_t each : bound) {
            octets inner = inner_packet(size);
            store_big_endian<std::uint32_t>(std::span(inner).subspan(4), next++);
            kept.emplace_back(somewhere, std::move(inner));
            made.push_back(kept.back().view());
            made.back().egress = egress_id(each);
            made.back().stream = stream_id(each % 16);
        }
        return made;
    }
    std::size_t give(const std::vector<path::copy>& what) {
        const std::size_t taken = sink->consume(what);
        ledger.made(std::span(what).first(taken));
        return taken;
    }
    std::size_t give(const std::vector<std::uint32_t>& bound) { return give(copies(bound)); }

    path::delivery_counters of(std::uint32_t binding) {
        return bindings.counters(egress_id(binding));
    }

    std::deque<owned_copy> kept;
    std::map<std::uint32_t, way_out> ways;
    path::delivery_ledger ledger{16};
    egress_bindings bindings;
    std::unique_ptr<path::sink> sink;
    std::uint32_t next = 0;
};

bool closes(const path::delivery_counters& counters) {
    std::uint64_t ended = counters.delivered + counters.queued;
    std::uint64_t size = counters.delivered_octets + counters.queued_octets;
    for (std::size_t i = 0; i < path::drop_cause_count; ++i) {
        ended += counters.dropped[i];
        size += counters.dropped_octets[i];
    }
    return counters.copies == ended && counters.copies_octets == size;
}

class wants_streams_below final : public path::copy_review {
public:
    explicit wants_streams_below(std::uint32_t bound) : bound_(bound) {}
    bool wants(const path::copy_origin&, stream_id stream) const noexcept override {
        return stream.value() < bound_;
    }

private:
    std::uint32_t bound_;
};

using list = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("each copy leaves through its binding, those of a binding in order and with one call") {
    lab all;
    CHECK(all.give(list{1, 2, 1, 0, 3, 2, 0, 1}) == 8);
    CHECK(all.ways[0].got == list{3, 6});
    CHECK(all.ways[1].got == list{0, 2, 7});
    CHECK(all.ways[2].got == list{1, 5});
    CHECK(all.ways[3].got == list{4});
    for (std::uint32_t i = 0; i <= 3; ++i)
        CHECK(all.ways[i].calls.size() == 1);
    CHECK(all.of(1).delivered == 3);
    CHECK(all.of(1).copies == 3);
    CHECK(all.of(1).delivered_octets == 180);
    CHECK(all.of(0).copies == 2);
    CHECK(all.ledger.totals().delivered == 8);
}

TEST_CASE("many copies of one binding in a row are handed over as they are") {
    lab all;
    list bound(300, 1);
    bound.resize(500, 2);
    bound.push_back(1);
    CHECK(all.give(bound) == bound.size());
    CHECK(all.ways[1].calls == std::vector<std::size_t>{300, 1});
    CHECK(std::ranges::is_sorted(all.ways[1].got));
    CHECK(all.ways[2].got.size() == 200);
    CHECK(std::ranges::is_sorted(all.ways[2].got));
}

TEST_CASE("copies for a binding that is not there are dropped as unreachable, others are not") {
    lab all;
    all.bindings.fail(egress_id(2));
    all.bindings.remove(egress_id(3));
    CHECK(all.give(list{1, 2, 3, 4, egress_bindings::most, egress_bindings::most + 1, UINT32_MAX,
                        UINT32_MAX, 1, 0}) == 10);
    CHECK(all.ways[1].got == list{0, 8});
    CHECK(all.ways[0].got == list{9});
    CHECK(dropped(all.ledger.totals(), drop_cause::unreachable) == 7);
    CHECK(all.give(list(5, UINT32_MAX)) == 5);
    CHECK(dropped(all.ledger.totals(), drop_cause::unreachable) == 12);
    CHECK(closes(all.ledger.totals()));
    CHECK(all.bindings.state(egress_id(1)) == egress_bindings::status::in_use);
    CHECK(all.bindings.state(egress_id(2)) == egress_bindings::status::failed);
    CHECK(all.bindings.state(egress_id(3)) == egress_bindings::status::absent);
    CHECK(all.bindings.state(egress_id(UINT32_MAX)) == egress_bindings::status::absent);
}

TEST_CASE("a binding without room keeps no other waiting, and what waits leaves in order") {
    lab all;
    all.ways[2].room = 1;
    CHECK(all.give(list{2, 1, 2, 1, 2, 1}) == 6);
    CHECK(all.ways[1].got == list{1, 3, 5});
    CHECK(all.ways[2].got == list{0});
    CHECK(all.sink->queued() == 2);
    CHECK(all.of(2).queued == 2);
    CHECK(closes(all.of(2)));
    CHECK(all.ledger.totals().queued == 2);
    // Behind those that wait, also when they come alone, and by their own number.
    CHECK(all.give(list{2}) == 1);
    CHECK(all.give(list{1, 2, 1}) == 3);
    CHECK(all.ways[2].got == list{0});
    all.ways[2].room = 3;
    all.sink->advance();
    CHECK(all.ways[2].got == list{0, 2, 4, 6});
    CHECK(all.sink->queued() == 1);
    all.ways[2].room = SIZE_MAX;
    CHECK(all.give(list{1, 2}) == 2);
    CHECK(all.ways[2].got == list{0, 2, 4, 6, 8, 11});
    CHECK(all.sink->queued() == 0);
    CHECK(all.of(2).delivered == 6);
    CHECK(all.of(2).copies == 6);
    CHECK(closes(all.of(2)));
    CHECK(closes(all.ledger.totals()));
    CHECK(all.ledger.totals().delivered == all.next);
}

TEST_CASE("no stream of a binding overtakes itself where others of it are stuck") {
    lab all;
    const auto give = [&](std::uint32_t stream) {
        auto some = all.copies({2, 1});
        some[0].stream = stream_id(stream);
        CHECK(all.give(some) == 2);
    };
    all.ways[2].refused = {9};
    give(9);
    give(5); // behind
    CHECK(all.ways[2].got.empty());
    give(5); // must not go before the one that waits
    CHECK(all.ways[2].got.empty());
    all.ways[2].refused.clear();
    give(5);
    CHECK(all.ways[2].got == list{0, 2, 4, 6});
    CHECK(all.ways[1].got == list{1, 3, 5, 7});
}

TEST_CASE("one binding that is full, alone, is full as any sink") {
    lab all;
    all.ways[1].room = 2;
    CHECK(all.give(list{1, 1, 1, 1}) == 2);
    CHECK(all.sink->queued() == 0);
    all.sink->wait(std::chrono::milliseconds(70));
    CHECK(all.ways[1].longest_wait == std::chrono::milliseconds(70));
}

TEST_CASE("when there is no memory to queue more, the sink is full, and still no other is") {
    lab all;
    all.ways[2].room = 0;
    // Half of the memory at most, in long packets so that it is soon used.
    for (int i = 0; i < 200; ++i) {
        const auto some = all.copies({1, 2, 1, 2}, 9000);
        std::span<const path::copy> rest(some);
        while (!rest.empty()) {
            const std::size_t taken = all.sink->consume(rest);
            all.ledger.made(rest.first(taken));
            rest = rest.subspan(taken);
            if (!rest.empty()) {
                REQUIRE(rest.front().egress == egress_id(2));
                // What the worker of a live source does.
                all.ledger.made(rest.first(1));
                all.ledger.dropped(drop_cause::sink_full, rest.first(1));
                rest = rest.subspan(1);
            }
        }
    }
    CHECK(all.ways[1].got.size() == 400);
    CHECK(dropped(all.ledger.totals(), drop_cause::sink_full) > 100);
    CHECK(all.sink->queued() > 100);
    CHECK(closes(all.ledger.totals()));
}

TEST_CASE("whom a worker waits for is the one without room, for less where others wait, too") {
    lab all;
    all.ways[2].room = 0;
    all.ways[3].room = 0;
    all.give(list{2, 1});
    all.sink->wait(std::chrono::milliseconds(50));
    CHECK(all.ways[2].waits == 1);
    CHECK(all.ways[2].longest_wait == std::chrono::milliseconds(50));
    all.give(list{3, 1});
    all.sink->wait(std::chrono::milliseconds(50));
    CHECK(all.ways[3].longest_wait == std::chrono::milliseconds(1));
    CHECK(all.ways[0].waits + all.ways[1].waits == 0);
    lab idle;
    idle.sink->wait(std::chrono::milliseconds(50));
    CHECK(idle.ways[0].waits == 1);
}

TEST_CASE("what a binding queues by itself is counted for it, and advances") {
    lab all;
    all.ways[2].room = 0;
    all.ways[2].keeps = true;
    // The fifth and sixth wait in front of it, behind which nothing may slip through.
    CHECK(all.give(list{2, 1, 2, 2, 2, 2, 2}) == 7);
    CHECK(all.sink->queued() == 6);
    CHECK(all.of(2).queued == 6);
    CHECK(all.ledger.totals().queued == 6);
    all.ways[2].room = 1;
    all.sink->advance();
    CHECK(all.ways[2].got == list{0});
    CHECK(all.of(2).queued == 5);
    all.ways[2].room = SIZE_MAX;
    all.sink->advance();
    CHECK(all.ways[2].got == list{0, 2, 3, 4, 5, 6});
    CHECK(all.sink->queued() == 0);
    CHECK(all.of(2).delivered == 6);
    CHECK(closes(all.of(2)));
    CHECK(closes(all.ledger.totals()));
}

TEST_CASE("a removed binding drops what is queued for it, counted, and nothing else is lost") {
    struct place {
        const char* what;
        bool keeps;
        std::size_t most_kept;
    };
    const place places[] = {
        {"in front of its sink", false, 0}, {"in its sink", true, 4}, {"in both", true, 1}};
    enum class end { removed, failed, replaced };
    for (const place& where : places) {
        for (const end how : {end::removed, end::failed, end::replaced}) {
            CAPTURE(where.what);
            CAPTURE(static_cast<int>(how));
            lab all;
            all.ways[2].room = 0;
            all.ways[2].keeps = where.keeps;
            all.ways[2].most_kept = where.most_kept;
            CHECK(all.give(list{1, 2, 1, 2}) == 4);
            if (how == end::removed)
                all.bindings.remove(egress_id(2));
            else if (how == end::failed)
                all.bindings.fail(egress_id(2));
            else
                REQUIRE(all.bindings.set(egress_id(2), through(all.ways[9])));
            CHECK_FALSE(all.bindings.settled());
            CHECK(all.ways[2].sinks == 1);
            CHECK(all.sink->queued() == 2); // until the worker comes by
            all.sink->advance();
            CHECK(all.bindings.settled());
            CHECK(all.ways[2].sinks == 0);
            CHECK(all.sink->queued() == 0);
            CHECK(dropped(all.of(2), drop_cause::unreachable) == 2);
            all.ledger.show();
            CHECK(dropped(all.ledger.counters(stream_id(2)), drop_cause::unreachable) == 2);
            all.give(list{1, 2, 3});
            CHECK(all.ways[1].got == list{0, 2, 4});
            CHECK(all.ways[3].got == list{6});
            CHECK(all.ways[9].got == (how == end::replaced ? list{5} : list{}));
            CHECK(all.of(2).copies == (how == end::replaced ? 3 : 2));
            CHECK(closes(all.of(2)));
            CHECK(closes(all.ledger.totals()));
        }
    }
}

TEST_CASE("a worker that does not come by costs no memory for each change") {
    lab all;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(all.bindings.set(egress_id(7), through(all.ways[7])));
        CHECK(all.ways[7].sinks == 1);
        all.bindings.remove(egress_id(7));
        CHECK(all.ways[7].sinks == 0);
    }
    REQUIRE(all.bindings.set(egress_id(7), through(all.ways[7])));
    all.give(list{7});
    CHECK(all.ways[7].got.size() == 1);
}

TEST_CASE("bindings may come before the workers and after them, and each worker has its own sink") {
    lab all;
    auto second = all.bindings.make_sink(std::make_unique<fake_sink>(all.ways[0])).value();
    CHECK(all.ways[1].sinks == 2);
    REQUIRE(all.bindings.set(egress_id(4), through(all.ways[4])));
    CHECK(all.ways[4].sinks == 2);
    const auto some = all.copies({4, 1});
    CHECK(second->consume(some) == 2);
    CHECK(all.give(list{4}) == 1);
    CHECK(all.of(4).delivered == 2);
    CHECK(all.bindings.settled());
    second.reset();
    CHECK(all.bindings.settled());
    CHECK(all.ways[4].sinks == 1);
    CHECK(all.of(4).delivered == 2);
    all.sink.reset();
    CHECK(all.ways[4].sinks == 0);
    CHECK(all.of(4).delivered == 2);
}

TEST_CASE("sinks may outlive the bindings") {
    way_out way;
    std::unique_ptr<path::sink> sink;
    {
        egress_bindings bindings;
        sink = bindings.make_sink(std::make_unique<fake_sink>(way)).value();
        REQUIRE(bindings.set(egress_id(1), through(way)));
    }
    const owned_copy one(somewhere, inner_packet(60));
    path::copy bound = one.view();
    bound.egress = egress_id(1);
    CHECK(sink->consume(std::vector{bound, one.view()}) == 2);
    CHECK(way.got.size() == 2);
    sink.reset();
    CHECK(way.sinks == 0);
}

TEST_CASE("what cannot be opened changes nothing") {
    lab all;
    auto failed = all.bindings.set(egress_id(1), no_device);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == std::errc::no_such_device);
    CHECK_FALSE(all.bindings.set(egress_id(5), no_device));
    CHECK(all.bindings.state(egress_id(5)) == egress_bindings::status::absent);
    CHECK(all.give(list{1, 5}) == 2);
    CHECK(all.ways[1].got == list{0});
    for (const std::uint32_t number : {0U, egress_bindings::most + 1})
        CHECK(all.bindings.set(egress_id(number), through(all.ways[1])).error().code ==
              std::errc::argument_out_of_domain);
    CHECK_FALSE(all.bindings.restore(egress_id(6)));

    // A worker that is to come cannot be made either.
    lab other;
    bool works = true;
    REQUIRE(other.bindings.set(egress_id(4), [&]() -> result<std::unique_ptr<path::sink>> {
        return works ? through(other.ways[4])() : no_device();
    }));
    works = false;
    CHECK_FALSE(other.bindings.make_sink(std::make_unique<fake_sink>(other.ways[0])));
    other.bindings.fail(egress_id(4));
    CHECK_FALSE(other.bindings.restore(egress_id(4)));
    CHECK(other.bindings.state(egress_id(4)) == egress_bindings::status::failed);
    works = true;
    CHECK(other.bindings.restore(egress_id(4)));
    CHECK(other.give(list{4}) == 1);
    CHECK(other.ways[4].got.size() == 1);
}

TEST_CASE("withdrawing takes from every queue what is not asked for") {
    lab all;
    for (std::uint32_t i = 1; i <= 3; ++i)
        all.ways[i].room = 0;
    all.ways[1].keeps = true;
    CHECK(all.give(list{1, 2, 3, 1, 2, 3}) == 6);
    all.sink->withdraw(wants_streams_below(3), drop_cause::withdrawn);
    CHECK(all.sink->queued() == 4);
    CHECK(dropped(all.of(3), drop_cause::withdrawn) == 2);
    all.sink->withdraw(wants_streams_below(0), drop_cause::stopped);
    CHECK(all.sink->queued() == 0);
    CHECK(dropped(all.of(1), drop_cause::stopped) == 2);
    CHECK(dropped(all.of(2), drop_cause::stopped) == 2);
    for (std::uint32_t i = 1; i <= 3; ++i)
        CHECK(closes(all.of(i)));
    CHECK(closes(all.ledger.totals()));
}

TEST_CASE("handing copies over, queueing them and going over to other bindings allocates nothing") {
    lab all;
    for (std::uint32_t i = 0; i <= 3; ++i) {
        all.ways[i].got.reserve(1000);
        all.ways[i].calls.reserve(1000);
    }
    all.ways[2].room = 5;
    const auto some = all.copies({1, 2, 3, 1, 2, 3, 0, 2, 2, 2, 2, 2, 2, 9});
    all.give(some);
    all.bindings.remove(egress_id(3));
    const std::size_t before = allocations::made();
    for (int i = 0; i < 5; ++i)
        all.sink->consume(some);
    all.ways[2].room = SIZE_MAX;
    all.sink->advance();
    CHECK(allocations::made() == before);
    CHECK(all.sink->queued() == 0);
}

TEST_CASE("whatever has room when, each binding gets its copies once and in order") {
    constexpr std::uint32_t seed = 0x65'67'72;
    CAPTURE(seed);
    std::mt19937 random(seed);
    lab all;
    std::map<std::uint32_t, list> expected;
    for (int round = 0; round < 3000; ++round) {
        for (std::uint32_t i = 0; i <= 3; ++i) {
            all.ways[i].room = random() % 3 == 0 ? SIZE_MAX : random() % 20;
            all.ways[i].keeps = random() % 4 == 0;
        }
        list bound;
        for (std::size_t count = random() % 120; bound.size() < count;)
            bound.resize(
                std::min(count, bound.size() + 1 + random() % (random() % 8 == 0 ? 90 : 3)),
                static_cast<std::uint32_t>(random() % 4));
        const std::uint32_t first = all.next;
        const std::size_t taken = all.give(bound);
        for (std::size_t i = 0; i < taken; ++i)
            expected[bound[i]].push_back(first + static_cast<std::uint32_t>(i));
        if (random() % 3 == 0)
            all.sink->advance();
        CHECK(closes(all.ledger.totals()));
        CHECK(all.ledger.totals().queued == all.sink->queued());
    }
    for (std::uint32_t i = 0; i <= 3; ++i)
        all.ways[i].room = SIZE_MAX;
    all.sink->advance();
    CHECK(all.sink->queued() == 0);
    for (std::uint32_t i = 0; i <= 3; ++i) {
        CHECK(all.ways[i].got == expected[i]);
        CHECK(all.of(i).delivered == expected[i].size());
        CHECK(closes(all.of(i)));
    }
}

TEST_CASE("bindings come and go under a busy worker: what is not delivered is counted") {
    lab all;
    std::atomic<bool> stop{false};
    const auto some = all.copies({1, 2, 3, 1, 0, 2, 3, 3, 1});
    std::uint64_t rounds = 0;
    std::thread working([&] {
        for (; !stop.load() || rounds < 1000; ++rounds)
            all.give(some);
    });
    for (int i = 0; i < 2000; ++i) {
        const egress_id binding(static_cast<std::uint32_t>(i % 3 + 1));
        if (all.bindings.state(binding) == egress_bindings::status::in_use)
            all.bindings.fail(binding);
        else
            CHECK(all.bindings.restore(binding));
        CHECK(closes(all.of(binding.value())));
        if (i % 16 == 0)
            std::this_thread::yield();
    }
    stop = true;
    working.join();
    CHECK(all.of(0).delivered == rounds);
    const path::delivery_counters counted = all.ledger.totals();
    CHECK(counted.copies == rounds * some.size());
    CHECK(closes(counted));
    std::uint64_t got = 0;
    for (std::uint32_t i = 0; i <= 3; ++i)
        got += all.ways[i].got.size();
    CHECK(got == counted.delivered);
    CHECK(got + dropped(counted, drop_cause::unreachable) == counted.copies);
}
