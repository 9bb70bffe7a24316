// SPDX-License-Identifier: Apache-2.0
// What programs in the kernel cost the control side: to make one of all criteria, to widen it by
// one criterion, and to hand it to the kernel for one socket. The kernel translates a program to
// machine code, which is most of it.
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include <linux/filter.h>
#include <sys/socket.h>
#include <benchmark/benchmark.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/filter/prefilter.hpp>

using namespace flowtap;
using namespace flowtap::filter;

namespace {

/// `count` hosts anywhere, one criterion each.
prefilter hosts(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    prefilter all;
    filter_spec spec;
    spec.families = family::inet;
    for (std::uint32_t slot = 0; slot < count; ++slot) {
        const address_bits host{0, engine() & 0xFFFF'FFFFU};
        spec.destination_addresses.entries = {{{host, host}, false}};
        all.insert(slot_id(slot), spec);
    }
    return all;
}

std::size_t criteria(const benchmark::State& state) {
    return static_cast<std::size_t>(state.range(0));
}

void make(benchmark::State& state) {
    const prefilter all = hosts(criteria(state), 1);
    for (auto _ : state)
        benchmark::DoNotOptimize(all.program({}));
    state.counters["instructions"] = static_cast<double>(all.program({})->size());
}

void widen(benchmark::State& state) {
    const auto program = hosts(criteria(state), 1).program({});
    const prefilter added = hosts(1, 2);
    for (auto _ : state)
        benchmark::DoNotOptimize(added.program({}, {}, *program));
}

void attach(benchmark::State& state) {
    std::vector<sock_filter> code;
    const auto made = hosts(criteria(state), 1).program({});
    for (const bpf_instruction& each : *made)
        code.push_back({each.code, each.jump_true, each.jump_false, each.operand});
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    const descriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
    for (auto _ : state)
        if (::setsockopt(socket.number(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) !=
            0)
            state.SkipWithError("the kernel refuses the program");
}

} // namespace

BENCHMARK(make)->Arg(1)->Arg(100)->Arg(1000)->Arg(2500);
BENCHMARK(widen)->Arg(1)->Arg(100)->Arg(1000)->Arg(2500);
BENCHMARK(attach)->Arg(1)->Arg(100)->Arg(1000)->Arg(2500);

BENCHMARK_MAIN();
