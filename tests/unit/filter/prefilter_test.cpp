// SPDX-License-Identifier: Apache-2.0
#include <flowtap/filter/prefilter.hpp>

#include <algorithm>
#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <doctest/doctest.h>

#include <flowtap/core/descriptor.hpp>

#include "border_packets.hpp"
#include "compare.hpp"
#include "prefilter_frames.hpp"
#include "random_filters.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

constexpr prefilter_limits unbounded{1U << 30U, 1U << 30U};

prefilter made_of(std::span<const criterion> criteria) {
    prefilter made;
    for (const criterion& each : criteria)
        made.insert(each.slot(), each.spec());
    return made;
}

filter_spec to_host(std::uint32_t address) {
    filter_spec spec;
    spec.families = family::inet;
    spec.destination_addresses.entries = {{{{0, address}, {0, address}}, false}};
    return spec;
}

filter_spec to_host(address_bits address) {
    filter_spec spec;
    spec.families = family::inet6;
    spec.destination_addresses.entries = {{{address, address}, false}};
    return spec;
}

filter_spec to_port(std::uint8_t protocol, std::uint16_t port) {
    filter_spec spec;
    spec.families = family::inet;
    spec.protocols.entries = {{{protocol, protocol}, false}};
    spec.destination_ports.entries = {{{port, port}, false}};
    return spec;
}

packet_key datagram(std::uint32_t source, std::uint32_t destination, std::uint16_t port = 53) {
    packet_key key;
    key.source = {0, source};
    key.destination = {0, destination};
    key.protocol = 17;
    key.has_ports = true;
    key.source_port = 4000;
    key.destination_port = port;
    return key;
}

bpf_code program_of(std::initializer_list<filter_spec> specs, const prefilter_port& port) {
    prefilter all;
    std::uint32_t slot = 0;
    for (const filter_spec& each : specs)
        all.insert(slot_id(slot++), each);
    return all.program(port).value();
}

const prefilter_port raw_ingress{frame_layout::raw_ip, way_of_frames::ingress, {}, {}};
const prefilter_port ethernet_ingress{frame_layout::ethernet, way_of_frames::ingress, {}, {}};

/// What became of packets that a set was tried with.
struct outcome {
    std::size_t matching = 0;
    std::size_t missed = 0;
    std::size_t others = 0;
    std::size_t passed_others = 0;

    void count(bool matches, bool passes) {
        (matches ? matching : others) += 1;
        missed += matches && !passes ? 1 : 0;
        passed_others += !matches && passes ? 1 : 0;
    }
};

/// The programs of one set for every kind of port, each with the frame that it sees of a packet.
class all_programs {
public:
    explicit all_programs(std::span<const criterion> criteria) : criteria_(criteria) {
        const prefilter all = made_of(criteria);
        for (const frame_layout layout : {frame_layout::ethernet, frame_layout::raw_ip})
            for (const way_of_frames way :
                 {way_of_frames::packet_type, way_of_frames::ingress, way_of_frames::egress}) {
                runners_.push_back(
                    {layout, way, bpf_runner(*all.program(open_port(layout, way), unbounded))});
                REQUIRE(runners_.back().what.is_valid());
            }
    }

    void run(packet_key key, std::size_t options, outcome& count) {
        const direction way = key.way;
        key = as_decoded(key);
        key.way = way;
        if (key.of_family == family::ccc)
            return;
        const bool matches = !oracle(criteria_, key).empty();
        const auto packet = raw_packet(key, options);
        for (entry& each : runners_) {
            if (each.way == way_of_frames::packet_type)
                each.what.set_way(way);
            else if ((each.way == way_of_frames::egress) != (way == direction::egress))
                continue;
            if (each.layout == frame_layout::raw_ip)
                count.count(matches, each.what.passes(packet));
            else
                for (std::size_t tags = 0; tags <= 3; ++tags)
                    count.count(matches, each.what.passes(ethernet_frame(key, packet, tags,
                                                                         tags == 1 ? 20 : 0)));
        }
    }

private:
    struct entry {
        frame_layout layout;
        way_of_frames way;
        bpf_runner what;
    };
    std::span<const criterion> criteria_;
    std::vector<entry> runners_;
};

