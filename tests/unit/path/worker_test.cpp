// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <flowtap/path/data_path.hpp>

#include "fixtures.hpp"

using namespace flowtap;
using namespace flowtap::path;
using namespace flowtap::path::test;
using packet::verdict;

namespace {

/// A data path with one worker over prepared packets.
struct bench {
    explicit bench(std::vector<captured_packet> packets, worker_options options = {})
        : work(path.add_worker(std::make_unique<listed_source>(std::move(packets)),
                               std::make_unique<collecting_sink>(got), options)) {}

    std::uint64_t decoded(verdict what) const {
        return work.counters().decoded[static_cast<std::size_t>(what)];
    }

    deliveries got;
    data_path path;
    worker& work;
    tapping taps{path};
};

} // namespace

TEST_CASE("a worker copies what a criterion asks for and counts the rest") {
    const octets wanted = udp_packet(2);
    const octets other = udp_packet(3);
    bench all({captured(wanted), captured(other), captured(wanted)});
    const slot_id slot = all.taps.add(to_host(2), {5});
    all.taps.publish();
    CHECK(all.work.run() == worker::outcome::finished);
    REQUIRE(all.got.size() == 1);
    CHECK(all.got[5] == std::vector<octets>{wanted, wanted});
    const path_counters counters = all.work.counters();
    CHECK(counters.seen == 3);
    CHECK(counters.seen_octets == 3 * wanted.size());
    CHECK(counters.tapped == 2);
    CHECK(counters.copies == 2);
    CHECK(counters.delivered == 2);
    CHECK(closes(counters));
    CHECK(counters == all.path.counters());
    CHECK(all.path.counters(slot).packets == 2);
    CHECK(all.path.counters(slot).octets == 2 * wanted.size());
}

TEST_CASE("one copy goes into each stream, however many criteria match, and each counts") {
    const octets sent = udp_packet(2);
    bench all({captured(sent), captured(sent)});
    const slot_id a = all.taps.add(any_ipv4(), {0, 1});
    const slot_id b = all.taps.add(to_host(2), {1, 0});
    const slot_id c = all.taps.add(to_host(2), {1});
    const slot_id other_source = all.taps.add(to_host(2), {2});
    all.taps.publish();
    all.work.run();
    CHECK(all.got[0].size() == 2);
    CHECK(all.got[1].size() == 2);
    CHECK(all.got[2].size() == 2);
    for (const slot_id slot : {a, b, c, other_source})
        CHECK(all.path.counters(slot).packets == 2);
    CHECK(all.work.counters().tapped == 2);
    CHECK(all.work.counters().copies == 6);
}

TEST_CASE("a packet whose copies fill the outbox many times over is still copied once a stream") {
    const octets sent = udp_packet(2);
    bench all({captured(sent), captured(sent)});
    for (std::uint32_t stream = 0; stream < 700; stream += 2)
        all.taps.add(any_ipv4(), {stream, stream + 1});
    all.taps.publish();
    all.work.run();
    CHECK(all.got.size() == 700);
    for (const auto& [stream, packets] : all.got)
        CHECK(packets.size() == 2);
    CHECK(closes(all.work.counters()));
}

TEST_CASE("packets cut short are counted and sent only when asked for") {
    const octets whole = udp_packet(2, 53, 100);
    captured_packet cut = captured(whole);
    cut.frame = cut.frame.first(60);
    SUBCASE("by default they are not sent") {
        bench all({cut, captured(whole)});
        all.taps.add(any_ipv4(), {0});
        all.taps.publish();
        all.work.run();
        CHECK(all.got[0] == std::vector<octets>{whole});
        CHECK(all.decoded(verdict::cut_short) == 1);
        CHECK(all.decoded(verdict::ip) == 1);
    }
    SUBCASE("on request what there is of them is sent, and their real length counts") {
        worker_options options;
        options.cut_short = cut_short_packets::send;
        bench all({cut}, options);
        const slot_id slot = all.taps.add(any_ipv4(), {0});
        all.taps.publish();
        all.work.run();
        CHECK(all.got[0] == std::vector<octets>{octets(whole.begin(), whole.begin() + 60)});
        CHECK(all.path.counters(slot).octets == whole.size());
        CHECK(closes(all.work.counters(), cut_short_packets::send));
    }
}

