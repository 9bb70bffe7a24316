// SPDX-License-Identifier: Apache-2.0
//
// Subscribers that log in and out while intercepts are active: 100,000 sessions there, 2,000
// criteria of DTCP by every kind of trigger, each with one session that is mirrored through a pool
// of four. Every session that comes is looked up in all triggers; one in fifty is bound, and taken
// from it when it goes. Mirrors go to a port that only counts: what the data path does with them is
// measured by path_in_force.
//
// sessions/s: logins and as many logouts. octets/session: what 100,000 sessions have allocated.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <flowtap/subscriber/mirroring.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::subscriber;

constexpr std::uint32_t session_count = 100'000;
constexpr std::uint32_t trigger_count = 2'000;

class counting_port final : public tap::mirror_port {
public:
    result<tap::mirror_number> add_mirror(const tap::mirror&) override {
        return tap::mirror_number{++added};
    }
    result<void> change_mirror(tap::mirror_number, const tap::mirror&) override { return {}; }
    void remove_mirror(tap::mirror_number) override { ++removed; }

    std::uint64_t added = 0;
    std::uint64_t removed = 0;
};

class counting_listener final : public event_listener {
public:
    void on_event(const event&, time_stamp) override { ++events; }
    std::uint64_t events = 0;
};

/// A dual-stack subscriber of usual attributes.
session_record subscriber_number(std::uint32_t number) {
    const std::string text = std::to_string(number);
    session_record made;
    made.identity = {"192.0.2." + std::to_string(number % 8), text};
    made.user_name = "subscriber" + text + "@isp.example";
    made.addresses = {{ip_address::v4(0x0A000000 + number), 32},
                      {ip_address(family::inet6, {0x20010DB800000000U + (number << 8U), 0}), 56}};
    made.nas_port_id = "ge-1/0/" + std::to_string(number % 10) + ":" + text;
    made.circuit_id = "olt7 eth 1/1/" + text;
    made.remote_id = "remote-" + text;
    made.calling_station = "02:00:" + text;
    return made;
}

tap::subscriber_request trigger_for(std::uint32_t number, std::uint32_t of) {
    const session_record target = subscriber_number(of);
    tap::subscriber_request made;
    made.number = tap::trigger_number{number};
    made.control_source = "lea";
    made.id.intercept_id = number;
    made.copies.emplace_back();
    made.copies.back().destination = {ip_address::v4(0xC0000205), 6502};
    switch (number % 5) {
    case 0:
        made.subscribers = {tap::session_trait::user_name, target.user_name, {}, {}};
        break;
    case 1:
        made.subscribers = {
            tap::session_trait::address, to_string(target.addresses.front().address), {}, {}};
        break;
    case 2:
        made.subscribers = {tap::session_trait::nas_port_id, target.nas_port_id, {}, {}};
        break;
    case 3:
        made.subscribers = {tap::session_trait::circuit_id, target.circuit_id, {}, {}};
        break;
    default:
        made.subscribers = {tap::session_trait::calling_station, target.calling_station, {}, {}};
        break;
    }
    return made;
}

struct network {
    network() : all(make_settings(), events) {
        all.attach(port);
        const std::size_t before = mallinfo2().uordblks;
        for (std::uint32_t i = 0; i < session_count; ++i)
            static_cast<void>(all.put_session(subscriber_number(i), {}));
        octets = static_cast<double>(mallinfo2().uordblks - before) / session_count;
        for (std::uint32_t i = 0; i < trigger_count; ++i)
            all.add(trigger_for(i + 1, i * (session_count / trigger_count)), {});
    }

    static mirroring_settings make_settings() {
        mirroring_settings with;
        with.source_address = ip_address::v4(0xC6336409);
        for (std::uint32_t i = 1; i <= 4; ++i) {
            with.pool.emplace_back();
            with.pool.back().name = "vt-0/0/" + std::to_string(i);
            with.pool.back().egress = path::egress_id{i};
        }
        return with;
    }

    counting_port port;
    counting_listener events;
    mirroring all;
    double octets = 0;
};

network& usual() {
    static network made;
    return made;
}

void log_in_and_out(benchmark::State& state) {
    network& of = usual();
    std::uint32_t next = 0;
    const std::uint64_t mirrored = of.port.added;
    for (auto _ : state) {
        session_record one = subscriber_number(next);
        of.all.end_session(one.identity, {});
        static_cast<void>(of.all.put_session(std::move(one), {}));
        next = (next + 1) % session_count;
    }
    state.counters["sessions/s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
    state.counters["mirrored"] = static_cast<double>(of.port.added - mirrored);
    state.counters["octets/session"] = of.octets;
}
BENCHMARK(log_in_and_out);

void interim_update(benchmark::State& state) {
    network& of = usual();
    std::uint32_t next = 0;
    for (auto _ : state) {
        static_cast<void>(of.all.put_session(subscriber_number(next), {}));
        next = (next + 1) % session_count;
    }
}
BENCHMARK(interim_update);

void add_and_delete(benchmark::State& state) {
    network& of = usual();
    std::uint32_t next = 1;
    for (auto _ : state) {
        const tap::subscriber_request asked = trigger_for(trigger_count + 1, next);
        if (of.all.check(asked))
            of.all.add(asked, {});
        of.all.remove(asked.number, {});
        next = (next + 7) % session_count;
    }
}
BENCHMARK(add_and_delete);

} // namespace

BENCHMARK_MAIN();
