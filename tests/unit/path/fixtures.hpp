// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/data_path.hpp>
#include <flowtap/path/delivery_ledger.hpp>

namespace flowtap::path::test {

using octets = std::vector<std::byte>;

/// A UDP packet over IPv4, from its IP header on, from 10.0.0.1 to 10.0.0.<to>.
inline octets udp_packet(std::uint8_t to, std::uint16_t destination_port = 53,
                         std::size_t payload = 4) {
    const auto total = static_cast<std::uint16_t>(28 + payload);
    octets made(total);
    const std::span<std::byte> out(made);
    store_big_endian<std::uint8_t>(out, 0x45);
    store_big_endian<std::uint16_t>(out.subspan(2), total);
    store_big_endian<std::uint8_t>(out.subspan(8), 64);
    store_big_endian<std::uint8_t>(out.subspan(9), 17);
    store_big_endian<std::uint32_t>(out.subspan(12), 0x0A000001);
    store_big_endian<std::uint32_t>(out.subspan(16), 0x0A000000U + to);
    store_big_endian<std::uint16_t>(out.subspan(20), 1000);
    store_big_endian<std::uint16_t>(out.subspan(22), destination_port);
    store_big_endian<std::uint16_t>(out.subspan(24), static_cast<std::uint16_t>(8 + payload));
    return made;
}

/// Puts `frame` behind an Ethernet header, with a VLAN tag if `vlan` is not negative.
inline octets ethernet(const octets& packet, int vlan = -1) {
    octets made(12);
    const auto add_word = [&made](unsigned word) {
        made.push_back(static_cast<std::byte>(word >> 8));
        made.push_back(static_cast<std::byte>(word & 0xFF));
    };
    if (vlan >= 0) {
        add_word(0x8100);
        add_word(static_cast<unsigned>(vlan));
    }
    add_word(0x0800);
    made.insert(made.end(), packet.begin(), packet.end());
    return made;
}

inline captured_packet captured(const octets& packet,
                                packet::link_type link = packet::link_type::raw) {
    captured_packet made;
    made.frame = packet;
    made.wire_length = static_cast<std::uint32_t>(packet.size());
    made.link = link;
    return made;
}

/// Gives the same packets again and again, as many batches as asked for.
class repeating_source final : public source {
public:
    repeating_source(std::vector<octets> packets, std::size_t batches,
                     backpressure full = backpressure::wait)
        : packets_(std::move(packets)), batches_(batches), full_(full) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        if (batches_ == 0)
            return {0, source_state::finished};
        --batches_;
        const std::size_t count = std::min(into.size(), packets_.size());
        for (std::size_t i = 0; i < count; ++i)
            into[i] = captured(packets_[i]);
        if (on_read)
            on_read();
        return {count, source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return full_; }
    std::uint64_t lost() const noexcept override { return 7; }

    std::function<void()> on_read;

private:
    std::vector<octets> packets_;
    std::size_t batches_;
    backpressure full_;
};

/// Gives prepared packets once, then ends.
class listed_source final : public source {
public:
    explicit listed_source(std::vector<captured_packet> packets,
                           source_state end = source_state::finished)
        : packets_(std::move(packets)), end_(end) {}

    read_result read(std::span<captured_packet> into) noexcept override {
        const std::size_t count = std::min(into.size(), packets_.size() - next_);
        std::copy_n(packets_.begin() + static_cast<std::ptrdiff_t>(next_), count, into.begin());
        next_ += count;
        return {count, next_ == packets_.size() ? end_ : source_state::ready};
    }
    void wait(std::chrono::milliseconds) noexcept override {}
    void interrupt() noexcept override {}
    backpressure when_full() const noexcept override { return backpressure::wait; }

private:
    std::vector<captured_packet> packets_;
    std::size_t next_ = 0;
    source_state end_;
};

/// What a sink got, by stream.
using deliveries = std::map<std::uint32_t, std::vector<octets>>;

/// Keeps what it gets, as long as it has room.
class collecting_sink final : public sink {
public:
    explicit collecting_sink(deliveries& into, std::size_t room = SIZE_MAX)
        : into_(into), room_(room) {}

    std::size_t consume(std::span<const copy> copies) noexcept override {
        const std::size_t taken = std::min(room_, copies.size());
        for (const copy& each : copies.first(taken))
            into_[each.stream.value()].emplace_back(each.packet.begin(), each.packet.end());
        if (room_ != SIZE_MAX)
            room_ -= taken;
        ledger().delivered(copies.first(taken));
        return taken;
    }
    void wait(std::chrono::milliseconds) noexcept override {
        if (on_wait)
            on_wait(*this);
    }

