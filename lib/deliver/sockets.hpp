// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <span>
#include <string>
#include <sys/socket.h>

#include <flowtap/core/address.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/socket_options.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver::detail {

/// An address and port in the form of the system's calls.
class socket_address {
public:
    socket_address() noexcept : octets_{} {}
    explicit socket_address(const endpoint& from) noexcept;

    sockaddr* data() noexcept { return &octets_.any; }
    socklen_t size() const noexcept { return size_; }

private:
    union {
        sockaddr any;
        sockaddr_in inet;
        sockaddr_in6 inet6;
    } octets_;
    socklen_t size_ = 0;
};

/// Has a socket send through a device; with an empty name nothing is done. Errors: those of the
/// system.
result<void> bind_to_device(const descriptor& socket, const std::string& device);

/// Sets what all sockets of sinks have. Errors: those of the system for the mark and the device.
result<void> prepare(const descriptor& socket, const socket_options& options);

/// How a failed call of the system is to be understood.
enum class send_error : std::uint8_t {
    full,     ///< no room for now
    again,    ///< interrupted: the same call again
    too_long, ///< longer than the MTU
    final,    ///< will not get better: the copy is to be dropped
};
send_error kind_of(int system_error) noexcept;
path::drop_cause cause_of(int system_error) noexcept;

/// Takes errors of earlier packets off a socket, that they are not taken for those of the next.
void clear_errors(int socket) noexcept;

/// Messages that one system call sends: for each a header of our own, the copied packet and, where
/// used, control data.
class message_batch {
public:
    static constexpr std::size_t room = 64;
    static constexpr std::size_t control_room = 64;

    std::size_t size() const noexcept { return size_; }
    bool full() const noexcept { return size_ == room; }
    void clear() noexcept { size_ = 0; }

    /// Where the header of the next message is to be written.
    std::span<std::byte> header() noexcept { return headers_[size_]; }
    std::span<std::byte> control() noexcept { return controls_[size_].octets; }

    /// Adds the next message: `header` (a part of what was written), then `body`.
    void add(const endpoint& to, byte_view header, byte_view body, std::size_t control) noexcept;

    /// Sends the messages in order. Returns how many were sent; 0 leaves the reason in errno.
    std::size_t send(int socket) noexcept;

private:
    struct alignas(cmsghdr) control_buffer {
        std::array<std::byte, control_room> octets;
    };

    std::array<std::array<std::byte, packet::max_header_size>, room> headers_;
    std::array<control_buffer, room> controls_;
    std::array<socket_address, room> addresses_;
    std::array<std::array<iovec, 2>, room> parts_;
    std::array<mmsghdr, room> messages_;
    std::size_t size_ = 0;
};

/// Sends one message of two parts. Returns 0 or the system's error.
int send_one(int socket, const endpoint& to, byte_view first, byte_view second) noexcept;

/// How long a packet from a UDP socket to `to` may be, as the system says; 0 if it does not.
/// Connects the socket; nothing is sent.
std::size_t mtu_towards(int socket, const ip_address& to) noexcept;

/// Whether packets of a socket have not left the system yet, as far as it knows.
bool has_unsent(int socket) noexcept;

/// Waits until `socket` may have room. The system calls a socket writable although the device's
/// queue is full, so that case waits a little without asking.
void wait_writable(int socket, int last_error, int milliseconds) noexcept;

} // namespace flowtap::deliver::detail
