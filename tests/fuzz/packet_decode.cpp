// SPDX-License-Identifier: Apache-2.0
// Decodes any octets as a frame of any link type. The first octet chooses the link type, the second
// says how much longer the frame was on the wire.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>

#include <flowtap/packet/plain.hpp>
#include <flowtap/packet/view.hpp>

namespace {

using namespace flowtap::packet;

constexpr std::array links = {
    link_type::ethernet,   link_type::raw,         link_type::null,
    link_type::ppp,        link_type::ppp_hdlc,    link_type::ppp_ether,
    link_type::cisco_hdlc, link_type::loop,        link_type::linux_cooked,
    link_type::ipv4,       link_type::ipv6,        link_type::linux_cooked_v2,
    link_type::raw_bsd,    link_type::raw_openbsd, link_type::ppp_with_direction};

void require(bool holds) {
    if (!holds)
        std::abort();
}

void check(const packet_view& view, flowtap::byte_view frame, std::size_t wire_length) {
    const auto begins_before = std::less_equal<const std::byte*>();
    if (!view.ip.empty()) {
        require(begins_before(frame.data(), view.ip.data()));
        require(begins_before(view.ip.data() + view.ip.size(), frame.data() + frame.size()));
        require(view.total_length <= wire_length);
    }
    switch (view.what) {
    case verdict::ip:
        require(view.ip.size() == view.total_length && view.fragment_offset == 0);
        break;
    case verdict::later_fragment:
        require(view.fragment_offset != 0 && !view.key.has_ports && !view.key.has_icmp);
        break;
    case verdict::cut_short:
        require(view.ip.size() < view.total_length && frame.size() < wire_length);
        break;
    case verdict::not_ip:
    case verdict::malformed:
    case verdict::unsupported_link:
        require(view.ip.empty() && view.key == flowtap::packet_key{});
    }
    require(!(view.key.has_ports && view.key.has_icmp));
    require(view.vlan >= -1 && view.vlan <= 4095);
}

/// Of what is plain, everything is as `decode` has it.
void check_plain(const packet_view& view, link_type link, flowtap::byte_view frame,
                 flowtap::byte_view plain) {
    require(view.what == verdict::ip && !view.more_fragments && view.vlan == -1);
    require(view.ip.data() == plain.data() && view.ip.size() == plain.size() &&
            view.total_length == plain.size());
    require(plain_packet(link, frame).data() == plain.data() &&
            plain_packet(link, frame).size() == plain.size());
    flowtap::packet_key key;
    put_plain_key(plain, {}, key);
    require(view.key == key);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const auto frame = std::as_bytes(std::span(data + 2, size - 2));
    const std::size_t wire_length = frame.size() + data[1];
    packet_view view;
    const link_type link = links[data[0] % links.size()];
    decode(link, frame, wire_length, view);
    check(view, frame, wire_length);
    const flowtap::byte_view plain = find_plain(link, frame);
    if (!plain.empty())
        check_plain(view, link, frame, plain);
    return 0;
}
