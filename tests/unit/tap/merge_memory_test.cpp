// SPDX-License-Identifier: Apache-2.0
// Merging when memory runs out.
#include <cstdlib>
#include <deque>
#include <functional>
#include <new>
#include <utility>

#include <doctest/doctest.h>

#include "rig.hpp"
#include "traffic.hpp"

namespace {

/// Whether this thread gets no memory.
thread_local bool memory_is_lost = false;

void* allocate(std::size_t size, std::size_t alignment) {
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* made = nullptr;
    if (!memory_is_lost)
        made = alignment <= alignof(std::max_align_t) ? std::malloc(size == 0 ? 1 : size)
                                                      : std::aligned_alloc(alignment, rounded);
    if (made == nullptr)
        throw std::bad_alloc();
    return made;
}

} // namespace

// Every allocation of this test binary can be made to fail.
void* operator new(std::size_t size) {
    return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return allocate(size, static_cast<std::size_t>(alignment));
}
// Said to be the default, but a sanitizer's own would not come from the one above.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    try {
        return allocate(size, alignof(std::max_align_t));
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}
void operator delete(void* gone) noexcept {
    std::free(gone);
}
void operator delete(void* gone, std::size_t) noexcept {
    std::free(gone);
}
void operator delete(void* gone, std::align_val_t) noexcept {
    std::free(gone);
}
void operator delete(void* gone, std::size_t, std::align_val_t) noexcept {
    std::free(gone);
}

using namespace flowtap;
using namespace flowtap::tap::test;

TEST_CASE("merging that finds no memory is tried again later, and not at once and for ever") {
    std::deque<std::function<void()>> waiting;
    rig at(usual_settings(), nullptr,
           [&](std::function<void()> what) { waiting.push_back(std::move(what)); });
    wire on(at.path);
    const auto run_all = [&] {
        for (; !waiting.empty(); waiting.pop_front())
            waiting.front()();
    };
    const auto has_something_due = [&] {
        return at.point.deadline() && *at.point.deadline() <= at.now.steady;
    };
    const tap::session_id session = at.open("lea1");
    for (int to = 0; to < 3; ++to)
        REQUIRE(status_of_answer(at.ask(
                    session, "lea1", add("Dest-Address: 10.0.0." + std::to_string(to) + "\n"))) ==
                200);
    waiting.clear();
    for (int i = 0; i < 3; ++i) {
        at.pass(20s);
        // The first turn reads the counters, too.
        for (int turns = 0; has_something_due() && turns < 10; ++turns)
            at.turn();
        REQUIRE(waiting.size() == 1);
        memory_is_lost = true;
        run_all();
        memory_is_lost = false;
        CHECK(has_something_due());
        at.turn();
        CHECK(waiting.empty());
        CHECK_FALSE(has_something_due());
    }
    const auto before = at.path.in_force();
    at.pass(20s);
    at.turn();
    run_all();
    at.turn();
    CHECK(at.path.in_force() > before);
    for (int to = 0; to < 4; ++to)
        CHECK(on.pass(udp_packet(static_cast<std::uint8_t>(to))) == (to < 3 ? 1 : 0));
}