/// A datagram socket of which the kernel runs a program on what it receives.
class filtered_socket {
public:
    filtered_socket() {
        std::array<int, 2> ends{-1, -1};
        REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends.data()) == 0);
        from_ = descriptor(ends[0]);
        to_ = descriptor(ends[1]);
    }

    bool attach(const bpf_code& program) {
        std::vector<sock_filter> code;
        for (const bpf_instruction& each : program)
            code.push_back({each.code, each.jump_true, each.jump_false, each.operand});
        const sock_fprog given{static_cast<unsigned short>(code.size()), code.data()};
        return ::setsockopt(to_.number(), SOL_SOCKET, SO_ATTACH_FILTER, &given, sizeof given) == 0;
    }

    bool passes(byte_view frame) {
        REQUIRE(::send(from_.number(), frame.data(), frame.size(), 0) ==
                static_cast<ssize_t>(frame.size()));
        std::array<std::byte, 2048> room;
        return ::recv(to_.number(), room.data(), room.size(), 0) ==
               static_cast<ssize_t>(frame.size());
    }

private:
    descriptor from_;
    descriptor to_;
};

} // namespace

TEST_CASE("a prefilter keeps nothing away that some of many criteria match") {
    for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
        for (const std::size_t count : {1U, 2U, 5U, 20U, 100U}) {
            INFO("seed " << seed << ", count " << count);
            random_filters random(seed * 1000 + count);
            const auto criteria = random_criteria(random, count);
            all_programs programs(criteria);
            outcome counted;
            border_packets borders(seed);
            for (std::size_t i = 0; i < 400; ++i)
                programs.run(borders.near(criteria[i % count].spec()), i % 11, counted);
            for (std::size_t i = 0; i < 200; ++i)
                programs.run(random.packet(random.any_family()), i % 11, counted);
            CHECK(counted.missed == 0);
            CHECK(counted.matching > 100);
        }
    }
}

TEST_CASE("a prefilter keeps nothing away that one criterion matches") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        INFO("seed " << seed);
        random_filters random(seed);
        const auto criteria = random_criteria(random, 1, 10);
        all_programs programs(criteria);
        outcome counted;
        border_packets borders(seed);
        for (std::size_t i = 0; i < 60; ++i)
            programs.run(borders.near(criteria[0].spec()), i % 11, counted);
        CHECK(counted.missed == 0);
    }
}

TEST_CASE("a criterion without traffic in common with a packet keeps it away") {
    const bpf_runner hosts(program_of({to_host(0x0A000001), to_host(0x0A000003)}, raw_ingress));
    CHECK(hosts.passes(raw_packet(datagram(1, 0x0A000001))));
    CHECK_FALSE(hosts.passes(raw_packet(datagram(1, 0x0A000002))));
    CHECK(hosts.passes(raw_packet(datagram(1, 0x0A000003))));
    CHECK_FALSE(hosts.passes(raw_packet(datagram(0x0A000001, 1))));

    const bpf_runner ports(program_of({to_port(17, 53), to_port(6, 80)}, ethernet_ingress));
    const auto frame = [](std::uint16_t port, std::size_t tags) {
        const packet_key key = datagram(1, 2, port);
        return ethernet_frame(key, raw_packet(key, 3), tags, 0);
    };
    for (const std::size_t tags : {0U, 1U, 2U}) {
        CHECK(ports.passes(frame(53, tags)));
        CHECK_FALSE(ports.passes(frame(80, tags)));
    }
    CHECK(ports.passes(frame(80, 3)));
}

