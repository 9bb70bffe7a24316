// SPDX-License-Identifier: Apache-2.0
//
// What a worker costs per packet, from the source to a sink that takes everything: with plain
// criteria, with budgets that do not end, with limits on copies, with gates that let all through,
// with drop policies, with fragments that follow and whole frames that are asked for elsewhere; and
// what floods of fragments cost. Each row is shown to copy what it should.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/filter/classifier.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>
#include <flowtap/path/drop_policy.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::path;

constexpr std::size_t batch = 256;
constexpr std::uint32_t hosts = 100;
/// What a worker remembers of fragments at most.
constexpr std::uint64_t path_bound = 16'384 + 1'024;

/// UDP over IPv4 to 10.0.<h/256>.<h%256>, 64 octets.
std::vector<std::byte> packet_to(std::uint32_t host) {
    std::vector<std::byte> made(64);
    const std::span<std::byte> out(made);
    store_big_endian<std::uint8_t>(out, 0x45);
    store_big_endian<std::uint16_t>(out.subspan(2), 64);
    store_big_endian<std::uint8_t>(out.subspan(8), 64);
    store_big_endian<std::uint8_t>(out.subspan(9), 17);
    store_big_endian<std::uint32_t>(out.subspan(12), 0x0A010001);
    store_big_endian<std::uint32_t>(out.subspan(16), 0x0A000000U + host);
    store_big_endian<std::uint16_t>(out.subspan(24), 44);
    return made;
}

class endless_source final : public source {
public:
    /// One of `every` packets is to one of the hosts that criteria ask for.
    explicit endless_source(std::uint32_t every) {
        for (std::uint32_t i = 0; i < 4096; ++i)
            packets_.push_back(packet_to(i % every == 0 ? i / every % hosts : 0x8000 + i));
    }
    read_result read(std::span<captured_packet> into) noexcept override {
        for (captured_packet& each : into) {
            each = {.frame = packets_[next_], .wire_length = 64, .link = packet::link_type::raw};
            next_ = (next_ + 1) % packets_.size();
        }
        return {into.size(), source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<std::vector<std::byte>> packets_;
    std::size_t next_ = 0;
};

class empty_sink final : public sink {
public:
    std::size_t consume(std::span<const copy> copies) noexcept override {
        benchmark::DoNotOptimize(copies.data());
        ledger().delivered(copies);
        return copies.size();
    }
    void wait(std::chrono::milliseconds) noexcept override {}
};

enum class dress { plain, packets, octets, both, limits, gates, policies, fragments, frames };

/// Three terms that no packet meets.
std::shared_ptr<const drop_policy> policy_beside_the_traffic() {
    std::vector<filter_spec> terms(3);
    for (std::uint16_t i = 0; i < 3; ++i) {
        terms[i].families = family::inet;
        const auto port = static_cast<std::uint16_t>(443 + i);
        terms[i].destination_ports.entries.push_back({{port, port}, false});
    }
    return *drop_policy::make(terms);
}

/// Criteria for each host, with two streams each of their own.
snapshot tasked(data_path& path, dress with) {
    packet::encapsulation outer;
    outer.source = {ip_address::v4(0xC6336409), 40000};
    outer.destination = {ip_address::v4(0xC0000205), 2300};
    const auto header = packet::header_template::make(outer).value();
    std::vector<filter::criterion> criteria;
    snapshot made;
    for (std::uint32_t host = 0; host < hosts; ++host) {
        slot_id slot;
        path.acquire(slot);
        filter_spec spec;
        spec.families = family::inet;
        const address_bits bits{0, 0x0A000000U + host};
        spec.destination_addresses.entries.push_back({{bits, bits}, false});
        criteria.push_back(filter::criterion::make(slot, spec).value());
        action what;
        what.targets.push_back({stream_id(host), {}, header});
        what.group = copy_group_id(with == dress::limits ? 1 : 0);
        what.rank = hosts - host;
        if (with == dress::policies)
            what.withholds = policy_beside_the_traffic();
        made.actions.assign(slot, std::move(what));
        match_budget budget;
        if (with == dress::packets || with == dress::both)
            budget.packets = std::uint64_t{1} << 40;
        if (with == dress::octets || with == dress::both)
            budget.octets = std::uint64_t{1} << 60;
        path.grant(slot, budget);
    }
    if (with == dress::frames) {
        slot_id slot;
        path.acquire(slot);
        filter_spec spec;
        spec.families = family::ccc;
        spec.scope = input_scope{{interface_id(7)}};
        criteria.push_back(filter::criterion::make(slot, spec).value());
        made.actions.assign(slot, {});
    }
    made.criteria =
        std::make_shared<const filter::classifier>(filter::classifier::build(criteria).value());
    if (with == dress::limits)
        made.copy_limits = {0, 3};
    if (with == dress::fragments)
        made.fragments = fragment_policy::all;
    if (with == dress::gates) {
        auto gates = std::make_shared<input_gates>();
        gates->set(port_id(0), std::make_shared<rate_gate>(1'000'000'000));
        made.gates = std::move(gates);
    }
    return made;
}

/// `state.range(0)`: one of so many packets is copied.
void work(benchmark::State& state, dress with) {
    data_path path;
    const auto every = static_cast<std::uint32_t>(state.range(0));
    worker& one = path.add_worker(std::make_unique<endless_source>(every),
                                  std::make_unique<empty_sink>(), {.batch = batch});
    path.publish(tasked(path, with));
    for (auto _ : state)
        one.run_once();
    const path_counters counted = one.counters();
    state.SetItemsProcessed(static_cast<std::int64_t>(counted.seen));
    if (counted.delivered != counted.tapped || counted.tapped * every < counted.seen ||
        counted.sampled_out != 0)
        state.SkipWithError("what was copied is not what should be");
}
BENCHMARK_CAPTURE(work, plain, dress::plain)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, budget_of_packets, dress::packets)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, budget_of_octets, dress::octets)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, budget_of_both, dress::both)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, copy_limits, dress::limits)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, drop_policies, dress::policies)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, gates, dress::gates)->Arg(1)->Arg(20);

