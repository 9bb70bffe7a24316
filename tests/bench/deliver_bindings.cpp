// SPDX-License-Identifier: Apache-2.0
//
// What it costs to share copies out by their egress binding: 256 copies, in turn for each of so
// many bindings, to sinks that take everything; beside one such sink that is given them as they
// are.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <flowtap/deliver/egress_bindings.hpp>
#include <flowtap/path/delivery_ledger.hpp>

namespace {

using namespace flowtap;

constexpr std::size_t batch = 256;

class taking_sink final : public path::sink {
public:
    std::size_t consume(std::span<const path::copy> copies) noexcept override {
        ++calls;
        benchmark::DoNotOptimize(copies.data());
        ledger().delivered(copies);
        return copies.size();
    }
    void wait(std::chrono::milliseconds) noexcept override {}

    inline static std::uint64_t calls = 0;
};

struct made_copies {
    explicit made_copies(std::uint32_t bindings) : packet(100) {
        for (std::uint32_t i = 0; i < batch; ++i) {
            path::copy each;
            each.header = &header;
            each.packet = packet;
            each.stream = stream_id(i % bindings);
            each.egress = path::egress_id(i % bindings + 1);
            all.push_back(each);
        }
    }

    packet::header_template header = packet::header_template::make({}).value();
    std::vector<std::byte> packet;
    std::vector<path::copy> all;
};

void share_out(benchmark::State& state) {
    const auto bindings = static_cast<std::uint32_t>(state.range(0));
    const made_copies copies(bindings);
    deliver::egress_bindings all;
    for (std::uint32_t i = 1; i <= bindings; ++i)
        static_cast<void>(all.set(path::egress_id(i), []() -> result<std::unique_ptr<path::sink>> {
            return std::unique_ptr<path::sink>(new taking_sink);
        }));
    const auto sink = all.make_sink(std::make_unique<taking_sink>()).value();
    const std::uint64_t before = taking_sink::calls;
    for (auto _ : state)
        if (sink->consume(copies.all) != batch)
            state.SkipWithError("not all copies were taken");
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
    state.counters["copies/call"] = static_cast<double>(state.iterations()) * batch /
                                    static_cast<double>(taking_sink::calls - before);
}
BENCHMARK(share_out)->Arg(1)->Arg(4)->Arg(32)->Arg(255);

void as_they_are(benchmark::State& state) {
    const made_copies copies(1);
    taking_sink sink;
    for (auto _ : state)
        if (sink.consume(copies.all) != batch)
            state.SkipWithError("not all copies were taken");
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
}
BENCHMARK(as_they_are);

} // namespace

BENCHMARK_MAIN();
