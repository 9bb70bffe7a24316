// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <numeric>
#include <span>
#include <vector>

#include <flowtap/core/bytes.hpp>

#include "fixtures.hpp"

namespace flowtap::path::test {

/// What tells a fragmented UDP datagram from others, and where it goes.
struct datagram {
    family of_family = family::inet;
    std::uint32_t identification = 1;
    std::uint8_t from = 1; ///< of 10.0.0.0 or 2001:db8::
    std::uint8_t to = 2;
    std::uint16_t port = 53;
    std::uint8_t protocol = 17;
};

/// One fragment from its IP header on: `payload` of the datagram from `offset` on.
inline octets fragment(const datagram& of, std::size_t offset, bool more, byte_view payload) {
    const bool is_ipv4 = of.of_family == family::inet;
    const std::size_t header = is_ipv4 ? 20 : 48;
    octets made(header + payload.size());
    const std::span<std::byte> out(made);
    const auto put = [&](std::size_t at, auto number) {
        store_big_endian(out.subspan(at, sizeof number), number);
    };
    if (is_ipv4) {
        put(0, std::uint8_t{0x45});
        put(2, static_cast<std::uint16_t>(made.size()));
        put(4, static_cast<std::uint16_t>(of.identification));
        put(6, static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000U : 0U)));
        put(8, std::uint8_t{64});
        put(9, of.protocol);
        put(12, 0x0A000000U + of.from);
        put(16, 0x0A000000U + of.to);
    } else {
        put(0, std::uint8_t{0x60});
        put(4, static_cast<std::uint16_t>(made.size() - 40));
        put(6, std::uint8_t{44});
        put(8, 0x20010DB8'00000000U);
        put(16, std::uint64_t{of.from});
        put(24, 0x20010DB8'00000000U);
        put(32, std::uint64_t{of.to});
        put(40, of.protocol);
        put(42, static_cast<std::uint16_t>(offset | (more ? 1U : 0U)));
        put(44, of.identification);
    }
    std::ranges::copy(payload, out.subspan(header).begin());
    return made;
}

/// The UDP header and `size` octets more.
inline octets udp_payload(const datagram& of, std::size_t size) {
    octets made(8 + size);
    const std::span<std::byte> out(made);
    store_big_endian(out.subspan(0), std::uint16_t{1000});
    store_big_endian(out.subspan(2), of.port);
    store_big_endian(out.subspan(4), static_cast<std::uint16_t>(made.size()));
    for (std::size_t i = 8; i < made.size(); ++i)
        made[i] = static_cast<std::byte>(i + of.identification);
    return made;
}

/// A datagram in `count` fragments of 24 octets.
inline std::vector<octets> train(const datagram& of, std::size_t count) {
    constexpr std::size_t piece = 24;
    const octets payload = udp_payload(of, count * piece - 8);
    std::vector<octets> made;
    for (std::size_t i = 0; i < count; ++i)
        made.push_back(
            fragment(of, i * piece, i + 1 != count, std::span(payload).subspan(i * piece, piece)));
    return made;
}

/// Gives what tests put in, one batch at a call.
class fed_source final : public source {
public:
    explicit fed_source(backpressure full = backpressure::wait) : full_(full) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        if (batches.empty())
            return {0, source_state::idle};
        // The octets of a batch are gone when the next one is read.
        current_ = std::move(batches.front());
        batches.pop_front();
        for (std::size_t i = 0; i < current_.size(); ++i) {
            into[i] = shape;
            into[i].frame = current_[i];
            into[i].wire_length = static_cast<std::uint32_t>(current_[i].size() + cut_off);
        }
        return {current_.size(), source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return full_; }

    std::deque<std::vector<octets>> batches;
    captured_packet shape = captured({});
    std::size_t cut_off = 0;

private:
    std::vector<octets> current_;
    backpressure full_;
};

/// A data path with one worker that follows fragments, on a clock that tests set.
struct fragment_lab {
    explicit fragment_lab(fragment_options with = {}, worker_options options = {},
                          std::size_t room = SIZE_MAX)
        : path({.clock = [this] { return now; }, .fragments = with}) {
        auto from = std::make_unique<fed_source>();
        auto to = std::make_unique<collecting_sink>(got, room);
        source = from.get();
        sink = to.get();
        work = &path.add_worker(std::move(from), std::move(to), options);
        taps.fragments = fragment_policy::all;
    }

    void run(std::vector<octets> batch) {
        source->batches.push_back(std::move(batch));
        work->run_once();
    }
    void run_one_by_one(const std::vector<octets>& packets) {
        for (const octets& each : packets)
            run({each});
    }
    fragment_counters counted() const { return work->counters().fragments; }
    std::uint64_t left_out(fragment_loss why) const {
        return counted().left_out[static_cast<std::size_t>(why)];
    }
    /// Later fragments have all gone somewhere.
    bool adds_up() const {
        const path_counters all = work->counters();
        const fragment_counters& of = all.fragments;
        return closes(all) &&
               all.decoded[static_cast<std::size_t>(packet::verdict::later_fragment)] ==
                   std::accumulate(of.left_out.begin(), of.left_out.end(),
                                   of.followed + of.waiting);
    }

    steady_time now{std::chrono::seconds(100)};
    deliveries got;
    data_path path;
    fed_source* source = nullptr;
    collecting_sink* sink = nullptr;
    worker* work = nullptr;
    tapping taps{path};
};

inline filter_spec to_port(std::uint16_t port) {
    filter_spec spec;
    spec.families = family_set(family::inet) | family::inet6;
    spec.destination_ports.entries.push_back({{port, port}, false});
    return spec;
}

inline filter_spec anything() {
    filter_spec spec;
    spec.families = family_set(family::inet) | family::inet6;
    return spec;
}

inline std::vector<octets> in_order(const std::vector<octets>& packets,
                                    const std::vector<std::size_t>& order) {
    std::vector<octets> made;
    for (const std::size_t each : order)
        made.push_back(packets[each]);
    return made;
}

} // namespace flowtap::path::test
