// SPDX-License-Identifier: Apache-2.0
// Takes any octets apart as packets of which each may be a copy or a fragment of one: two octets of
// length, then the packet. What comes out is encapsulated again and must come out again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include <flowtap/packet/decapsulation.hpp>
#include <flowtap/packet/fragment.hpp>
#include <flowtap/packet/reassembly.hpp>

namespace {

using namespace flowtap;
using namespace flowtap::packet;

void require(bool holds) {
    if (!holds)
        std::abort();
}

std::vector<std::byte> encapsulated(const decapsulated& copy) {
    const auto header = header_template::make({.kind = copy.kind,
                                               .source = copy.source,
                                               .destination = copy.destination,
                                               .ttl = copy.ttl,
                                               .dscp = copy.dscp,
                                               .mirror = copy.mirror});
    require(header.has_value());
    std::vector<std::byte> out(header->size());
    if (!header->write(copy.inner, copy.identification, out))
        return {};
    out.insert(out.end(), copy.inner.begin(), copy.inner.end());
    return out;
}

void check(encapsulation_kind kind, const packet_view& packet) {
    const auto copy = decapsulate(kind, packet);
    if (!copy)
        return;
    const auto again = encapsulated(*copy);
    if (again.empty())
        return;
    const auto second = decapsulate(kind, again);
    require(second.has_value());
    require(second->source == copy->source && second->destination == copy->destination);
    require(second->ttl == copy->ttl && second->dscp == copy->dscp);
    require(second->mirror == copy->mirror);
    require(second->udp_checksum != checksum_state::bad);
    require(second->ip_checksum != checksum_state::bad);
    require(std::ranges::equal(second->inner, copy->inner));
}

void check_all(byte_view packet) {
    packet_view view;
    decode(link_type::raw, packet, packet.size(), view);
    for (const auto kind :
         {encapsulation_kind::udp, encapsulation_kind::udp_mirror, encapsulation_kind::ip_in_ip})
        check(kind, view);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    reassembler joiner({.packets = 4, .fragments_per_packet = 8});
    byte_cursor input(std::as_bytes(std::span(data, size)));
    while (input.remaining() > 2) {
        const std::size_t announced = input.u16();
        const std::size_t length = std::min(announced, input.remaining());
        const byte_view packet = input.take(length);
        check_all(packet);
        packet_view view;
        decode(link_type::raw, packet, packet.size(), view);
        const byte_view joined = joiner.add(view);
        require(joiner.pending() <= 4);
        if (!joined.empty())
            check_all(joined);
    }
    return 0;
}
