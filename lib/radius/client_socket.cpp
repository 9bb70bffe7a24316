// SPDX-License-Identifier: Apache-2.0
#include "client_socket.hpp"

#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace flowtap::radius {

namespace {

std::error_code system_error(int number) {
    return {number, std::system_category()};
}

int connect_to(int socket, const endpoint& peer) noexcept {
    const auto octets = peer.address.bytes();
    if (peer.address.ip_family() == family::inet) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(peer.port);
        std::memcpy(&address.sin_addr, octets.data(), sizeof address.sin_addr);
        return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(peer.port);
    std::memcpy(&address.sin6_addr, octets.data(), sizeof address.sin6_addr);
    return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

} // namespace

result<descriptor> open_client_socket(opener& with, const endpoint& peer,
                                      const std::optional<ip_address>& source) {
    const ip_address any(peer.address.ip_family(), {});
    auto socket = with.udp_client_socket(source.value_or(any));
    if (!socket)
        return socket;
    if (connect_to(socket->number(), peer) != 0)
        return fail(error(system_error(errno), to_string(peer)));
    return socket;
}

std::error_code send_to_peer(int socket, byte_view octets) noexcept {
    for (;;) {
        if (::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL) >= 0)
            return {};
        if (errno != EINTR)
            return system_error(errno);
    }
}

result<byte_view> receive_from_peer(int socket, std::span<std::byte> room) {
    const ssize_t count = ::recv(socket, room.data(), room.size(), 0);
    if (count < 0)
        return fail(error(system_error(errno == EAGAIN ? EWOULDBLOCK : errno)));
    return byte_view(room.first(static_cast<std::size_t>(count)));
}

} // namespace flowtap::radius
