// SPDX-License-Identifier: Apache-2.0
// Reads a set of filters and some frames from the input. The programs that are made of the filters
// must be good ones, and must pass each frame that decoding and the definitions find a filter for:
// frames made of packets at the borders of filters, such frames with octets changed, and whatever
// the input says. A program in front of another one must pass what either passes.
#include <algorithm>
#include <memory>
#include <vector>

#include <flowtap/filter/prefilter.hpp>
#include <flowtap/packet/view.hpp>

#include "../support/filter/prefilter_frames.hpp"
#include "filter_input.hpp"

using namespace flowtap;
using namespace flowtap::filter;
using namespace flowtap::filter::fuzzing;

namespace {

using filter::testing::bpf_runner;

constexpr prefilter_limits unbounded{1U << 30U, 1U << 30U};

bool is_matched(std::span<const criterion> criteria, const prefilter_port& port, byte_view frame) {
    packet::packet_view view;
    packet::decode(port.layout == frame_layout::ethernet ? packet::link_type::ethernet
                                                         : packet::link_type::raw,
                   frame, frame.size(), view);
    if (view.what != packet::verdict::ip)
        return false;
    view.key.way = port.way == way_of_frames::egress ? direction::egress : direction::ingress;
    view.key.interface = port.interfaces.front();
    view.key.vrf = port.vrfs.front();
    return std::ranges::any_of(criteria,
                               [&](const criterion& one) { return matches(one.spec(), view.key); });
}

std::vector<std::byte> draw_frame(fuzz_input& input, const prefilter_port& port,
                                  std::span<const criterion> criteria) {
    const std::uint8_t kind = input.octet();
    std::vector<std::byte> frame;
    if (kind < 0x20 || criteria.empty()) {
        for (unsigned left = input.octet(); left != 0 && !input.done(); --left)
            frame.push_back(std::byte{input.octet()});
        return frame;
    }
    packet_key key = draw_packet_near(input, criteria[kind % criteria.size()].spec());
    if (key.of_family == family::ccc)
        key.of_family = family::inet;
    key = filter::testing::as_decoded(key);
    frame = filter::testing::raw_packet(key, kind % 4U);
    if (port.layout == frame_layout::ethernet)
        frame = filter::testing::ethernet_frame(key, frame, input.octet() % 4U, kind & 1U);
    for (unsigned left = kind >= 0xC0 ? input.octet() % 4U : 0; left != 0 && !frame.empty(); --left)
        frame[input.octet() % frame.size()] = std::byte{input.octet()};
    return frame;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz_input input(std::span(data, size));
    const std::uint8_t kind = input.octet();
    prefilter_port port;
    port.layout = (kind & 1U) != 0 ? frame_layout::ethernet : frame_layout::raw_ip;
    port.way = (kind & 2U) != 0 ? way_of_frames::egress : way_of_frames::ingress;
    port.interfaces = {interface_id((kind >> 2U) % 4U)};
    port.vrfs = {vrf_id((kind >> 4U) % 4U)};

    std::vector<criterion> criteria;
    prefilter old;
    prefilter added;
    for (unsigned left = 1 + input.octet() % 130U; left != 0 && !input.done(); --left) {
        const slot_id slot(static_cast<std::uint32_t>(criteria.size()));
        auto made = criterion::make(slot, draw_filter(input));
        if (!made)
            continue;
        (left % 3 == 0 ? added : old).insert(slot, made->spec());
        criteria.push_back(*std::move(made));
    }
    const auto before = old.program(port, unbounded);
    const auto both = added.program(port, unbounded, *before);
    const bpf_runner first(*before);
    const bpf_runner all(*both);
    require(first.is_valid() && all.is_valid());
    for (unsigned left = 40; left != 0 && !input.done(); --left) {
        const auto drawn = draw_frame(input, port, criteria);
        // A copy of exactly its size, so that a sanitizer sees what is read behind it.
        const std::unique_ptr<std::byte[]> octets(new std::byte[drawn.size()]);
        std::copy(drawn.begin(), drawn.end(), octets.get());
        const byte_view frame(octets.get(), drawn.size());
        require(all.passes(frame) || !is_matched(criteria, port, frame));
        require(all.passes(frame) || !first.passes(frame));
    }
    return 0;
}
