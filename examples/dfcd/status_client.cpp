// SPDX-License-Identifier: Apache-2.0
#include "status_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <flowtap/core/descriptor.hpp>

#include "error.hpp"

namespace dfcd {

namespace {

constexpr timeval patience{10, 0};
constexpr std::size_t longest_answer = std::size_t{64} << 20;

flowtap::unexpected<flowtap::error> system_failure(const metrics_address& where) {
    return flowtap::fail(
        flowtap::error(std::error_code(errno, std::generic_category()), to_string(where)));
}

/// An address in the form of the system's calls.
struct peer {
    sockaddr_storage octets{};
    socklen_t size = 0;
    int family = 0;

    template <class Address>
    void put(const Address& what, int of) {
        std::memcpy(&octets, &what, sizeof what);
        size = sizeof what;
        family = of;
    }
};

peer peer_of(const metrics_address& where) {
    peer made;
    if (const auto* local = std::get_if<local_socket>(&where)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(local->path, address.sun_path);
        made.put(address, AF_UNIX);
        return made;
    }
    const auto& at = std::get<flowtap::endpoint>(where);
    const auto octets = at.address.bytes();
    if (at.address.ip_family() == flowtap::family::inet) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(at.port);
        std::memcpy(&address.sin_addr, octets.data(), sizeof address.sin_addr);
        made.put(address, AF_INET);
    } else {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = htons(at.port);
        std::memcpy(&address.sin6_addr, octets.data(), sizeof address.sin6_addr);
        made.put(address, AF_INET6);
    }
    return made;
}

flowtap::result<std::string> ask(const metrics_address& where, std::string_view request) {
    const peer to = peer_of(where);
    const flowtap::descriptor made(::socket(to.family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!made)
        return system_failure(where);
    for (const int limited : {SO_RCVTIMEO, SO_SNDTIMEO})
        ::setsockopt(made.number(), SOL_SOCKET, limited, &patience, sizeof patience);
    if (::connect(made.number(), reinterpret_cast<const sockaddr*>(&to.octets), to.size) != 0 ||
        ::send(made.number(), request.data(), request.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(request.size()))
        return system_failure(where);
    std::string answer;
    std::array<char, 16384> piece{};
    for (;;) {
        const ssize_t got = ::recv(made.number(), piece.data(), piece.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return system_failure(where);
        if (got == 0)
            return answer;
        answer.append(piece.data(), static_cast<std::size_t>(got));
        if (answer.size() > longest_answer)
            return flowtap::fail(errc::no_status, to_string(where));
    }
}

} // namespace

flowtap::result<std::string> ask_status(const metrics_address& where, std::string_view page) {
    const std::string request =
        "GET " + std::string(page) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    auto answer = ask(where, request);
    if (!answer)
        return flowtap::fail(answer.error());
    constexpr std::string_view good = "HTTP/1.1 200 ";
    constexpr std::string_view end_of_header = "\r\n\r\n";
    const std::size_t end = answer->find(end_of_header);
    if (!answer->starts_with(good) || end == std::string::npos)
        return flowtap::fail(errc::no_status, to_string(where));
    return answer->substr(end + end_of_header.size());
}

} // namespace dfcd
