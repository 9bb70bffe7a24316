// SPDX-License-Identifier: Apache-2.0
#include "notifier.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace dfcd {

namespace config = flowtap::config;
using flowtap::endpoint;
using flowtap::family;
using flowtap::ip_address;

namespace {

/// An address of the system's.
struct socket_name {
    sockaddr_storage octets{};
    socklen_t size = sizeof(sockaddr_storage);

    sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&octets); }
};

socket_name name_of(const endpoint& where) {
    socket_name made;
    const auto octets = where.address.bytes();
    if (where.address.ip_family() == family::inet) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(where.port);
        std::memcpy(&name.sin_addr, octets.data(), where.address.size());
        std::memcpy(&made.octets, &name, made.size = sizeof name);
    } else {
        sockaddr_in6 name{};
        name.sin6_family = AF_INET6;
        name.sin6_port = htons(where.port);
        std::memcpy(&name.sin6_addr, octets.data(), where.address.size());
        std::memcpy(&made.octets, &name, made.size = sizeof name);
    }
    return made;
}

flowtap::unexpected<flowtap::error> system_failure(const char* subject) {
    return flowtap::fail(flowtap::error({errno, std::system_category()}, subject));
}

/// A socket with a port that the system chooses; none where it does not have the family.
flowtap::result<flowtap::descriptor> open_socket(const ip_address& any) {
    const int domain = any.ip_family() == family::inet ? AF_INET : AF_INET6;
    flowtap::descriptor made(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made && errno == EAFNOSUPPORT)
        return made;
    const int on = 1;
    if (made && domain == AF_INET6)
        ::setsockopt(made.number(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    socket_name local = name_of({any, 0});
    if (!made || ::bind(made.number(), local.data(), local.size) != 0)
        return system_failure("notifications by SNMP");
    return made;
}

std::uint16_t port_of(const flowtap::descriptor& socket) {
    socket_name local;
    ::getsockname(socket.number(), local.data(), &local.size);
    // The port stands at the same place for both families.
    sockaddr_in name{};
    std::memcpy(&name, &local.octets, sizeof name);
    return ntohs(name.sin_port);
}

std::string host_name() {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

} // namespace

notifier::notifier(flowtap::transport::event_loop& loop, std::string engine_file)
    : loop_(loop), engine_file_(std::move(engine_file)), router_(host_name()),
      began_(loop.now().steady), self_(std::make_shared<notifier*>(this)) {}

flowtap::result<std::unique_ptr<notifier>> notifier::open(flowtap::transport::event_loop& loop,
                                                          std::string engine_file,
                                                          const config::snmp_settings& with) {
    std::unique_ptr<notifier> made(new notifier(loop, std::move(engine_file)));
    if (const auto opened = made->open_sockets(); !opened)
        return flowtap::fail(opened.error());
    if (const auto applied = made->apply(with); !applied)
        return flowtap::fail(applied.error());
    return made;
}

flowtap::result<void> notifier::open_sockets() {
    for (const ip_address& any : {ip_address::v4(0), ip_address(family::inet6, {})}) {
        auto opened = open_socket(any);
        if (!opened)
            return flowtap::fail(opened.error());
        if (!*opened)
            continue;
        const std::uint16_t port = port_of(*opened);
        sockets_.push_back({std::move(*opened), {any, port}});
    }
    return {};
}

flowtap::result<void> notifier::apply(const config::snmp_settings& with) {
    if (with == with_)
        return {};
    with_ = {};
    // Before there are others of the same name.
    encoders_.clear();
    if (const auto able = check_snmp(with); !able)
        return able;
    if (with.targets.empty())
        return {};
    if (const auto made = make_encoders(with.users); !made) {
        encoders_.clear();
        return made;
    }
    with_ = with;
    return {};
}

flowtap::result<void> notifier::make_encoders(const std::vector<config::snmp_user>& users) {
    if (!engine_) {
        const auto booted = boot_engine(engine_file_);
        if (!booted)
            return flowtap::fail(booted.error());
        engine_ = *booted;
    }
    for (const config::snmp_user& each : users) {
        auto made = trap_encoder::make(*engine_, each);
        if (!made)
            return flowtap::fail(made.error());
        encoders_.push_back(std::move(*made));
    }
    return {};
}

void notifier::tell(const flowtap::subscriber::event& what, flowtap::time_stamp now) {
    if (copies() == 0)
        return;
    if (waiting_.size() >= most_waiting) {
        counters_.not_sent += copies();
        return;
    }
    using hundredths = std::chrono::duration<std::int64_t, std::centi>;
    const auto up = std::chrono::duration_cast<hundredths>(now.steady - began_);
    // TimeTicks begin anew after 497 days.
    waiting_.push_back(
        {make_notification(what, router_, now.wall), static_cast<std::uint32_t>(up.count())});
    send_soon();
}

void notifier::send_soon() {
    if (std::exchange(is_posted_, true))
        return;
    loop_.post([self = std::weak_ptr(self_)] {
        if (const auto here = self.lock())
            (*here)->send_some();
    });
}

void notifier::send_some() {
    is_posted_ = false;
    for (std::size_t sent = 0; !waiting_.empty() && sent < most_at_once; sent += copies()) {
        const waiting one = std::move(waiting_.front());
        waiting_.pop_front();
        send(one);
        // Nobody is to be notified any more.
        if (copies() == 0)
            waiting_.clear();
    }
    if (!waiting_.empty())
        send_soon();
}

void notifier::send(const waiting& one) {
    for (const auto& encoder : encoders_) {
        const std::string datagram = encoder->encode(one.what, one.uptime, ++number_);
        for (const ip_address& target : with_.targets)
            ++(send_to(target, datagram) ? counters_.sent : counters_.not_sent);
    }
}

bool notifier::send_to(const ip_address& target, const std::string& datagram) const {
    const auto from = std::ranges::find_if(sockets_, [&](const family_socket& one) {
        return one.local.address.ip_family() == target.ip_family();
    });
    if (from == sockets_.end() || datagram.empty())
        return false;
    socket_name to = name_of({target, with_.port});
    return ::sendto(from->socket.number(), datagram.data(), datagram.size(), MSG_NOSIGNAL,
                    to.data(), to.size) >= 0;
}

std::vector<endpoint> notifier::addresses() const {
    std::vector<endpoint> made;
    for (const family_socket& each : sockets_)
        made.push_back(each.local);
    return made;
}

} // namespace dfcd
