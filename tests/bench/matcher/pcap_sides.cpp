// SPDX-License-Identifier: Apache-2.0
// libpcap's interpreter, on the smallest packets that have the keys of the trace.
#include <array>
#include <chrono>
#include <deque>
#include <optional>

#include <flowtap/filter/pcap_text.hpp>
#include <flowtap/packet/view.hpp>

#include "clock.hpp"
#include "pcap_program.hpp"
#include "raw_packets.hpp"
#include "side.hpp"

namespace flowtap::bench {

using filter::testing::pcap_program;
using filter::testing::raw_packet;

namespace {

enum class use { each, one_for_all, one_then_each };

std::optional<use> use_named(std::string_view name) {
    if (name == "pcap-each")
        return use::each;
    if (name == "pcap-or")
        return use::one_for_all;
    if (name == "pcap-or-each")
        return use::one_then_each;
    return {};
}

/// Ends the program if the packet does not say what the key says: then both sides would not be
/// asked the same.
void check_packet(std::span<const std::byte> octets, packet_key key) {
    packet::packet_view view;
    packet::decode(packet::link_type::raw, octets, octets.size(), view);
    key.interface = view.key.interface;
    key.vrf = view.key.vrf;
    key.way = view.key.way;
    if (!(view.key == key))
        refuse("a packet made for libpcap does not have the key that it was made from");
}

class pcap_side final : public side {
public:
    pcap_side(const workload& load, use how) : load_(load), how_(how) {
        for (const packet_key& key : load.keys) {
            packets_.push_back(raw_packet(key));
            check_packet(packets_.back(), key);
        }
        const auto begin = thread_time();
        std::string any;
        for (const filter_spec& spec : load.filters) {
            const auto text = filter::to_pcap_filter(spec);
            if (!text)
                refuse("libpcap cannot say what a filter says");
            any += (any.empty() ? "(" : " or (") + *text + ')';
            if (how != use::one_for_all)
                compile(each_, *text);
        }
        if (how != use::each)
            compile(all_, any);
        build_time_ = thread_time() - begin;
    }

    answer tells() const override { return how_ == use::one_for_all ? answer::any : answer::all; }

    void match(std::size_t first, std::size_t count) override {
        for (std::size_t i = 0; i < count; ++i) {
            const std::span<const std::byte> packet(packets_[first + i]);
            numbers_[i].clear();
            if (how_ != use::each && !all_.front().selects(packet))
                continue;
            if (how_ == use::one_for_all) {
                numbers_[i].push_back(0);
                continue;
            }
            for (std::size_t j = 0; j < each_.size(); ++j) {
                if (each_[j].selects(packet))
                    numbers_[i].push_back(static_cast<std::uint32_t>(j));
            }
        }
    }
    void found(std::size_t index, std::vector<std::uint32_t>& numbers) const override {
        numbers = numbers_[index];
    }
    std::string figures() const override {
        return ", \"build_ms\": " +
               std::to_string(std::chrono::duration<double, std::milli>(build_time_).count());
    }

private:
    static void compile(std::deque<pcap_program>& into, const std::string& text) {
        into.emplace_back(text);
        if (!into.back().good())
            refuse("libpcap refuses a filter: " + into.back().problem());
    }

    const workload& load_;
    use how_;
    std::vector<std::vector<std::byte>> packets_;
    std::deque<pcap_program> each_;
    std::deque<pcap_program> all_;
    std::chrono::nanoseconds build_time_{0};
    std::array<std::vector<std::uint32_t>, batch> numbers_;
};

} // namespace

std::unique_ptr<side> make_pcap(const workload& load, std::string_view name) {
    const auto how = use_named(name);
    return how ? std::make_unique<pcap_side>(load, *how) : nullptr;
}

std::string pcap_version() {
    return ", \"libpcap\": \"" + std::string(pcap_lib_version()) + '"';
}

} // namespace flowtap::bench