TEST_CASE("hosts of IPv6 are told apart by all of their words") {
    const address_bits one{0x2001'0DB8'0000'0001U, 0x0000'0001'0000'0002U};
    const bpf_runner program(program_of({to_host(one)}, raw_ingress));
    packet_key key;
    key.of_family = family::inet6;
    key.protocol = 50;
    key.destination = one;
    CHECK(program.passes(raw_packet(key)));
    for (const std::uint64_t bit : {1ULL, 1ULL << 32U, 1ULL << 63U}) {
        key.destination = {one.high ^ bit, one.low};
        CHECK_FALSE(program.passes(raw_packet(key)));
        key.destination = {one.high, one.low ^ bit};
        CHECK_FALSE(program.passes(raw_packet(key)));
    }
}

TEST_CASE("ranges are exact at both ends, also where they cross words") {
    constexpr std::uint64_t seed = 7;
    INFO("seed " << seed);
    random_filters random(seed);
    for (int round = 0; round < 200; ++round) {
        const family of = round % 2 == 0 ? family::inet : family::inet6;
        std::vector<filter_spec> specs;
        for (std::uint64_t left = 1 + random.below(12); left != 0; --left) {
            filter_spec spec;
            spec.families = of;
            address_bits first = random.address(of);
            address_bits last = random.address(of);
            if (random.chance(50))
                last = {first.high, first.low + (of == family::inet ? 3 : 1ULL << 33U)};
            if (of == family::inet)
                last.low &= 0xFFFF'FFFFU;
            if (last < first)
                std::swap(first, last);
            spec.destination_addresses.entries = {{{first, last}, false}};
            specs.push_back(spec);
        }
        prefilter all;
        for (std::size_t i = 0; i < specs.size(); ++i)
            all.insert(slot_id(static_cast<std::uint32_t>(i)), specs[i]);
        const bpf_runner program(*all.program(raw_ingress));
        const auto is_exact = [&](address_bits address) {
            packet_key key;
            key.of_family = of;
            key.protocol = 47;
            key.destination = address;
            const bool matching = std::ranges::any_of(
                specs, [&](const filter_spec& each) { return matches(each, key); });
            return program.passes(raw_packet(key)) == matching;
        };
        // Ranges that hold half of all addresses are no condition, and pass everything.
        packet_key elsewhere;
        elsewhere.of_family = of;
        elsewhere.protocol = 47;
        bool passes_all = true;
        for (int i = 0; i < 64; ++i) {
            elsewhere.destination = random.address(of);
            passes_all = passes_all && program.passes(raw_packet(elsewhere));
        }
        if (passes_all)
            continue;
        const address_bits top = highest_address(of);
        for (const filter_spec& each : specs) {
            const auto& range = each.destination_addresses.entries[0];
            CHECK(is_exact(range.first));
            CHECK(is_exact(range.last));
            if (range.first != address_bits{})
                CHECK(is_exact(
                    {range.first.high - (range.first.low == 0 ? 1 : 0), range.first.low - 1}));
            if (range.last != top)
                CHECK(is_exact(
                    {range.last.high + (range.last.low == ~0ULL ? 1 : 0), range.last.low + 1}));
        }
    }
}

TEST_CASE("packets without the header that a filter looks at are let through") {
    const bpf_runner program(program_of({to_port(17, 53)}, raw_ingress));
    auto fragment = raw_packet(datagram(1, 2, 80));
    CHECK_FALSE(program.passes(fragment));
    fragment[7] = std::byte{1};
    CHECK(program.passes(fragment));

    filter_spec spec = to_port(17, 53);
    spec.families = family::inet6;
    const bpf_runner inet6(program_of({spec}, raw_ingress));
    packet_key key = datagram(1, 2, 80);
    key.of_family = family::inet6;
    auto packet = raw_packet(key);
    CHECK_FALSE(inet6.passes(packet));
    packet[6] = std::byte{44};
    CHECK(inet6.passes(packet));
}

TEST_CASE("frames that end inside a header are let through") {
    const auto whole = ethernet_frame(datagram(1, 2, 53), raw_packet(datagram(1, 2, 53)), 1, 0);
    const bpf_runner program(program_of({to_port(17, 53)}, ethernet_ingress));
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        INFO("size " << size);
        CHECK(program.passes(std::span(whole).first(size)));
    }
}

