// SPDX-License-Identifier: Apache-2.0
#include <flowtap/capture/kernel_filter.hpp>

#include <array>
#include <string_view>
#include <vector>

#include <linux/filter.h>
#include <sys/socket.h>
#include <doctest/doctest.h>

#include <flowtap/capture/error.hpp>
#include <flowtap/core/descriptor.hpp>

// A filter runs on any socket; here on one of a pair, which needs no privileges.

using namespace flowtap;
using flowtap::bpf_instruction;

namespace {

constexpr bpf_instruction accept_all{BPF_RET | BPF_K, 0, 0, 0xFFFF'FFFF};
constexpr bpf_instruction drop_all{BPF_RET | BPF_K, 0, 0, 0};

/// Drops what begins with this octet, or takes nothing else.
std::vector<bpf_instruction> drop_if_first_is(char octet) {
    return {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(octet)},
            drop_all};
}

std::vector<bpf_instruction> take_if_first_is(char octet) {
    return {{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(octet)},
            accept_all,
            drop_all};
}

struct connection {
    connection() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
        from = descriptor(ends[0]);
        to = descriptor(ends[1]);
    }

    /// Whether a message arrives.
    bool passes(std::string_view message) const {
        REQUIRE(::send(from.number(), message.data(), message.size(), 0) ==
                static_cast<ssize_t>(message.size()));
        std::array<char, 16> octets{};
        return ::recv(to.number(), octets.data(), octets.size(), 0) ==
               static_cast<ssize_t>(message.size());
    }

    descriptor from;
    descriptor to;
};

} // namespace

TEST_CASE("without a program everything passes that the front lets through") {
    capture::kernel_filter filter;
    const connection made;
    REQUIRE(filter.add(made.to.number(), drop_if_first_is('x')));
    CHECK(filter.sockets() == 1);
    CHECK(made.passes("abc"));
    CHECK_FALSE(made.passes("xyz"));
}

TEST_CASE("a program is replaced on all sockets, and the fronts stay") {
    capture::kernel_filter filter;
    const connection one;
    const connection two;
    REQUIRE(filter.add(one.to.number(), drop_if_first_is('x')));
    REQUIRE(filter.add(two.to.number(), {}));
    REQUIRE(filter.replace(take_if_first_is('a')));
    CHECK(one.passes("abc"));
    CHECK_FALSE(one.passes("bcd"));
    CHECK(two.passes("abc"));
    CHECK_FALSE(two.passes("bcd"));
    REQUIRE(filter.replace(take_if_first_is('x')));
    CHECK_FALSE(one.passes("abc"));
    CHECK_FALSE(one.passes("xyz"));
    CHECK(two.passes("xyz"));
    REQUIRE(filter.replace({}));
    CHECK(one.passes("bcd"));
    CHECK_FALSE(one.passes("xyz"));
    CHECK(two.passes("xyz"));
}

TEST_CASE("a socket that is added later runs the program there is") {
    capture::kernel_filter filter;
    REQUIRE(filter.replace(take_if_first_is('a')));
    const connection made;
    REQUIRE(filter.add(made.to.number(), {}));
    CHECK(made.passes("abc"));
    CHECK_FALSE(made.passes("bcd"));
}

TEST_CASE("a socket that is removed keeps the program that it had") {
    capture::kernel_filter filter;
    const connection made;
    REQUIRE(filter.add(made.to.number(), {}));
    REQUIRE(filter.replace(take_if_first_is('a')));
    filter.remove(made.to.number());
    CHECK(filter.sockets() == 0);
    REQUIRE(filter.replace(take_if_first_is('b')));
    CHECK(made.passes("abc"));
    CHECK_FALSE(made.passes("bcd"));
}

TEST_CASE("a program that is refused leaves none behind") {
    std::vector<bpf_instruction> too_long(capture::kernel_filter::max_instructions, drop_all);
    too_long.push_back(drop_all);
    const std::vector<bpf_instruction> invalid{{BPF_JMP | BPF_JA, 0, 0, 1000}, accept_all};
    for (const auto& program : {too_long, invalid}) {
        CAPTURE(program.size());
        capture::kernel_filter filter;
        const connection made;
        REQUIRE(filter.add(made.to.number(), drop_if_first_is('x')));
        REQUIRE(filter.replace(take_if_first_is('a')));
        const auto refused = filter.replace(program);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == capture::errc::filter_not_in_kernel);
        CHECK(made.passes("bcd"));
        CHECK_FALSE(made.passes("xyz"));
        const connection later;
        REQUIRE(filter.add(later.to.number(), {}));
        CHECK(later.passes("bcd"));
    }
}

TEST_CASE("what is no socket is not added") {
    capture::kernel_filter filter;
    const auto refused = filter.add(-1, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == capture::errc::filter_not_in_kernel);
    CHECK(filter.sockets() == 0);
}