    void make_room(std::size_t room) { room_ = room; }

    std::function<void(collecting_sink&)> on_wait;

private:
    deliveries& into_;
    std::size_t room_;
};

inline packet::header_template header(std::uint16_t port = 2300) {
    packet::encapsulation with;
    with.source = {ip_address::v4(0xC6336409), 40000};
    with.destination = {ip_address::v4(0xC0000205), port};
    return packet::header_template::make(with).value();
}

inline action action_for(std::vector<std::uint32_t> streams) {
    action made;
    for (const std::uint32_t stream : streams)
        made.targets.push_back({stream_id(stream), {}, header()});
    return made;
}

inline filter_spec any_ipv4() {
    filter_spec spec;
    spec.families = family::inet;
    return spec;
}

inline filter_spec to_host(std::uint8_t host) {
    filter_spec spec = any_ipv4();
    const address_bits bits{0, 0x0A000000U + host};
    spec.destination_addresses.entries.push_back({{bits, bits}, false});
    return spec;
}

/// A control side in small: criteria with their actions, published together.
class tapping {
public:
    explicit tapping(data_path& path) : path_(path) {}

    slot_id add(filter_spec spec, std::vector<std::uint32_t> streams) {
        return add(std::move(spec), action_for(std::move(streams)));
    }
    slot_id add(filter_spec spec, action what) {
        slot_id slot;
        if (!path_.acquire(slot))
            throw std::length_error("no slot");
        specs_[slot] = std::move(spec);
        actions_.assign(slot, std::move(what));
        return slot;
    }
    void remove(slot_id slot) {
        specs_.erase(slot);
        actions_.erase(slot);
        path_.release(slot);
    }
    generation publish() {
        std::vector<filter::criterion> criteria;
        for (const auto& [slot, spec] : specs_)
            criteria.push_back(filter::criterion::make(slot, spec).value());
        snapshot made;
        made.criteria =
            std::make_shared<const filter::classifier>(filter::classifier::build(criteria).value());
        made.actions = actions_;
        made.interfaces = interfaces;
        made.own = own;
        made.gates = gates;
        made.copy_limits = copy_limits;
        made.fragments = fragments;
        return path_.publish(std::move(made));
    }

    std::shared_ptr<const interface_map> interfaces;
    std::shared_ptr<const own_traffic> own;
    std::shared_ptr<const input_gates> gates;
    std::vector<std::uint16_t> copy_limits;
    fragment_policy fragments = fragment_policy::first;

private:
    data_path& path_;
    std::map<slot_id, filter_spec> specs_;
    action_table actions_;
};

/// Whether the sums of what became of copies close.
inline bool closes(const delivery_counters& counters) {
    std::uint64_t ended = counters.delivered + counters.queued;
    std::uint64_t size = counters.delivered_octets + counters.queued_octets;
    for (std::size_t i = 0; i < drop_cause_count; ++i) {
        ended += counters.dropped[i];
        size += counters.dropped_octets[i];
    }
    return counters.copies == ended && counters.copies_octets == size;
}

/// Whether all sums of a worker close. Packets that are cut short are matched, or they are not.
inline bool closes(const path_counters& counters,
                   cut_short_packets cut_short = cut_short_packets::count) {
    const auto sum = [](const auto& counts) {
        return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    };
    const auto matched = [&](const auto& counts) {
        return counts[static_cast<std::size_t>(packet::verdict::ip)] +
               (cut_short == cut_short_packets::send
                    ? counts[static_cast<std::size_t>(packet::verdict::cut_short)]
                    : 0);
    };
    return counters.seen == counters.filtered + counters.sampled_out + sum(counters.decoded) &&
           counters.seen_octets == counters.sampled_out_octets + sum(counters.decoded_octets) &&
           matched(counters.decoded) + counters.fragments.followed ==
               counters.tapped - counters.frames_alone + counters.untapped + counters.own +
                   counters.abandoned + counters.pending &&
           matched(counters.decoded_octets) + counters.fragments.followed_octets ==
               counters.tapped_octets - counters.frames_alone_octets + counters.untapped_octets +
                   counters.own_octets + counters.abandoned_octets + counters.pending_octets &&
           closes(static_cast<const delivery_counters&>(counters));
}

inline std::uint64_t dropped(const path_counters& counters, drop_cause cause) {
    return counters.dropped[static_cast<std::size_t>(cause)];
}

} // namespace flowtap::path::test