TEST_CASE("what is not IP, later fragments and broken packets are counted by kind") {
    octets fragment = udp_packet(2);
    store_big_endian<std::uint16_t>(std::span(fragment).subspan(6), 5);
    octets arp = ethernet(udp_packet(2));
    store_big_endian<std::uint16_t>(std::span(arp).subspan(12), 0x0806);
    octets broken = udp_packet(2);
    broken[0] = std::byte{0x42};
    bench all({captured(fragment), captured(arp, packet::link_type::ethernet), captured(broken),
               captured(broken, static_cast<packet::link_type>(9999))});
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.work.run();
    CHECK(all.got.empty());
    CHECK(all.decoded(verdict::later_fragment) == 1);
    CHECK(all.decoded(verdict::not_ip) == 1);
    CHECK(all.decoded(verdict::malformed) == 1);
    CHECK(all.decoded(verdict::unsupported_link) == 1);
    CHECK(closes(all.work.counters()));
}

TEST_CASE("interface, routing instance and direction come from port, VLAN and source") {
    const octets tagged = ethernet(udp_packet(2), 100);
    const octets plain = ethernet(udp_packet(3));
    const auto in = [](const octets& frame, direction way) {
        captured_packet made = captured(frame, packet::link_type::ethernet);
        made.port = port_id(1);
        made.way = way;
        return made;
    };
    bench all({in(tagged, direction::ingress), in(tagged, direction::egress),
               in(plain, direction::ingress), in(plain, direction::egress)});
    auto map = std::make_shared<interface_map>();
    map->bind(port_id(1), {interface_id(10), vrf_id(0)});
    map->bind(port_id(1), 100, {interface_id(11), vrf_id(4)});
    all.taps.interfaces = map;
    filter_spec spec = any_ipv4();
    all.taps.add(spec, {0});
    spec.scope = input_scope{{interface_id(11)}};
    all.taps.add(spec, {1});
    spec.scope = output_scope{{interface_id(10)}};
    all.taps.add(spec, {2});
    spec.scope = vrf_scope{vrf_id(4)};
    all.taps.add(spec, {3});
    all.taps.publish();
    all.work.run();
    CHECK(all.got[0] == std::vector<octets>{udp_packet(2), udp_packet(3)});
    CHECK(all.got[1] == std::vector<octets>{udp_packet(2)});
    CHECK(all.got[2] == std::vector<octets>{udp_packet(3)});
    CHECK(all.got[3] == std::vector<octets>{udp_packet(2)});
}

TEST_CASE("packets of the access point's own services are counted and never tapped") {
    const octets own = udp_packet(2, 32002);
    const octets other = udp_packet(2, 53);
    bench all({captured(own), captured(other)});
    auto services = std::make_shared<own_traffic>();
    services->add(17, {ip_address::v4(0x0A000002), 32002});
    all.taps.own = services;
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.work.run();
    CHECK(all.got[0].size() == 1);
    CHECK(all.work.counters().own == 1);
    CHECK(all.work.counters().seen == 2);
}

TEST_CASE("a source that breaks off has its packets processed and its failure shown") {
    const octets sent = udp_packet(2);
    deliveries got;
    data_path path;
    worker& work = path.add_worker(
        std::make_unique<listed_source>(std::vector{captured(sent)}, source_state::failed),
        std::make_unique<collecting_sink>(got));
    tapping taps(path);
    taps.add(any_ipv4(), {0});
    taps.publish();
    CHECK(work.run() == worker::outcome::failed);
    CHECK(got[0].size() == 1);
}

TEST_CASE("a worker without a published snapshot sees everything and copies nothing") {
    const octets sent = udp_packet(2);
    bench all({captured(sent)});
    CHECK(all.work.run() == worker::outcome::finished);
    CHECK(all.work.counters().seen == 1);
    CHECK(all.work.counters().abandoned == 0);
    CHECK(all.got.empty());
}

TEST_CASE("a live source drops what a full sink does not take, a file waits") {
    const std::vector<octets> packets(10, udp_packet(2));
    deliveries got;
    auto to = std::make_unique<collecting_sink>(got, 4);
    int waits = 0;
    to->on_wait = [&waits](collecting_sink& sink) {
        ++waits;
        sink.make_room(4);
    };
    const auto run = [&](backpressure full) {
        data_path path;
        worker& work =
            path.add_worker(std::make_unique<repeating_source>(packets, 1, full), std::move(to));
        tapping taps(path);
        taps.add(any_ipv4(), {0});
        taps.publish();
        work.run();
        CHECK(closes(work.counters()));
        return work.counters();
    };
    SUBCASE("live") {
        const path_counters counters = run(backpressure::drop);
        CHECK(waits == 0);
        CHECK(got[0].size() == 4);
        CHECK(counters.delivered == 4);
        CHECK(dropped(counters, drop_cause::sink_full) == 6);
        CHECK(counters.lost == 7);
    }
    SUBCASE("file") {
        const path_counters counters = run(backpressure::wait);
        CHECK(waits == 2);
        CHECK(got[0].size() == 10);
        CHECK(counters.delivered == 10);
    }
}