TEST_CASE("whole frames are passed if a criterion is about them, one way only") {
    filter_spec spec;
    spec.families = family::ccc;
    spec.scope = output_scope{{interface_id(4)}};
    prefilter_port port = open_port(frame_layout::ethernet, way_of_frames::packet_type);
    bpf_runner program(program_of({spec}, port));
    std::vector<std::byte> arp(60);
    arp[12] = std::byte{0x08};
    arp[13] = std::byte{0x06};
    program.set_way(direction::egress);
    CHECK(program.passes(arp));
    program.set_way(direction::ingress);
    CHECK_FALSE(program.passes(arp));

    port.interfaces = {interface_id(5)};
    bpf_runner other(program_of({spec}, port));
    other.set_way(direction::egress);
    CHECK_FALSE(other.passes(arp));
}

TEST_CASE("LLC and PPPoE are let through, other protocols are not") {
    const bpf_runner program(program_of({to_host(0x0A000001)}, ethernet_ingress));
    const auto passes = [&](unsigned type) {
        std::vector<std::byte> frame(60);
        frame[12] = static_cast<std::byte>(type >> 8U);
        frame[13] = static_cast<std::byte>(type & 0xFFU);
        return program.passes(frame);
    };
    CHECK(passes(46));
    CHECK(passes(1500));
    CHECK(passes(0x8864));
    CHECK_FALSE(passes(0x0806));
    CHECK_FALSE(passes(0x8847));
    CHECK_FALSE(passes(0x86DD));
}

TEST_CASE("a set without criteria keeps everything away, and a program of its own nothing") {
    const bpf_runner nothing(prefilter().program(ethernet_ingress).value());
    const bpf_runner everything(pass_everything());
    const std::vector<std::byte> frame(60);
    CHECK(nothing.is_valid());
    CHECK(everything.is_valid());
    CHECK_FALSE(nothing.passes(frame));
    CHECK(everything.passes(frame));
}

TEST_CASE("a criterion that is erased or replaced is needed no more") {
    prefilter all;
    all.insert(slot_id(1), to_host(1));
    all.insert(slot_id(2), to_host(2));
    all.insert(slot_id(2), to_host(3));
    CHECK(all.size() == 2);
    all.erase(slot_id(1));
    all.erase(slot_id(7));
    CHECK(all.size() == 1);
    const bpf_runner program(*all.program(raw_ingress));
    CHECK_FALSE(program.passes(raw_packet(datagram(9, 1))));
    CHECK_FALSE(program.passes(raw_packet(datagram(9, 2))));
    CHECK(program.passes(raw_packet(datagram(9, 3))));
}

TEST_CASE("a program in front of another one passes what either passes") {
    for (const std::uint64_t seed : {21U, 22U, 23U}) {
        INFO("seed " << seed);
        random_filters random(seed);
        const auto criteria = random_criteria(random, 150, 0);
        const std::span all(criteria);
        const prefilter_port port = open_port(frame_layout::ethernet, way_of_frames::ingress);
        const auto old = made_of(all.first(120)).program(port, unbounded);
        const auto added = made_of(all.subspan(120));
        const bpf_runner before(*old);
        const bpf_runner only(*added.program(port, unbounded));
        const bpf_runner both(*added.program(port, unbounded, *old));
        CHECK(both.is_valid());
        for (int i = 0; i < 2000; ++i) {
            packet_key key =
                as_decoded(random.packet(random.chance(50) ? family::inet : family::inet6));
            const auto frame = ethernet_frame(key, raw_packet(key), 0, 0);
            REQUIRE(both.passes(frame) == (before.passes(frame) || only.passes(frame)));
        }
    }
}

