// SPDX-License-Identifier: Apache-2.0
//
// What decoding a frame and writing a copy's header cost. The frames lie in one block that the
// first-level cache does not hold, as those of a batch do.
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/packet/view.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::packet;

constexpr std::size_t frame_size = 64;
constexpr std::size_t frame_count = 1024;

/// Ethernet and IPv4 or IPv6 and UDP, padded with zeros to `frame_size` octets and more.
std::vector<std::byte> frames_with(std::initializer_list<unsigned> start) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < frame_count; ++i) {
        std::vector<std::byte> frame(12);
        for (const unsigned octet : start)
            frame.push_back(std::byte(octet));
        frame.resize(frame_size);
        out.insert(out.end(), frame.begin(), frame.end());
    }
    return out;
}

void decode_all(benchmark::State& state, const std::vector<std::byte>& frames) {
    const byte_view all(frames);
    packet_view view;
    for (auto _ : state) {
        for (std::size_t at = 0; at < all.size(); at += frame_size) {
            decode(link_type::ethernet, all.subspan(at, frame_size), frame_size, view);
            benchmark::DoNotOptimize(view);
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * frame_count));
    if (view.what != verdict::ip || !view.key.has_ports)
        state.SkipWithError("the frames do not decode");
}

void decode_ipv4_udp(benchmark::State& state) {
    decode_all(state, frames_with({0x08, 0, 0x45, 0, 0, 50, 0, 0, 0, 0, 64, 17}));
}
BENCHMARK(decode_ipv4_udp);

void decode_vlan_ipv4_tcp(benchmark::State& state) {
    decode_all(state, frames_with({0x81, 0, 0, 5, 0x08, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 6}));
}
BENCHMARK(decode_vlan_ipv4_tcp);

void decode_ipv6_udp(benchmark::State& state) {
    decode_all(state, frames_with({0x86, 0xDD, 0x60, 0, 0, 0, 0, 10, 17, 64}));
}
BENCHMARK(decode_ipv6_udp);

void write_header(benchmark::State& state, const char* source, const char* destination) {
    const std::vector<std::byte> inner(static_cast<std::size_t>(state.range(0)), std::byte{0x45});
    const auto header =
        header_template::make({.source = {parse_ip_address(source).value(), 1},
                               .destination = {parse_ip_address(destination).value(), 2}});
    std::array<std::byte, max_header_size> out{};
    std::uint16_t identification = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(header->write(inner, ++identification, out));
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK_CAPTURE(write_header, over_ipv4, "198.51.100.9", "192.0.2.5")->Arg(64)->Arg(1518);
BENCHMARK_CAPTURE(write_header, over_ipv6, "2001:db8::9", "2001:db8::5")->Arg(64)->Arg(1518);

} // namespace

BENCHMARK_MAIN();
