// SPDX-License-Identifier: Apache-2.0
#include "client_socket.hpp"

#include <cerrno>
#include <sys/socket.h>

#include "socket_address.hpp"

namespace flowtap::radius {

namespace {

std::error_code system_error(int number) {
    return {number, std::system_category()};
}

} // namespace

result<descriptor> open_client_socket(opener& with, const endpoint& peer,
                                      const std::optional<ip_address>& source) {
    const ip_address any(peer.address.ip_family(), {});
    auto socket = with.udp_client_socket(source.value_or(any));
    if (!socket)
        return socket;
    socket_address to(peer);
    if (::connect(socket->number(), to.any(), to.size) != 0)
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
