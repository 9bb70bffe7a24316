// SPDX-License-Identifier: Apache-2.0
#include <flowtap/deliver/device_watch.hpp>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace flowtap::deliver {

device_watch::device_watch(descriptor socket) noexcept : socket_(std::move(socket)) {}

result<device_watch> device_watch::open(opener& with) {
    auto opened = with.route_socket();
    if (!opened)
        return fail(opened.error());
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (::bind(opened->number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "netlink"));
    return device_watch(std::move(*opened));
}

void device_watch::read() noexcept {
    std::array<char, 4096> octets;
    // ENOBUFS says that more changed than could be told.
    while (::recv(socket_.number(), octets.data(), octets.size(), MSG_DONTWAIT) > 0 ||
           errno == ENOBUFS || errno == EINTR) {
    }
}

bool device_watch::can_send(const std::string& device) const noexcept {
    ifreq asked{};
    if (device.empty() || device.size() >= sizeof asked.ifr_name)
        return false;
    device.copy(asked.ifr_name, device.size());
    constexpr int wanted = IFF_UP | IFF_RUNNING;
    return ::ioctl(socket_.number(), SIOCGIFFLAGS, &asked) == 0 &&
           (asked.ifr_flags & wanted) == wanted;
}

} // namespace flowtap::deliver