TEST_CASE("a stream that a sink has no room for costs the others of a live source nothing") {
    // Room for every stream but one; the calls are counted.
    struct partly_full_sink final : sink {
        explicit partly_full_sink(deliveries& into) : got(into) {}
        std::size_t consume(std::span<const copy> copies) noexcept override {
            ++calls;
            std::size_t taken = 0;
            while (taken < copies.size() && copies[taken].stream != stream_id(1))
                got[copies[taken].stream.value()].emplace_back(copies[taken].packet.begin(),
                                                               copies[taken].packet.end()),
                    ++taken;
            ledger().delivered(copies.first(taken));
            return taken;
        }
        void wait(std::chrono::milliseconds) noexcept override {}
        deliveries& got;
        int calls = 0;
    };
    std::vector<octets> packets;
    for (std::uint8_t i = 0; i < 80; ++i)
        packets.push_back(udp_packet(2, i));
    deliveries got;
    auto to = std::make_unique<partly_full_sink>(got);
    const partly_full_sink& sink = *to;
    data_path path;
    worker& work = path.add_worker(
        std::make_unique<repeating_source>(packets, 1, backpressure::drop), std::move(to));
    tapping taps(path);
    taps.add(any_ipv4(), {0, 1});
    taps.add(any_ipv4(), {2});
    taps.publish();
    work.run();
    CHECK(got[0] == packets);
    CHECK(got[2] == packets);
    CHECK(dropped(work.counters(), drop_cause::sink_full) == 80);
    CHECK(closes(work.counters()));
    // The others still go out together, not one by one.
    CHECK(sink.calls == 2);
}

TEST_CASE("after a stop no copy is made, and those made are handed over within the limit") {
    const std::vector<octets> packets(300, udp_packet(2));
    deliveries got;
    auto to = std::make_unique<collecting_sink>(got, 10);
    data_path path;
    worker_options options;
    options.batch = 300;
    worker* work = nullptr;
    SUBCASE("a sink that gets room in time takes all that was made") {
        to->on_wait = [&work](collecting_sink& sink) {
            work->request_stop();
            sink.make_room(100);
        };
        work = &path.add_worker(std::make_unique<repeating_source>(packets, 5), std::move(to),
                                options);
        tapping taps(path);
        taps.add(any_ipv4(), {0});
        taps.publish();
        CHECK(work->run() == worker::outcome::stopped);
        // One outbox was full when the stop came; no copy was made after it.
        CHECK(got[0].size() == 256);
        CHECK(work->counters().copies == 256);
        CHECK(work->counters().abandoned == 300 - 256);
    }
    SUBCASE("what a full sink does not take in time is counted as stopped") {
        options.stop_limit = std::chrono::milliseconds(0);
        to->on_wait = [&work](collecting_sink&) { work->request_stop(); };
        work = &path.add_worker(std::make_unique<repeating_source>(packets, 5), std::move(to),
                                options);
        tapping taps(path);
        taps.add(any_ipv4(), {0});
        taps.publish();
        CHECK(work->run() == worker::outcome::stopped);
        CHECK(got[0].size() == 10);
        CHECK(dropped(work->counters(), drop_cause::stopped) == 246);
        CHECK(work->counters().copies == 256);
    }
    const path_counters counters = work->counters();
    CHECK(closes(counters));
    const auto ip = counters.decoded[static_cast<std::size_t>(verdict::ip)];
    CHECK(ip == counters.tapped + counters.own + counters.abandoned);
}

TEST_CASE("a stop before the start reads nothing") {
    const octets sent = udp_packet(2);
    bench all({captured(sent)});
    all.taps.add(any_ipv4(), {0});
    all.taps.publish();
    all.work.request_stop();
    CHECK(all.work.run() == worker::outcome::stopped);
    CHECK(all.work.counters().seen == 0);
}
