// SPDX-License-Identifier: Apache-2.0
#include "sockets.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <span>
#include <string>

namespace flowtap::tools {

namespace {

unexpected<error> system_failure(std::string subject) {
    return fail(error(std::error_code(errno, std::system_category()), std::move(subject)));
}

ip_address address_from(const void* octets, std::size_t size) noexcept {
    return ip_address::from_bytes({static_cast<const std::byte*>(octets), size});
}

bool bind_to(int socket, const endpoint& local) noexcept {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const auto octets = local.address.bytes();
    if (local.address.ip_family() == family::inet) {
        auto* const to = reinterpret_cast<sockaddr_in*>(&storage);
        to->sin_family = AF_INET;
        to->sin_port = htons(local.port);
        std::memcpy(&to->sin_addr, octets.data(), sizeof to->sin_addr);
        size = sizeof *to;
    } else {
        auto* const to = reinterpret_cast<sockaddr_in6*>(&storage);
        to->sin6_family = AF_INET6;
        to->sin6_port = htons(local.port);
        std::memcpy(&to->sin6_addr, octets.data(), sizeof to->sin6_addr);
        size = sizeof *to;
    }
    return ::bind(socket, reinterpret_cast<const sockaddr*>(&storage), size) == 0;
}

void prepare(int socket, family of, int buffer) noexcept {
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (of == family::inet6) {
        ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    } else {
        ::setsockopt(socket, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    }
    // Beyond the system's limit where the privilege for it is there.
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
}

constexpr int kind_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

} // namespace

result<descriptor> open_udp(const endpoint& local, int buffer) {
    const family of = local.address.ip_family();
    descriptor made(
        ::socket(of == family::inet ? AF_INET : AF_INET6, SOCK_DGRAM | kind_flags, IPPROTO_UDP));
    if (!made)
        return system_failure(to_string(local));
    prepare(made.number(), of, buffer);
    if (!bind_to(made.number(), local))
        return system_failure(to_string(local));
    return made;
}

result<descriptor> open_raw(family of, int protocol, const std::optional<ip_address>& local,
                            int buffer) {
    descriptor made(
        ::socket(of == family::inet ? AF_INET : AF_INET6, SOCK_RAW | kind_flags, protocol));
    if (!made && (errno == EPERM || errno == EACCES))
        return system_failure("IP-in-IP needs CAP_NET_RAW");
    if (!made)
        return system_failure("IP-in-IP");
    prepare(made.number(), of, buffer);
    if (local && !bind_to(made.number(), {*local, 0}))
        return system_failure(to_string(*local));
    return made;
}

endpoint to_endpoint(const sockaddr_storage& address) noexcept {
    if (address.ss_family == AF_INET) {
        sockaddr_in from{};
        std::memcpy(&from, &address, sizeof from);
        return {address_from(&from.sin_addr, 4), ntohs(from.sin_port)};
    }
    sockaddr_in6 from{};
    std::memcpy(&from, &address, sizeof from);
    return {address_from(&from.sin6_addr, 16), ntohs(from.sin6_port)};
}

endpoint local_of(int socket) noexcept {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
    return to_endpoint(address);
}

std::uint64_t drops_of(int socket) noexcept {
    std::array<std::uint32_t, SK_MEMINFO_VARS> told{};
    socklen_t size = sizeof told;
    if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, told.data(), &size) != 0)
        return 0;
    return told[SK_MEMINFO_DROPS];
}

ancillary read_ancillary(msghdr& message) noexcept {
    ancillary found;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
         each = CMSG_NXTHDR(&message, each)) {
        const unsigned char* const data = CMSG_DATA(each);
        if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_TIMESTAMPNS) {
            timespec told{};
            std::memcpy(&told, data, sizeof told);
            found.time = wall_time(std::chrono::seconds(told.tv_sec) +
                                   std::chrono::nanoseconds(told.tv_nsec));
        } else if (each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_PKTINFO) {
            in_pktinfo told{};
            std::memcpy(&told, data, sizeof told);
            found.destination = address_from(&told.ipi_addr, 4);
        } else if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo told{};
            std::memcpy(&told, data, sizeof told);
            found.destination = address_from(&told.ipi6_addr, 16);
        }
    }
    return found;
}

} // namespace flowtap::tools
