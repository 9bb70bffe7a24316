// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <string_view>
#include <sys/socket.h>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::transport {

/// An address and port in the form of the system's calls.
class socket_address {
public:
    socket_address() noexcept;
    explicit socket_address(const endpoint& from) noexcept;

    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&octets_); }
    socklen_t size() const noexcept { return size_; }
    static constexpr socklen_t room() noexcept { return sizeof(sockaddr_storage); }

    /// What the system has written here.
    endpoint to_endpoint() const noexcept;

private:
    sockaddr_storage octets_;
    socklen_t size_ = 0;
};

/// A UDP socket that never blocks, and that knows which local address a datagram was sent to.
class datagram_socket {
public:
    /// Octets that are asked of the system for what has come and was not read yet. It gives what
    /// its own limit admits.
    static constexpr int receive_buffer = 4 * 1024 * 1024;

    /// Errors: the operating system's, with the address as the subject.
    static result<datagram_socket> open(const endpoint& local, opener& via = direct_opener());

    /// A socket that talks to one address and port of `host` alone, a name or an address.
    /// Errors: `errc::host_not_found` with the host and why, and the operating system's.
    static result<datagram_socket> connect(const std::string& host, std::uint16_t port);

    int number() const noexcept { return socket_.number(); }
    int release() noexcept { return socket_.release(); }
    /// With the port that port 0 became.
    const endpoint& local() const noexcept { return local_; }

private:
    datagram_socket(descriptor socket, endpoint local) noexcept
        : socket_(std::move(socket)), local_(local) {}

    descriptor socket_;
    endpoint local_;
};

/// Sends a datagram from the local address `source`, or, if that is unspecified, from the one that
/// the system chooses. Returns 0 or the system's error, for which errors that the socket kept about
/// earlier datagrams are not mistaken.
int send_datagram_from(int socket, const ip_address& source, const endpoint& to,
                       std::string_view octets) noexcept;

/// Takes errors about earlier datagrams off a socket: how many there were.
std::uint64_t take_errors(int socket) noexcept;

/// Room for a number of datagrams that one call of the system receives.
class datagram_batch {
public:
    datagram_batch(std::size_t count, std::size_t longest);

    /// Returns how many it received, or less than 0: the negated error of the system.
    int receive(int socket) noexcept;

    struct item {
        endpoint from;
        /// Which local address it was sent to; the unspecified one of the family if that is not an
        /// address of this host alone, but of many (multicast, broadcast).
        ip_address at;
        byte_view octets;
        /// The rest of it was lost.
        bool too_long = false;
    };
    /// Of those received, number `index`.
    item operator[](std::size_t index) const noexcept;

    /// How many the system has thrown away on the socket last received from, since it was opened,
    /// because nobody read them in time.
    std::uint32_t overflow() const noexcept { return overflow_; }

private:
    struct alignas(cmsghdr) control_room {
        std::byte octets[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint32_t)) + 64];
    };

    std::size_t longest_;
    std::unique_ptr<std::byte[]> octets_;
    std::vector<socket_address> addresses_;
    std::vector<control_room> controls_;
    std::vector<iovec> parts_;
    std::vector<mmsghdr> messages_;
    std::uint32_t overflow_ = 0;
};

} // namespace flowtap::transport
