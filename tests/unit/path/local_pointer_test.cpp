// SPDX-License-Identifier: Apache-2.0
#include <flowtap/path/local_pointer.hpp>

#include <memory>
#include <utility>

#include <doctest/doctest.h>

using flowtap::path::local_pointer;

TEST_CASE("copies of a local pointer share one value, which goes with the last of them") {
    const auto counted = std::make_shared<int>(7);
    {
        const local_pointer first(counted);
        CHECK(counted.use_count() == 2);
        local_pointer second = first;
        const local_pointer third = std::move(second);
        second = third;
        second = std::as_const(second);
        CHECK(counted.use_count() == 2);
        CHECK(third.get() == first.get());
        CHECK(**third == 7);
    }
    CHECK(counted.use_count() == 1);
}

TEST_CASE("a shared value is copied before it is changed, one that is not shared is changed") {
    local_pointer first(1);
    first.writable() = 2;
    const int* const place = first.get();
    first.writable() = 3;
    CHECK(first.get() == place);
    const local_pointer second = first;
    first.writable() = 4;
    CHECK(*first == 4);
    CHECK(*second == 3);
}

TEST_CASE("a local pointer without a value gets an empty one to be changed") {
    local_pointer<int> none;
    CHECK(none.get() == nullptr);
    const local_pointer<int> copy = none;
    CHECK(none.writable() == 0);
    CHECK(copy.get() == nullptr);
}
