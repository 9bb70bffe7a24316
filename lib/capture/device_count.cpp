// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>

#ifdef __linux__
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#endif

#include <flowtap/capture/device_meter.hpp>
#include <flowtap/capture/error.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/descriptor.hpp>

namespace flowtap::capture {

#ifdef __linux__

namespace {

/// A request for what the kernel knows of a device, by its index (rtnetlink(7)).
struct link_request {
    nlmsghdr header;
    ifinfomsg about;
};

/// A value of type T at `at`; all zero beyond the end.
template <class T>
T value_at(byte_view octets, std::size_t at) {
    T value{};
    if (at <= octets.size() && sizeof value <= octets.size() - at)
        std::memcpy(&value, octets.data() + at, sizeof value);
    return value;
}

/// The 64-bit counters in an answer to a `link_request`; none if it is something else.
std::optional<rtnl_link_stats64> counters_in(byte_view answer) {
    const auto header = value_at<nlmsghdr>(answer, 0);
    if (header.nlmsg_type != RTM_NEWLINK || header.nlmsg_len > answer.size())
        return std::nullopt;
    const byte_view message = answer.first(header.nlmsg_len);
    for (std::size_t at = NLMSG_SPACE(sizeof(ifinfomsg)); at + sizeof(rtattr) <= message.size();) {
        const auto attribute = value_at<rtattr>(message, at);
        if (attribute.rta_len < sizeof(rtattr) || attribute.rta_len > message.size() - at)
            return std::nullopt;
        if (attribute.rta_type == IFLA_STATS64)
            return value_at<rtnl_link_stats64>(message.first(at + attribute.rta_len),
                                               at + RTA_LENGTH(0));
        at += RTA_ALIGN(attribute.rta_len);
    }
    return std::nullopt;
}

result<std::uint64_t> failed(const std::string& device, int code) {
    return fail(errc::cannot_open_device,
                device + ": " + std::error_code(code, std::system_category()).message());
}

} // namespace

result<std::uint64_t> packets_of_device(const std::string& device) {
    const unsigned index = ::if_nametoindex(device.c_str());
    if (index == 0)
        return failed(device, errno);
    const descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket)
        return failed(device, errno);
    link_request asked{};
    asked.header.nlmsg_len = sizeof asked;
    asked.header.nlmsg_type = RTM_GETLINK;
    asked.header.nlmsg_flags = NLM_F_REQUEST;
    asked.about.ifi_index = static_cast<int>(index);
    if (::send(socket.number(), &asked, sizeof asked, 0) < 0)
        return failed(device, errno);
    std::array<std::byte, 16384> room;
    const ssize_t size = ::recv(socket.number(), room.data(), room.size(), 0);
    if (size < 0)
        return failed(device, errno);
    const auto counted = counters_in(std::span(room).first(static_cast<std::size_t>(size)));
    if (!counted)
        return failed(device, ENODEV);
    const bool is_loopback =
        (value_at<ifinfomsg>(room, NLMSG_HDRLEN).ifi_flags & IFF_LOOPBACK) != 0;
    return counted->rx_packets + (is_loopback ? 0 : counted->tx_packets);
}

#else

result<std::uint64_t> packets_of_device(const std::string& device) {
    return fail(errc::cannot_open_device, device);
}

#endif

} // namespace flowtap::capture
