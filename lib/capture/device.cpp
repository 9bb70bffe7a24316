// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace flowtap::capture::detail {

namespace {

constexpr unsigned short arphrd_rawip = 519;

std::optional<packet::link_type> link_of(unsigned short hardware) noexcept {
    switch (hardware) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        return packet::link_type::ethernet;
    case ARPHRD_NONE:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case arphrd_rawip:
        return packet::link_type::raw;
    default:
        return std::nullopt;
    }
}

} // namespace

result<device_facts> look_up(int socket, const std::string& device) {
    const auto failure = [&device](int number) {
        return fail(error(std::error_code(number, std::system_category()), device));
    };
    ifreq asked{};
    if (device.empty() || device.size() >= sizeof asked.ifr_name)
        return failure(ENODEV);
    std::memcpy(asked.ifr_name, device.data(), device.size());
    device_facts found;
    if (::ioctl(socket, SIOCGIFINDEX, &asked) != 0)
        return failure(errno);
    found.index = asked.ifr_ifindex;
    if (::ioctl(socket, SIOCGIFHWADDR, &asked) != 0)
        return failure(errno);
    found.link = link_of(asked.ifr_hwaddr.sa_family);
    if (::ioctl(socket, SIOCGIFFLAGS, &asked) != 0)
        return failure(errno);
    found.is_up = (asked.ifr_flags & IFF_UP) != 0;
    found.is_loopback = (asked.ifr_flags & IFF_LOOPBACK) != 0;
    return found;
}

device_news device_news::subscribe() noexcept {
    device_news made;
    descriptor opened(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    void* const generic = &address;
    if (opened &&
        ::bind(opened.number(), static_cast<const sockaddr*>(generic), sizeof address) == 0)
        made.socket_ = std::move(opened);
    return made;
}

void device_news::drain() const noexcept {
    std::array<char, 4096> octets;
    // ENOBUFS says that news were lost, which is news.
    while (::recv(socket_.number(), octets.data(), octets.size(), MSG_DONTWAIT) > 0 ||
           errno == ENOBUFS || errno == EINTR) {
    }
}

} // namespace flowtap::capture::detail
