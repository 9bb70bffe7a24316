// SPDX-License-Identifier: Apache-2.0
//
// What sets cost that are hard on the classifier: the time per packet, for packets that have
// nothing to do with the set and for packets at the borders of its filters (half of which match);
// octets per criterion; the time to build. lib/filter/complexity.md reads the figures.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <flowtap/filter/classifier.hpp>

#include "border_packets.hpp"
#include "set_shapes.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

constexpr std::size_t packet_count = 1024;
constexpr std::size_t batch = 256;

struct named_shape {
    hard_shape shape;
    const char* name;
};
constexpr named_shape shapes[] = {
    {hard_shape::wildcards, "all wildcard"},
    {hard_shape::one_host, "one host, ports"},
    {hard_shape::one_pair, "one host pair, port ranges"},
    {hard_shape::prefixes, "all prefixes of one address"},
    {hard_shape::odd_ranges, "ranges of addresses and ports"},
    {hard_shape::full_ranges, "full ranges"},
    {hard_shape::negations, "negations only"},
    {hard_shape::long_lists, "lists of 250 addresses"},
    {hard_shape::places, "interfaces and VRFs"},
    {hard_shape::ports_only, "protocol and port only"},
    {hard_shape::icmp, "ICMP"},
    {hard_shape::port_pairs, "2 to 15 port pairs"},
};

enum class trace_kind { apart, at_borders };

std::vector<packet_key> make_trace(trace_kind kind, const std::vector<criterion>& criteria) {
    border_packets borders(11);
    std::vector<packet_key> keys;
    while (keys.size() < packet_count) {
        if (kind == trace_kind::at_borders) {
            keys.push_back(borders.near(criteria[borders.below(criteria.size())].spec()));
            continue;
        }
        packet_key key;
        key.source = {0, 0xC612'0000 + borders.below(0x2'0000)};
        key.destination = {0, 0xC612'0000 + borders.below(0x2'0000)};
        key.protocol = borders.chance(70) ? 6 : 17;
        key.has_ports = true;
        key.source_port = static_cast<std::uint16_t>(borders.below(65536));
        key.destination_port = static_cast<std::uint16_t>(borders.below(65536));
        keys.push_back(key);
    }
    return keys;
}

void match_all(benchmark::State& state, hard_shape shape, std::size_t count, trace_kind kind) {
    const auto criteria = hard_criteria(shape, family::inet, count, 3);
    const auto keys = make_trace(kind, criteria);
    const classifier built = classifier::build(criteria).value();
    match_buffer found(batch, std::max<std::size_t>(65536, count));
    std::size_t matches = 0;
    for (auto _ : state) {
        matches = 0;
        for (std::span<const packet_key> left(keys); !left.empty();) {
            const std::size_t done = built.match(left.first(std::min(batch, left.size())), found);
            for (std::size_t i = 0; i < done; ++i)
                matches += found.matches(i).size();
            left = left.subspan(done);
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packet_count));
    const classifier_cost cost = built.cost();
    const auto each = [](auto sum, std::size_t number) {
        return static_cast<double>(sum) / static_cast<double>(number);
    };
    using per_item = benchmark::Counter;
    state.counters["per_packet"] =
        per_item(packet_count, per_item::kIsIterationInvariantRate | per_item::kInvert);
    state.counters["matches"] = each(matches, packet_count);
    state.counters["octets"] = each(cost.memory, count);
    state.counters["build_ms"] = each(cost.build_time.count(), 1'000'000);
    state.counters["probes"] = static_cast<double>(cost.probes_inet);
    state.counters["groups"] = static_cast<double>(cost.groups_inet);
}

} // namespace

int main(int count, char** arguments) {
    for (const auto& [shape, name] : shapes) {
        for (const std::size_t size : {100, 3000, 100'000}) {
            const bool all_match = shape == hard_shape::wildcards ||
                                   shape == hard_shape::full_ranges ||
                                   shape == hard_shape::negations || shape == hard_shape::prefixes;
            if (size > 3000 && (all_match || shape == hard_shape::long_lists))
                continue; // packets with ten thousand matches each, or 25 million entries
            for (const trace_kind kind : {trace_kind::apart, trace_kind::at_borders}) {
                if (size > 3000 && kind == trace_kind::at_borders)
                    continue;
                const std::string title = std::string(name) + "/" + std::to_string(size) +
                                          (kind == trace_kind::apart ? "/apart" : "/borders");
                benchmark::RegisterBenchmark(title.c_str(), match_all, shape, size, kind);
            }
        }
    }
    benchmark::Initialize(&count, arguments);
    benchmark::RunSpecifiedBenchmarks();
}
