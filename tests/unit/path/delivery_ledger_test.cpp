// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/delivery_ledger.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;

namespace {

const std::array<std::byte, 1500> packet_octets{};

copy copy_to(std::uint32_t stream, std::size_t octets) {
    copy made;
    made.stream = stream_id(stream);
    made.packet = byte_view(packet_octets).first(octets);
    return made;
}

} // namespace

TEST_CASE("each copy counts for its stream and among all, with the octets of its packet") {
    delivery_ledger ledger(3);
    ledger.cover(3);
    const std::vector<copy> copies{copy_to(0, 100), copy_to(0, 50), copy_to(2, 60),
                                   copy_to(0, 40),  copy_to(1, 28), copy_to(2, 1500)};
    const std::span<const copy> all(copies);
    ledger.made(all);
    ledger.delivered(all.first(3));
    ledger.dropped(drop_cause::too_long, all.subspan(3, 1));
    ledger.queued(all.subspan(4));
    ledger.queued_delivered(stream_id(1), 28);
    ledger.show();

    const delivery_counters first = ledger.counters(stream_id(0));
    CHECK(first.copies == 3);
    CHECK(first.copies_octets == 190);
    CHECK(first.delivered == 2);
    CHECK(first.delivered_octets == 150);
    CHECK(first.dropped[static_cast<std::size_t>(drop_cause::too_long)] == 1);
    CHECK(first.dropped_octets[static_cast<std::size_t>(drop_cause::too_long)] == 40);
    CHECK(ledger.counters(stream_id(1)).delivered == 1);
    CHECK(ledger.counters(stream_id(1)).queued == 0);
    CHECK(ledger.counters(stream_id(2)).queued == 1);
    CHECK(ledger.counters(stream_id(2)).queued_octets == 1500);
    delivery_counters sum;
    for (std::uint32_t i = 0; i < 3; ++i) {
        CHECK(closes(ledger.counters(stream_id(i))));
        sum += ledger.counters(stream_id(i));
    }
    CHECK(sum == ledger.totals());
}

TEST_CASE("nothing of a stream is seen before it is shown, and what is shown stays") {
    delivery_ledger ledger(2);
    ledger.cover(1);
    const copy one = copy_to(0, 100);
    ledger.made({&one, 1});
    ledger.show();
    ledger.delivered({&one, 1});
    ledger.queued({&one, 1});
    CHECK(ledger.counters(stream_id(0)).copies == 1);
    CHECK(ledger.counters(stream_id(0)).delivered == 0);
    CHECK(ledger.totals().delivered == 1);
    ledger.cover(2);
    ledger.show();
    CHECK(ledger.counters(stream_id(0)).delivered == 1);
    CHECK(ledger.counters(stream_id(0)).queued == 1);
    ledger.show();
    CHECK(ledger.counters(stream_id(0)).copies == 1);
}

TEST_CASE("a stream without a place in the ledger counts among all only") {
    delivery_ledger ledger;
    const copy far = copy_to(4'000'000'000, 100);
    ledger.dropped(drop_cause::unreachable, {&far, 1});
    ledger.queued_dropped(drop_cause::withdrawn, far.stream, 5, {});
    ledger.show();
    CHECK(ledger.totals().dropped[static_cast<std::size_t>(drop_cause::unreachable)] == 1);
    CHECK(ledger.counters(far.stream) == delivery_counters{});
}

TEST_CASE(
    "what a criterion's destinations did not get is counted by slot where that is asked for") {
    delivery_ledger ledger(10);
    const auto lose = [&ledger](std::uint32_t slot, std::uint32_t stream, drop_cause cause) {
        copy made = copy_to(stream, 100);
        made.origin.slot = slot_id(slot);
        ledger.dropped(cause, {&made, 1});
    };
    const auto packets = [&ledger](std::uint32_t slot, std::uint32_t stream) {
        const target_drops lost = ledger.losses(slot_id(slot), stream_id(stream));
        CHECK(lost.octets == lost.packets * 100);
        return lost.packets;
    };
    lose(1, 7, drop_cause::sink_full);
    CHECK(packets(1, 7) == 0);
    ledger.count_by_slot(3000);
    ledger.cover_slots(2);
    for (std::size_t i = 0; i < drop_cause_count; ++i)
        lose(1, 7, static_cast<drop_cause>(i));
    CHECK(packets(1, 7) == drop_cause_count - 2);
    ledger.queued_dropped(drop_cause::unreachable, stream_id(7), 100, {slot_id(1), 0});
    ledger.queued_dropped(drop_cause::withdrawn, stream_id(7), 100, {slot_id(1), 0});
    CHECK(packets(1, 7) == drop_cause_count - 1);
    lose(0, 7, drop_cause::unreachable);
    lose(1, 8, drop_cause::unreachable);
    CHECK(packets(0, 7) == 1);
    CHECK(packets(1, 8) == 1);
    CHECK(packets(1, 7) == drop_cause_count - 1);
    // Of the first streams only, and of slots that are covered.
    for (std::uint32_t stream = 0; stream < 7; ++stream)
        lose(1, stream, drop_cause::unreachable);
    CHECK(packets(1, 0) + packets(1, 1) == 2);
    CHECK(packets(1, 2) == 0);
    lose(2999, 7, drop_cause::unreachable);
    CHECK(packets(2999, 7) == 0);
    ledger.reset(slot_id(1));
    CHECK(packets(1, 7) + packets(1, 8) + packets(1, 0) == 0);
    CHECK(packets(0, 7) == 1);
    lose(1, 2, drop_cause::unreachable);
    CHECK(packets(1, 2) == 1);
}

TEST_CASE("a ledger holds what was told, in any order and to any streams") {
    constexpr std::size_t streams = 200;
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto pick = [&random](std::size_t below) { return random() % below; };

    delivery_ledger ledger(streams);
    ledger.cover(streams);
    std::vector<delivery_counters> expected(streams);
    std::vector<delivery_counters> shown(streams);
    for (int step = 0; step < 20'000; ++step) {
        const auto stream = static_cast<std::uint32_t>(pick(streams));
        delivery_counters& its = expected[stream];
        const std::size_t octets = pick(1501);
        const std::vector<copy> run(1 + pick(3), copy_to(stream, octets));
        const std::size_t cause = pick(drop_cause_count);
        switch (pick(6)) {
        case 0:
            ledger.made(run);
            its.copies += run.size();
            its.copies_octets += run.size() * octets;
            break;
        case 1:
            ledger.delivered(run);
            its.delivered += run.size();
            its.delivered_octets += run.size() * octets;
            break;
        case 2:
            ledger.dropped(static_cast<drop_cause>(cause), run);
            its.dropped[cause] += run.size();
            its.dropped_octets[cause] += run.size() * octets;
            break;
        case 3:
            ledger.queued(run);
            ledger.queued_dropped(static_cast<drop_cause>(cause), stream_id(stream), octets, {});
            its.queued += run.size() - 1;
            its.queued_octets += (run.size() - 1) * octets;
            its.dropped[cause] += 1;
            its.dropped_octets[cause] += octets;
            break;
        case 4:
            ledger.show();
            shown = expected;
            break;
        default:
            REQUIRE(ledger.counters(stream_id(stream)) == shown[stream]);
        }
    }
    delivery_counters sum;
    for (const delivery_counters& each : expected)
        sum += each;
    CHECK(ledger.totals() == sum);
}