TEST_CASE("a thousand hosts take some 1300 instructions, and too many are given up") {
    constexpr std::uint64_t seed = 11;
    INFO("seed " << seed);
    std::mt19937_64 engine(seed);
    prefilter all;
    std::size_t hosts = 0;
    const auto add = [&](std::size_t count) {
        for (; hosts < count; ++hosts)
            all.insert(slot_id(static_cast<std::uint32_t>(hosts)),
                       to_host(static_cast<std::uint32_t>(engine())));
    };
    const prefilter_port port = open_port(frame_layout::ethernet, way_of_frames::packet_type);
    add(1000);
    const auto thousand = all.program(port);
    REQUIRE(thousand.has_value());
    CHECK(thousand->size() < 1400);
    CHECK(bpf_runner(*thousand).is_valid());
    CHECK_FALSE(all.program(port, {thousand->size() - 1, 50'000}).has_value());
    CHECK(all.program(port, {thousand->size(), 50'000}).has_value());
    CHECK_FALSE(all.program(port, {thousand->size(), 999}).has_value());
    add(2500);
    REQUIRE(all.program(port).has_value());
    add(4000);
    CHECK_FALSE(all.program(port).has_value());
}

TEST_CASE("hosts of IPv6 that are too many become their networks") {
    constexpr std::uint64_t seed = 12;
    INFO("seed " << seed);
    std::mt19937_64 engine(seed);
    prefilter all;
    std::vector<address_bits> hosts;
    const auto add = [&](std::size_t count) {
        while (hosts.size() < count) {
            hosts.push_back({0x2001'0DB8'0000'0000U | (engine() & 0xFFFF'FFFFU), engine()});
            all.insert(slot_id(static_cast<std::uint32_t>(hosts.size())), to_host(hosts.back()));
        }
    };
    const auto passes = [&](address_bits address) {
        packet_key key;
        key.of_family = family::inet6;
        key.protocol = 50;
        key.destination = address;
        return bpf_runner(*all.program(raw_ingress)).passes(raw_packet(key));
    };
    add(400);
    CHECK(passes(hosts[0]));
    CHECK_FALSE(passes({hosts[0].high, hosts[0].low + 1}));
    add(2000);
    CHECK(passes(hosts[0]));
    CHECK(passes({hosts[0].high, hosts[0].low + 1}));
    CHECK_FALSE(passes({hosts[0].high ^ (1ULL << 40U), hosts[0].low}));
}

TEST_CASE("the kernel takes the programs and decides as libpcap does") {
    for (const std::uint64_t seed : {31U, 32U}) {
        INFO("seed " << seed);
        random_filters random(seed);
        const auto criteria = random_criteria(random, 60, 0);
        for (const frame_layout layout : {frame_layout::ethernet, frame_layout::raw_ip}) {
            const prefilter all = made_of(criteria);
            filtered_socket kernel;
            // What comes through such a socket is no packet of a device, and so not outgoing.
            const auto asking = all.program(open_port(layout, way_of_frames::packet_type));
            const auto ingress = all.program(open_port(layout, way_of_frames::ingress));
            REQUIRE(asking.has_value());
            REQUIRE(kernel.attach(*asking));
            const bpf_runner libpcap(*ingress);
            for (int i = 0; i < 500; ++i) {
                const packet_key key =
                    as_decoded(random.packet(random.chance(50) ? family::inet : family::inet6));
                const auto packet = raw_packet(key, static_cast<std::size_t>(i % 11));
                const auto frame = layout == frame_layout::raw_ip
                                       ? packet
                                       : ethernet_frame(key, packet, i % 4U, 0);
                REQUIRE(kernel.passes(frame) == libpcap.passes(frame));
            }
        }
    }
}

TEST_CASE("the kernel takes the longest programs") {
    std::mt19937_64 engine(13);
    prefilter all;
    for (std::uint32_t i = 0; i < 2700; ++i)
        all.insert(slot_id(i), to_host(static_cast<std::uint32_t>(engine())));
    const auto program = all.program(open_port(frame_layout::ethernet, way_of_frames::packet_type));
    REQUIRE(program.has_value());
    CHECK(program->size() > 3500);
    filtered_socket kernel;
    CHECK(kernel.attach(*program));
}
