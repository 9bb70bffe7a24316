// SPDX-License-Identifier: Apache-2.0
// Time per packet, time to build and memory of the classifier, for both shapes of filter sets, over
// the number of filters, hits, families and dresses. Before a set is measured, both code paths are
// shown to agree with the naive evaluator on a part of its trace.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <tuple>

#include <benchmark/benchmark.h>

#include <flowtap/filter/classifier.hpp>

#include "filter_sets.hpp"

namespace {

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::sets;

constexpr std::uint64_t seed = 20'240'601;
constexpr std::size_t trace_length = 65536;
constexpr std::size_t batch = 256;

struct workload {
    std::vector<criterion> criteria;
    std::vector<packet_key> keys;
};

/// The set and trace of one row; kept, as the repetitions ask for it again.
const workload& prepare(set_shape shape, family of, std::size_t count, unsigned hits,
                        set_dress dress) {
    static std::map<std::tuple<set_shape, family, std::size_t, unsigned, set_dress>, workload> kept;
    const auto [found, is_new] = kept.try_emplace({shape, of, count, hits, dress});
    if (!is_new)
        return found->second;
    workload& made = found->second;
    filter_set set(shape, of, count, seed, dress);
    for (std::size_t i = 0; i < set.filters().size(); ++i)
        made.criteria.push_back(
            criterion::make(slot_id(static_cast<std::uint32_t>(i)), set.filters()[i]).value());
    made.keys = set.trace(trace_length, hits);
    return made;
}

/// Ends the program if the classifier and the definitions disagree.
void verify(const workload& load, const classifier& built) {
    const std::size_t packets =
        std::min<std::size_t>(load.keys.size(), 20'000'000 / load.criteria.size());
    match_buffer found(1, load.criteria.size());
    for (std::size_t i = 0; i < std::min<std::size_t>(packets, 2000); ++i) {
        built.match(std::span(load.keys).subspan(i, 1), found);
        std::vector<slot_id> expected;
        for (const criterion& one : load.criteria) {
            if (matches(one.spec(), load.keys[i]))
                expected.push_back(one.slot());
        }
        if (!std::ranges::equal(expected, found.matches(0))) {
            std::fprintf(stderr, "the classifier and the definitions disagree\n");
            std::exit(1);
        }
    }
}

void match(benchmark::State& state, set_shape shape, family of, unsigned hits, set_dress dress,
           code_path path) {
    const auto count = static_cast<std::size_t>(state.range(0));
    const workload& load = prepare(shape, of, count, hits, dress);
    const auto built = classifier::build(load.criteria, {}, path).value();
    verify(load, built);
    match_buffer found(batch, batch * 64 + load.criteria.size());
    std::size_t matches = 0;
    std::size_t packets = 0;
    for (auto _ : state) {
        for (std::span<const packet_key> left(load.keys); !left.empty();) {
            const std::size_t done = built.match(left.first(std::min(batch, left.size())), found);
            for (std::size_t i = 0; i < done; ++i)
                matches += found.matches(i).size();
            left = left.subspan(done);
        }
        packets += load.keys.size();
    }
    benchmark::DoNotOptimize(matches);
    const auto per = [](std::size_t sum, std::size_t of_what) {
        return static_cast<double>(sum) / static_cast<double>(of_what);
    };
    state.counters["per_packet"] = benchmark::Counter(
        static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["matches"] = per(matches, packets);
    state.counters["octets_per_criterion"] = per(built.cost().memory, count);
    state.counters["groups"] = static_cast<double>(of == family::inet ? built.cost().groups_inet
                                                                      : built.cost().groups_inet6);
}

void build(benchmark::State& state, set_shape shape, family of) {
    const workload& load =
        prepare(shape, of, static_cast<std::size_t>(state.range(0)), 5, set_dress::plain);
    for (auto _ : state) {
        auto built = classifier::build(load.criteria);
        benchmark::DoNotOptimize(built);
    }
}

void naive(benchmark::State& state, set_shape shape) {
    const workload& load =
        prepare(shape, family::inet, static_cast<std::size_t>(state.range(0)), 5, set_dress::plain);
    std::size_t found = 0;
    std::size_t packets = 0;
    for (auto _ : state) {
        const packet_key& key = load.keys[packets++ % load.keys.size()];
        for (const criterion& one : load.criteria)
            found += matches(one.spec(), key) ? 1 : 0;
    }
    benchmark::DoNotOptimize(found);
}

constexpr auto intercept = set_shape::intercept;
constexpr auto firewall = set_shape::firewall;
constexpr auto plain = set_dress::plain;
constexpr auto elaborate = set_dress::elaborate;
constexpr auto fastest = code_path::fastest;
constexpr auto portable = code_path::portable;

} // namespace

BENCHMARK_CAPTURE(match, intercept, intercept, family::inet, 5, plain, fastest)
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(3000)
    ->Arg(10'000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(match, firewall, firewall, family::inet, 5, plain, fastest)
    ->Arg(1)
    ->Arg(10)
    ->Arg(100)
    ->Arg(1000)
    ->Arg(3000)
    ->Arg(10'000);
BENCHMARK_CAPTURE(match, intercept_all_hit, intercept, family::inet, 100, plain, fastest)
    ->Arg(100)
    ->Arg(3000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(match, firewall_all_hit, firewall, family::inet, 100, plain, fastest)
    ->Arg(100)
    ->Arg(3000);
BENCHMARK_CAPTURE(match, intercept_inet6, intercept, family::inet6, 5, plain, fastest)
    ->Arg(100)
    ->Arg(3000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(match, firewall_inet6, firewall, family::inet6, 5, plain, fastest)
    ->Arg(100)
    ->Arg(3000);
BENCHMARK_CAPTURE(match, intercept_elaborate, intercept, family::inet, 5, elaborate, fastest)
    ->Arg(100)
    ->Arg(3000);
BENCHMARK_CAPTURE(match, firewall_elaborate, firewall, family::inet, 5, elaborate, fastest)
    ->Arg(100)
    ->Arg(3000);
BENCHMARK_CAPTURE(match, intercept_portable, intercept, family::inet, 5, plain, portable)
    ->Arg(100)
    ->Arg(3000);
BENCHMARK_CAPTURE(build, intercept, intercept, family::inet)
    ->Unit(benchmark::kMicrosecond)
    ->Arg(100)
    ->Arg(3000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(build, firewall, firewall, family::inet)
    ->Unit(benchmark::kMicrosecond)
    ->Arg(100)
    ->Arg(3000)
    ->Arg(10'000);
BENCHMARK_CAPTURE(build, intercept_inet6, intercept, family::inet6)
    ->Unit(benchmark::kMicrosecond)
    ->Arg(100)
    ->Arg(3000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(naive, intercept, intercept)->Arg(100)->Arg(3000);

BENCHMARK_MAIN();
