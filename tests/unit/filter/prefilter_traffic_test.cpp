// SPDX-License-Identifier: Apache-2.0
// Prefilters against what decoding and the definitions find: on every frame of the corpus and on
// captures of real traffic.
#include <flowtap/filter/prefilter.hpp>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <flowtap/packet/view.hpp>

#include "border_packets.hpp"
#include "compare.hpp"
#include "corpus.hpp"
#include "prefilter_frames.hpp"
#include "random_filters.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::testing;

namespace {

/// A filter that `key` meets, in one of several shapes.
filter_spec filter_for(const packet_key& key, std::uint64_t shape) {
    const auto only = [](auto value) {
        range_list<decltype(value)> list;
        list.entries = {{{value, value}, false}};
        return list;
    };
    filter_spec spec;
    spec.families = key.of_family;
    if (shape % 2 == 0 || shape % 5 == 0)
        spec.destination_addresses = only(key.destination);
    if (shape % 3 == 0)
        spec.source_addresses = only(key.source);
    if (shape % 7 < 3)
        spec.protocols = only(key.protocol);
    if (key.has_ports && shape % 4 != 0)
        spec.destination_ports = only(key.destination_port);
    if (key.has_ports && shape % 11 < 3)
        spec.source_ports = only(key.source_port);
    if (key.has_icmp && shape % 4 != 0)
        spec.icmp_types = only(key.icmp_type);
    if (shape % 13 == 0 && spec.destination_addresses.is_wildcard() &&
        spec.source_addresses.is_wildcard())
        spec.families.insert(key.of_family == family::inet ? family::inet6 : family::inet);
    return spec;
}

struct seen_frame {
    byte_view octets;
    packet::packet_view view;
    frame_layout layout = frame_layout::ethernet;
};

/// None if no program can be made for the link type.
std::optional<frame_layout> layout_of(packet::link_type link) {
    using packet::link_type;
    if (link == link_type::ethernet)
        return frame_layout::ethernet;
    const bool is_raw = link == link_type::raw || link == link_type::raw_bsd ||
                        link == link_type::ipv4 || link == link_type::ipv6;
    return is_raw ? std::optional(frame_layout::raw_ip) : std::nullopt;
}

/// How many of the frames that some filter matches are kept away, and how many of the others pass.
struct verdicts {
    std::size_t missed = 0;
    std::size_t matching = 0;
    std::size_t others = 0;
    std::size_t passed_others = 0;
};

verdicts judge(std::span<const criterion> criteria, std::span<const seen_frame> frames) {
    prefilter all;
    for (const criterion& each : criteria)
        all.insert(each.slot(), each.spec());
    const auto program = [&](frame_layout layout) {
        return bpf_runner(*all.program(open_port(layout, way_of_frames::ingress)));
    };
    const std::array programs = {program(frame_layout::ethernet), program(frame_layout::raw_ip)};
    verdicts found;
    for (const seen_frame& each : frames) {
        const bool matches =
            each.view.what == packet::verdict::ip && !oracle(criteria, each.view.key).empty();
        const bool passes = programs[static_cast<std::size_t>(each.layout)].passes(each.octets);
        found.missed += matches && !passes ? 1 : 0;
        (matches ? found.matching : found.others) += 1;
        found.passed_others += !matches && passes ? 1 : 0;
    }
    return found;
}

std::vector<criterion> filters_for(std::span<const seen_frame> frames, std::uint64_t seed,
                                   std::size_t count) {
    std::vector<criterion> made;
    border_packets random(seed);
    for (std::size_t tries = 0; made.size() < count && tries < 50 * count; ++tries) {
        const seen_frame& like = frames[random.below(frames.size())];
        if (like.view.what != packet::verdict::ip)
            continue;
        made.push_back(criterion::make(slot_id(static_cast<std::uint32_t>(made.size())),
                                       filter_for(like.view.key, random.below(10'000)))
                           .value());
    }
    return made;
}

/// The whole frames of a capture, up to some thousand.
class capture_frames {
public:
    explicit capture_frames(const std::string& file) {
        std::array<char, PCAP_ERRBUF_SIZE> reason{};
        handle_ = pcap_open_offline(file.c_str(), reason.data());
        if (handle_ == nullptr)
            return;
        const auto link = static_cast<packet::link_type>(
            pcap_datalink(handle_) == DLT_RAW ? 101 : pcap_datalink(handle_));
        const auto layout = layout_of(link);
        pcap_pkthdr* record = nullptr;
        const unsigned char* data = nullptr;
        while (layout && frames_.size() < 3000 && pcap_next_ex(handle_, &record, &data) == 1) {
            if (record->caplen != record->len)
                continue;
            const void* const octets = data;
            const auto* const first = static_cast<const std::byte*>(octets);
            kept_.push_back(std::make_unique<std::vector<std::byte>>(first, first + record->len));
            seen_frame one{*kept_.back(), {}, *layout};
            packet::decode(link, one.octets, record->len, one.view);
            frames_.push_back(one);
        }
    }
    ~capture_frames() {
        if (handle_ != nullptr)
            pcap_close(handle_);
    }
    capture_frames(const capture_frames&) = delete;
    capture_frames& operator=(const capture_frames&) = delete;

    std::span<const seen_frame> frames() const { return frames_; }

private:
    pcap_t* handle_ = nullptr;
    std::vector<std::unique_ptr<std::vector<std::byte>>> kept_;
    std::vector<seen_frame> frames_;
};

} // namespace

TEST_CASE("a prefilter keeps no frame of the corpus away that a filter matches") {
    const std::vector<test::frame_sample> samples = test::corpus();
    std::vector<seen_frame> frames;
    for (const test::frame_sample& each : samples) {
        const auto layout = layout_of(each.link);
        if (!layout || each.frame.size() != each.wire_length)
            continue;
        seen_frame one{each.frame, {}, *layout};
        packet::decode(each.link, one.octets, each.wire_length, one.view);
        frames.push_back(one);
    }
    REQUIRE(frames.size() > 500);
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        INFO("seed " << seed);
        const auto criteria = filters_for(frames, seed, 1 + seed % 7);
        const verdicts found = judge(criteria, frames);
        REQUIRE(found.missed == 0);
        REQUIRE(found.matching != 0);
    }
}

TEST_CASE("a prefilter keeps no packet of real captures away that a filter matches") {
    const char* const shared = std::getenv("FLOWTAP_SHARED_DATA");
    const std::filesystem::path captures =
        std::filesystem::path(shared != nullptr ? shared : "") / "pcaps";
    if (!std::filesystem::is_directory(captures)) {
        std::cout << "SKIPPED: FLOWTAP_SHARED_DATA is not there\n";
        return;
    }
    verdicts all;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(captures)) {
        if (!entry.is_regular_file())
            continue;
        INFO(entry.path().string());
        const capture_frames capture(entry.path());
        if (capture.frames().empty())
            continue;
        ++files;
        for (const std::size_t count : {1U, 3U}) {
            const auto criteria = filters_for(capture.frames(), files, count);
            const verdicts found = judge(criteria, capture.frames());
            CHECK(found.missed == 0);
            all.matching += found.matching;
            all.others += found.others;
            all.passed_others += found.passed_others;
        }
    }
    MESSAGE(files << " captures: " << all.matching << " packets match, of " << all.others
                  << " others " << all.passed_others << " pass");
    CHECK(files > 50);
}
