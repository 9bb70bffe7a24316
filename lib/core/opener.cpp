// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

/// Whether there is a regular file that could be written to.
bool may_be_replaced(const std::string& path) noexcept {
    struct stat there {};
    return ::lstat(path.c_str(), &there) == 0 && S_ISREG(there.st_mode) &&
           ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

void switch_on(int socket, int level, int option) noexcept {
    const int on = 1;
    ::setsockopt(socket, level, option, &on, sizeof on);
}

/// A socket for one of the two families, IPv6 without IPv4.
result<descriptor> inet_socket(const endpoint& local, int type) {
    const bool is_inet = local.address.ip_family() == family::inet;
    descriptor made(::socket(is_inet ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made)
        return system_failure(to_string(local));
    if (!is_inet)
        switch_on(made.number(), IPPROTO_IPV6, IPV6_V6ONLY);
    return made;
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

/// A UDP socket that shares its address with no other.
result<descriptor> own_udp_socket(const endpoint& local) {
    auto made = inet_socket(local, SOCK_DGRAM);
    if (!made)
        return made;
    if (auto bound = bind_to(made->number(), local); !bound)
        return fail(bound.error());
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
        constexpr int how = O_WRONLY | O_CREAT | O_CLOEXEC;
        const bool gave_way = may_be_replaced(path) && ::unlink(path.c_str()) == 0;
        return owned(::open(path.c_str(), how | (gave_way ? O_EXCL : O_TRUNC), 0600), path);
    }

    result<descriptor> raw_socket(family of) override {
        // IPPROTO_RAW means that headers are given, for both families.
        return owned(::socket(of == family::inet ? AF_INET : AF_INET6,
                              SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW),
                     "raw socket");
    }

    result<descriptor> udp_socket(const endpoint& local) override {
        auto made = inet_socket(local, SOCK_DGRAM);
        if (!made)
            return made;
        switch_on(made->number(), SOL_SOCKET, SO_REUSEADDR);
        switch_on(made->number(), SOL_SOCKET, SO_REUSEPORT);
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
    return own_udp_socket({local, 0});
}

result<descriptor> opener::datagram_listener(const endpoint& local) {
    return own_udp_socket(local);
}

result<descriptor> opener::stream_listener(const endpoint& local) {
    auto made = inet_socket(local, SOCK_STREAM);
    if (!made)
        return made;
    // What is left of connections before does not keep the port.
    switch_on(made->number(), SOL_SOCKET, SO_REUSEADDR);
    if (auto bound = bind_to(made->number(), local); !bound)
        return fail(bound.error());
    if (::listen(made->number(), SOMAXCONN) != 0)
        return system_failure(to_string(local));
    return made;
}

result<descriptor> opener::local_listener(const std::string& path) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof at.sun_path)
        return fail(error(std::make_error_code(std::errc::filename_too_long), path));
    path.copy(at.sun_path, path.size());
    descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Linux gives the name the mode that the socket has when it is bound.
    if (!made || ::fchmod(made.number(), S_IRUSR | S_IWUSR) != 0 ||
        ::bind(made.number(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
        return system_failure(path);
    if (::listen(made.number(), SOMAXCONN) != 0) {
        auto failure = system_failure(path);
        ::unlink(path.c_str());
        return failure;
    }
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
