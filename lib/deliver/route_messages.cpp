// SPDX-License-Identifier: Apache-2.0
#include "route_messages.hpp"

#include <algorithm>

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace flowtap::deliver::detail {

namespace {

/// The fixed part of a message; none if the message is shorter.
template <class Body>
std::optional<Body> body_of(const netlink_message& message) noexcept {
    if (message.body.size() < sizeof(Body))
        return std::nullopt;
    return load_native<Body>(message.body);
}

template <class Body>
attribute_walk attributes_of(const netlink_message& message) noexcept {
    return attribute_walk(message.body.subspan(std::min(sizeof(Body), message.body.size())));
}

std::optional<ip_address> address_of(byte_view octets) noexcept {
    if (octets.size() != 4 && octets.size() != 16)
        return std::nullopt;
    return ip_address::from_bytes(octets);
}

std::optional<family> family_of(unsigned char number) noexcept {
    switch (number) {
    case AF_INET:
        return family::inet;
    case AF_INET6:
        return family::inet6;
    default:
        return std::nullopt;
    }
}

/// RTA_VIA: a gateway of whatever family, behind the number of it.
std::optional<ip_address> via_of(byte_view octets) noexcept {
    if (octets.size() < sizeof(std::uint16_t))
        return std::nullopt;
    return address_of(octets.subspan(sizeof(std::uint16_t)));
}

std::uint32_t mtu_in(byte_view metrics) noexcept {
    attribute_walk each(metrics);
    for (attribute_walk::attribute one; each.next(one);)
        if (one.type == RTAX_MTU)
            return one.number();
    return 0;
}

mac_address mac_of(byte_view octets) noexcept {
    mac_address made{};
    if (octets.size() == made.size())
        std::copy(octets.begin(), octets.end(), made.begin());
    return made;
}

network_event read_route_event(const netlink_message& message) noexcept {
    network_event made;
    const auto body = body_of<rtmsg>(message);
    const auto of = body ? family_of(body->rtm_family) : std::nullopt;
    // Cached routes come and go by themselves.
    if (!of || (body->rtm_flags & RTM_F_CLONED) != 0)
        return made;
    made.what = network_event::kind::routes;
    made.prefix = {ip_address(*of, {}), 0};
    auto each = attributes_of<rtmsg>(message);
    for (attribute_walk::attribute one; each.next(one);) {
        const auto address = one.type == RTA_DST ? address_of(one.value) : std::nullopt;
        const unsigned longest = *of == family::inet ? 32 : 128;
        if (address && address->ip_family() == *of && body->rtm_dst_len <= longest)
            made.prefix = {*address, body->rtm_dst_len};
    }
    return made;
}

network_event read_neighbour_event(const netlink_message& message) noexcept {
    network_event made;
    const auto body = body_of<ndmsg>(message);
    if (!body || !family_of(body->ndm_family))
        return made;
    auto each = attributes_of<ndmsg>(message);
    for (attribute_walk::attribute one; each.next(one);) {
        const auto address = one.type == NDA_DST ? address_of(one.value) : std::nullopt;
        if (!address)
            continue;
        made.what = network_event::kind::neighbour;
        made.device = static_cast<unsigned>(body->ndm_ifindex);
        made.address = *address;
    }
    if (message.type == RTM_NEWNEIGH)
        made.neighbour = read_neighbour(message);
    return made;
}

} // namespace

network_event read_event(const netlink_message& message) noexcept {
    network_event made;
    switch (message.type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return read_route_event(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
        return read_neighbour_event(message);
    case RTM_NEWLINK:
    case RTM_DELLINK:
        made.link = read_link(message);
        if (made.link.index != 0)
            made.what = network_event::kind::link;
        return made;
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        made.what = network_event::kind::anything;
        return made;
    default:
        return made;
    }
}

route_state read_route(const netlink_message& message, const ip_address& to) noexcept {
    route_state made;
    const auto body = body_of<rtmsg>(message);
    if (message.type != RTM_NEWROUTE || !body)
        return made;
    made.what = route_state::kind::other;
    made.next_hop = to;
    bool is_wrapped = false;
    auto each = attributes_of<rtmsg>(message);
    for (attribute_walk::attribute one; each.next(one);) {
        switch (one.type) {
        case RTA_OIF:
            made.device = one.number();
            break;
        case RTA_GATEWAY:
            made.next_hop = address_of(one.value).value_or(made.next_hop);
            break;
        case RTA_VIA:
            made.next_hop = via_of(one.value).value_or(made.next_hop);
            break;
        case RTA_PREFSRC:
            made.source = address_of(one.value);
            break;
        case RTA_METRICS:
            made.mtu = mtu_in(one.value);
            break;
        case RTA_ENCAP_TYPE:
            is_wrapped = one.value.size() < 2 || load_native<std::uint16_t>(one.value) != 0;
            break;
        default:
            break;
        }
    }
    if (body->rtm_type == RTN_UNICAST && made.device != 0 && !is_wrapped)
        made.what = route_state::kind::unicast;
    return made;
}

link_state read_link(const netlink_message& message) noexcept {
    link_state made;
    const auto body = body_of<ifinfomsg>(message);
    // Bridges tell of their ports in the same message, as another family.
    if (!body || body->ifi_family != AF_UNSPEC || body->ifi_index <= 0)
        return made;
    made.index = static_cast<unsigned>(body->ifi_index);
    made.exists = message.type == RTM_NEWLINK;
    made.is_up =
        made.exists && (body->ifi_flags & IFF_UP) != 0 && (body->ifi_flags & IFF_LOWER_UP) != 0;
    made.is_ethernet = body->ifi_type == ARPHRD_ETHER && (body->ifi_flags & IFF_NOARP) == 0;
    auto each = attributes_of<ifinfomsg>(message);
    for (attribute_walk::attribute one; each.next(one);) {
        if (one.type == IFLA_ADDRESS)
            made.address = mac_of(one.value);
        else if (one.type == IFLA_MTU)
            made.mtu = one.number();
    }
    return made;
}

neighbour_state read_neighbour(const netlink_message& message) noexcept {
    neighbour_state made;
    const auto body = body_of<ndmsg>(message);
    if (message.type != RTM_NEWNEIGH || !body)
        return made;
    auto each = attributes_of<ndmsg>(message);
    bool has_address = false;
    for (attribute_walk::attribute one; each.next(one);) {
        if (one.type != NDA_LLADDR || one.value.size() != made.address.size())
            continue;
        made.address = mac_of(one.value);
        has_address = true;
    }
    if (!has_address)
        return made;
    if ((body->ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0)
        made.what = neighbour_state::kind::fixed;
    else if ((body->ndm_state & NUD_REACHABLE) != 0)
        made.what = neighbour_state::kind::confirmed;
    else if ((body->ndm_state & (NUD_STALE | NUD_DELAY | NUD_PROBE)) != 0)
        made.what = neighbour_state::kind::uncertain;
    return made;
}

netlink_request ask_for_route(const ip_address& to, std::uint32_t mark, unsigned device,
                              std::uint32_t sequence) noexcept {
    rtmsg body{};
    const bool is_inet = to.ip_family() == family::inet;
    body.rtm_family = is_inet ? AF_INET : AF_INET6;
    body.rtm_dst_len = is_inet ? 32 : 128;
    netlink_request made(RTM_GETROUTE, sequence, body);
    const auto octets = to.bytes();
    made.add(RTA_DST, std::span(octets).first(to.size()));
    if (mark != 0)
        made.add(RTA_MARK, mark);
    if (device != 0)
        made.add(RTA_OIF, device);
    return made;
}

netlink_request ask_for_link(unsigned index, std::uint32_t sequence) noexcept {
    ifinfomsg body{};
    body.ifi_family = AF_UNSPEC;
    body.ifi_index = static_cast<int>(index);
    return {RTM_GETLINK, sequence, body};
}

netlink_request ask_for_neighbour(unsigned device, const ip_address& address,
                                  std::uint32_t sequence) noexcept {
    ndmsg body{};
    body.ndm_family = address.ip_family() == family::inet ? AF_INET : AF_INET6;
    body.ndm_ifindex = static_cast<int>(device);
    netlink_request made(RTM_GETNEIGH, sequence, body);
    const auto octets = address.bytes();
    made.add(NDA_DST, std::span(octets).first(address.size()));
    return made;
}

} // namespace flowtap::deliver::detail