BENCHMARK_CAPTURE(work, fragments, dress::fragments)->Arg(1)->Arg(20);
BENCHMARK_CAPTURE(work, frames, dress::frames)->Arg(1)->Arg(20);

/// Fragments of packets of ever other identifications from ever other sources.
class flooding_source final : public source {
public:
    /// The field of flags and offset.
    explicit flooding_source(std::uint16_t fragment) : packets_(batch, packet_to(0x8000)) {
        for (std::vector<std::byte>& each : packets_)
            store_big_endian(std::span(each).subspan(6), fragment);
    }
    read_result read(std::span<captured_packet> into) noexcept override {
        for (std::size_t i = 0; i < into.size(); ++i) {
            const std::span<std::byte> octets(packets_[i]);
            ++next_;
            store_big_endian(octets.subspan(4), static_cast<std::uint16_t>(next_));
            store_big_endian(octets.subspan(12), static_cast<std::uint32_t>(next_ * 0x9E3779B9U));
            into[i] = {.frame = octets, .wire_length = 64, .link = packet::link_type::raw};
        }
        return {into.size(), source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<std::vector<std::byte>> packets_;
    std::uint32_t next_ = 0;
};

void flood(benchmark::State& state, std::uint16_t fragment) {
    data_path path;
    worker& one = path.add_worker(std::make_unique<flooding_source>(fragment),
                                  std::make_unique<empty_sink>(), {.batch = batch});
    path.publish(tasked(path, dress::fragments));
    for (auto _ : state)
        one.run_once();
    const path_counters counted = one.counters();
    state.SetItemsProcessed(static_cast<std::int64_t>(counted.seen));
    const std::uint64_t displaced =
        counted.fragments.decisions_displaced +
        counted.fragments.left_out[static_cast<std::size_t>(fragment_loss::displaced)];
    if (displaced + path_bound < counted.seen)
        state.SkipWithError("the flood found room");
}
BENCHMARK_CAPTURE(flood, of_first_fragments, 0x2000);
BENCHMARK_CAPTURE(flood, without_first_fragments, 0x2001);

} // namespace

BENCHMARK_MAIN();
