// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

namespace flowtap::tap::test {

/// A UDP packet over IPv4 from 10.9.9.9 to 10.0.0.<to>, `size` octets long.
inline std::vector<std::byte> udp_packet(std::uint8_t to, std::size_t size = 100) {
    std::vector<std::byte> made(size);
    const std::span<std::byte> out(made);
    store_big_endian<std::uint8_t>(out, 0x45);
    store_big_endian(out.subspan(2), static_cast<std::uint16_t>(size));
    store_big_endian<std::uint8_t>(out.subspan(8), 64);
    store_big_endian<std::uint8_t>(out.subspan(9), 17);
    store_big_endian<std::uint32_t>(out.subspan(12), 0x0A090909);
    store_big_endian<std::uint32_t>(out.subspan(16), 0x0A000000U + to);
    store_big_endian<std::uint16_t>(out.subspan(20), 1000);
    store_big_endian<std::uint16_t>(out.subspan(22), 53);
    store_big_endian(out.subspan(24), static_cast<std::uint16_t>(size - 20));
    return made;
}

/// Packets that a test puts on the wire, one batch at a time.
class test_source final : public path::source {
public:
    path::read_result read(std::span<path::captured_packet> into) noexcept override {
        std::size_t count = 0;
        for (; count < into.size() && count < packets.size(); ++count) {
            into[count].frame = packets[count];
            into[count].wire_length = static_cast<std::uint32_t>(packets[count].size());
            into[count].link = link;
            into[count].port = port;
            into[count].way = way;
        }
        return {count, path::source_state::idle};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    path::backpressure when_full() const noexcept override { return path::backpressure::drop; }

    std::vector<std::vector<std::byte>> packets;
    port_id port;
    direction way = direction::ingress;
    packet::link_type link = packet::link_type::raw;
};

/// Remembers what it was given. `on_copies` is called while the worker is in the middle of a batch.
class test_sink final : public path::sink {
public:
    struct delivered_copy {
        packet::encapsulation around;
        std::vector<std::byte> packet;
    };

    std::size_t consume(std::span<const path::copy> copies) noexcept override {
        if (on_copies)
            on_copies();
        if (is_full)
            return 0;
        if (dropping) {
            ledger().dropped(*dropping, copies);
            return copies.size();
        }
        for (const path::copy& one : copies)
            delivered.push_back({one.header->parameters(),
                                 std::vector<std::byte>(one.packet.begin(), one.packet.end())});
        ledger().delivered(copies);
        return copies.size();
    }
    void wait(std::chrono::milliseconds) noexcept override {}

    std::vector<delivered_copy> delivered;
    std::function<void()> on_copies;
    bool is_full = false;                     ///< it takes nothing
    std::optional<path::drop_cause> dropping; ///< it drops all, for this cause
};

/// One worker of a data path, worked by hand.
struct wire {
    explicit wire(path::data_path& path) {
        auto made_source = std::make_unique<test_source>();
        auto made_sink = std::make_unique<test_sink>();
        source = made_source.get();
        sink = made_sink.get();
        worker = &path.add_worker(std::move(made_source), std::move(made_sink));
    }

    /// Sends one packet past the access point. Returns how many copies were made of it.
    std::size_t pass(std::vector<std::byte> packet) {
        source->packets = {std::move(packet)};
        const std::size_t before = sink->delivered.size();
        worker->run_once();
        source->packets.clear();
        return sink->delivered.size() - before;
    }

    test_source* source;
    test_sink* sink;
    path::worker* worker;
};

} // namespace flowtap::tap::test
