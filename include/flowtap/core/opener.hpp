// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/core/address.hpp>
#include <flowtap/core/api.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap {

/// The one way in which the data path's modules open files, sockets and devices, and servers the
/// sockets that they listen at, so that a program without privileges can have it done by another
/// process.
///
/// Errors are those of the operating system (`std::system_category`), with the name of what was to
/// be opened as their subject. Descriptors are close-on-exec; sockets do not block.
/// A product's own opener must be usable by several threads at a time if its users are.
class FLOWTAP_CORE_API opener {
public:
    opener() = default;
    opener(const opener&) = delete;
    opener& operator=(const opener&) = delete;
    virtual ~opener();

    /// An existing file; `-` is standard input.
    virtual result<descriptor> file_to_read(const std::string& path) = 0;

    /// A new file, readable for its owner only; `-` is standard output. A regular file that is
    /// there already gives way to it: who has that open, or by another name, sees nothing of what
    /// is written, and neither its owner nor its mode are taken over. Where it cannot be removed it
    /// is emptied, as what a symbolic link leads to is.
    virtual result<descriptor> file_to_write(const std::string& path) = 0;

    /// A socket that sends IP packets as they are given, headers included, from any address.
    virtual result<descriptor> raw_socket(family of) = 0;

    /// A UDP socket bound to `local`, which other sockets may share.
    virtual result<descriptor> udp_socket(const endpoint& local) = 0;

    /// A UDP socket at a free port of `local`, which may be the unspecified address and which no
    /// other socket shares: answers come to nobody else. It needs no privilege, so that it is
    /// opened in the calling process unless an opener says otherwise.
    virtual result<descriptor> udp_client_socket(const ip_address& local);

    /// A packet socket that is bound to no device and receives nothing yet.
    virtual result<descriptor> packet_socket() = 0;

    /// A netlink socket that asks about routes and devices (rtnetlink(7)). It needs no privilege,
    /// so that it is opened in the calling process unless an opener says otherwise.
    virtual result<descriptor> route_socket();

    // Where a server is to be reached. Opened in the calling process, too, unless an opener says
    // otherwise. An IPv6 address never stands for IPv4.

    /// A UDP socket bound to `local`, which it has for itself.
    virtual result<descriptor> datagram_listener(const endpoint& local);

    /// A TCP socket that listens at `local`.
    virtual result<descriptor> stream_listener(const endpoint& local);

    /// A stream socket that listens in the file system, at a path where nothing is: for its owner
    /// only (mode 0600), from its first moment on.
    virtual result<descriptor> local_listener(const std::string& path);
};

/// Opens in the calling process, with the privileges that it has. Any thread.
FLOWTAP_CORE_API opener& direct_opener() noexcept;

} // namespace flowtap
