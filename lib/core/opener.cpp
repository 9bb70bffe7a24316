// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <flowtap/core/opener.hpp>

#ifdef __linux__
#include <linux/if_packet.h>
#include <linux/netlink.h>
#endif

#include <flowtap/core/descriptor.hpp>

namespace flowtap {

namespace {

unexpected<error> system_failure(std::string subject) {
    return fail(error(std::error_code(errno, std::system_category()), std::move(subject)));
}

result<descriptor> owned(int number, const std::string& subject) {
    if (number < 0)
        return system_failure(subject);
    return descriptor(number);
}

result<void> bind_to(int socket, const endpoint& local) {
    const auto octets = local.address.bytes();
    int outcome = 0;
    if (local.address.ip_family() == family::inet) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(local.port);
        std::memcpy(&address.sin_addr, octets.data(), sizeof address.sin_addr);
        outcome = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    } else {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(local.port);
        std::memcpy(&address.sin6_addr, octets.data(), sizeof address.sin6_addr);
        outcome = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    if (outcome != 0)
        return system_failure(to_string(local));
    return {};
}

result<descriptor> unbound_udp_socket(const ip_address& local) {
    const bool is_inet = local.ip_family() == family::inet;
    auto made = owned(::socket(is_inet ? AF_INET : AF_INET6,
                               SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP),
                      to_string(local));
    const int on = 1;
    if (made && !is_inet)
        ::setsockopt(made->number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return made;
}

class local_opener final : public opener {
public:
    result<descriptor> file_to_read(const std::string& path) override {
        if (path == "-")
            return owned(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), path);
        return owned(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
    }

    result<descriptor> file_to_write(const std::string& path) override {
        if (path == "-")
            return owned(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0), path);
        return owned(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), path);
    }

    result<descriptor> raw_socket(family of) override {
        // IPPROTO_RAW means that headers are given, for both families.
        return owned(::socket(of == family::inet ? AF_INET : AF_INET6,
                              SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW),
                     "raw socket");
    }

    result<descriptor> udp_socket(const endpoint& local) override {
        auto made = unbound_udp_socket(local.address);
        if (!made)
            return made;
        const int on = 1;
        ::setsockopt(made->number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(made->number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        if (auto bound = bind_to(made->number(), local); !bound)
            return fail(bound.error());
        return made;
    }

    result<descriptor> packet_socket() override {
#ifdef __linux__
        // Protocol 0: nothing is received before the socket is bound.
        return owned(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                     "packet socket");
#else
        errno = ENOTSUP;
        return system_failure("packet socket");
#endif
    }
};

} // namespace

opener::~opener() = default;

result<descriptor> opener::route_socket() {
#ifdef __linux__
    return owned(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE),
                 "netlink");
#else
    errno = ENOTSUP;
    return system_failure("netlink");
#endif
}

result<descriptor> opener::udp_client_socket(const ip_address& local) {
    auto made = unbound_udp_socket(local);
    if (!made)
        return made;
    if (auto bound = bind_to(made->number(), {local, 0}); !bound)
        return fail(bound.error());
    return made;
}

opener& direct_opener() noexcept {
    static local_opener only;
    return only;
}

void descriptor::reset(int number) noexcept {
    if (const int before = std::exchange(number_, number); before >= 0)
        ::close(before);
}

} // namespace flowtap
