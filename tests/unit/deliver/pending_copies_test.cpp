// SPDX-License-Identifier: Apache-2.0
#include "pending_copies.hpp"

#include <deque>
#include <iostream>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "copies.hpp"

using namespace flowtap;
using namespace flowtap::deliver::detail;
using namespace flowtap::deliver::test;

namespace {

const packet::encapsulation somewhere =
    from_to({ip_address::v4(0xC6336409), 4000}, {ip_address::v4(0xC0000205), 2300});

path::copy copy_of(const owned_copy& from, std::uint32_t slot) {
    path::copy made = from.view(static_cast<std::uint16_t>(slot + 1));
    made.origin = {slot_id(slot), 7};
    made.stream = stream_id(slot % 3);
    return made;
}

class wants_even final : public path::copy_review {
public:
    bool wants(const path::copy_origin& from, stream_id) const noexcept override {
        return from.slot.value() % 2 == 0;
    }
};

} // namespace

TEST_CASE("copies wait in order, with all that they point to") {
    pending_copies all;
    pending_copies::queue queue;
    const steady_time now = steady_time(std::chrono::seconds(5));
    {
        const owned_copy small(somewhere, inner_packet(60, 1));
        const owned_copy large(somewhere, inner_packet(9000, 2));
        CHECK(all.put(queue, copy_of(small, 0), now));
        CHECK(all.put(queue, copy_of(large, 1), now + std::chrono::seconds(1)));
    }
    CHECK(all.size() == 2);
    CHECK(all.since(queue) == now);
    const path::copy first = all.front(queue);
    CHECK(octets(first.packet.begin(), first.packet.end()) == inner_packet(60, 1));
    CHECK(first.header->parameters() == somewhere);
    CHECK(first.identification == 1);
    CHECK(first.stream == stream_id(0));
    CHECK(first.origin.matched_with == 7);
    CHECK(first.time == wall_time(std::chrono::seconds(100) + std::chrono::nanoseconds(5)));
    all.pop_front(queue);
    const path::copy second = all.front(queue);
    CHECK(octets(second.packet.begin(), second.packet.end()) == inner_packet(9000, 2));
    CHECK(all.since(queue) == now + std::chrono::seconds(1));
    all.pop_front(queue);
    CHECK(queue.empty());
    CHECK(all.size() == 0);
}

TEST_CASE("one destination gets half of the memory, and leaves room for others") {
    pending_copies all;
    const owned_copy small(somewhere, inner_packet(60));
    const owned_copy large(somewhere, inner_packet(65'000));
    std::vector<pending_copies::queue> queues(8);
    std::vector<std::size_t> lengths;
    SUBCASE("small copies") {
        for (pending_copies::queue& each : queues)
            for (lengths.push_back(0); all.put(each, copy_of(small, 0), {});)
                ++lengths.back();
        CHECK(lengths == std::vector<std::size_t>{1024, 512, 256, 128, 64, 64, 0, 0});
        CHECK(all.size() == 2048);
        all.pop_front(queues[3]);
        CHECK(all.put(queues[7], copy_of(small, 0), {}));
        CHECK_FALSE(all.put(queues[7], copy_of(small, 1), {}));
    }
    SUBCASE("large copies") {
        for (pending_copies::queue& each : queues)
            for (lengths.push_back(0); all.put(each, copy_of(large, 0), {});)
                ++lengths.back();
        CHECK(lengths == std::vector<std::size_t>{32, 16, 8, 4, 2, 2, 0, 0});
    }
}

TEST_CASE("what no IP packet can be is not kept") {
    pending_copies all;
    pending_copies::queue queue;
    const owned_copy longest(somewhere, inner_packet(65'536));
    const owned_copy longer(somewhere, inner_packet(65'537));
    CHECK(all.put(queue, copy_of(longest, 0), {}));
    CHECK(all.front(queue).packet.size() == 65'536);
    CHECK_FALSE(all.put(queue, copy_of(longer, 0), {}));
}

TEST_CASE("what is not wanted any more is taken out, and the rest stays in order") {
    pending_copies all;
    pending_copies::queue queue;
    const owned_copy small(somewhere, inner_packet(60));
    const owned_copy large(somewhere, inner_packet(5000));
    for (std::uint32_t i = 0; i < 10; ++i)
        REQUIRE(all.put(queue, copy_of(i % 3 == 0 ? large : small, i), {}));
    std::size_t gone = 0;
    std::uint64_t octets_gone = 0;
    all.filter(queue, wants_even(), [&](const path::copy_origin&, stream_id, std::uint64_t size) {
        ++gone;
        octets_gone += size;
    });
    CHECK(gone == 5);
    CHECK(octets_gone == 3 * 60 + 2 * 5000);
    CHECK(all.size() == 5);
    for (std::uint32_t i = 0; i < 10; i += 2) {
        CHECK(all.front(queue).origin.slot == slot_id(i));
        all.pop_front(queue);
    }
    CHECK(queue.empty());
}

TEST_CASE("queues hold what was put into them, whatever comes and goes") {
    constexpr std::uint32_t seed = 20261130;
    MESSAGE("seed " << seed);
    std::mt19937 random(seed);
    pending_copies all;
    struct model {
        pending_copies::queue real;
        std::deque<std::pair<std::uint32_t, octets>> wanted;
    };
    std::vector<model> queues(50);
    std::size_t total = 0;
    for (std::uint32_t step = 0; step < 20'000; ++step) {
        model& its = queues[random() % queues.size()];
        switch (random() % 5) {
        case 0:
            if (!its.wanted.empty()) {
                all.pop_front(its.real);
                its.wanted.pop_front();
                --total;
            }
            break;
        case 1:
            if (!its.wanted.empty() && random() % 2 == 0) {
                all.pop_back(its.real);
                its.wanted.pop_back();
                --total;
            }
            break;
        case 2:
            if (random() % 20 == 0) {
                all.filter(its.real, wants_even(),
                           [&](const path::copy_origin&, stream_id, std::uint64_t) { --total; });
                std::erase_if(its.wanted, [](const auto& each) { return each.first % 2 != 0; });
            }
            break;
        default:
            const owned_copy made(somewhere, inner_packet(40 + random() % 6000, step));
            if (all.put(its.real, copy_of(made, step), {})) {
                its.wanted.emplace_back(step, made.packet);
                ++total;
            }
        }
        REQUIRE(all.size() == total);
        REQUIRE(its.real.empty() == its.wanted.empty());
        if (its.wanted.empty())
            continue;
        const path::copy first = all.front(its.real);
        REQUIRE(first.origin.slot.value() == its.wanted.front().first);
        REQUIRE(octets(first.packet.begin(), first.packet.end()) == its.wanted.front().second);
    }
}
