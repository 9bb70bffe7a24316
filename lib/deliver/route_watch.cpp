// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <utility>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <flowtap/deliver/route_watch.hpp>

#include "route_watch_state.hpp"
#include "sockets.hpp"

namespace flowtap::deliver {

namespace detail {

namespace {

constexpr auto read_interval = std::chrono::microseconds(500);
constexpr auto tick_interval = std::chrono::milliseconds(10);

constexpr auto groups = std::to_array<int>(
    {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE,
     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_RULE, RTNLGRP_NEXTHOP});

unexpected<error> system_failure(const char* subject) {
    return fail(error(std::error_code(errno, std::system_category()), subject));
}

std::size_t index_of(family of) noexcept {
    return of == family::inet ? 0 : 1;
}

/// Lets through what read_advertisement may take: ARP replies, or ICMPv6 of type 136. Offsets are
/// those behind the Ethernet header, from which filters of packet sockets count.
void filter_answers(int socket, std::uint16_t ethertype) noexcept {
    const auto load = [](unsigned size, std::uint32_t at) -> sock_filter {
        return {static_cast<std::uint16_t>(BPF_LD | size | BPF_ABS), 0, 0, at};
    };
    const auto unless = [](std::uint32_t value, std::uint8_t skip) -> sock_filter {
        return {BPF_JMP | BPF_JEQ | BPF_K, 0, skip, value};
    };
    const sock_filter take{BPF_RET | BPF_K, 0, 0, 0xFFFF};
    const sock_filter leave{BPF_RET | BPF_K, 0, 0, 0};
    auto arp = std::to_array<sock_filter>({load(BPF_H, ETH_HLEN + 6), unless(2, 1), take, leave});
    auto discovery =
        std::to_array<sock_filter>({load(BPF_B, ETH_HLEN + 6), unless(58, 3),
                                    load(BPF_B, ETH_HLEN + 40), unless(136, 1), take, leave});
    sock_fprog program{static_cast<std::uint16_t>(arp.size()), arp.data()};
    if (ethertype != ETH_P_ARP)
        program = {static_cast<std::uint16_t>(discovery.size()), discovery.data()};
    ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

sockaddr_ll packet_address(std::uint16_t ethertype, unsigned device) noexcept {
    sockaddr_ll made{};
    made.sll_family = AF_PACKET;
    made.sll_protocol = htons(ethertype);
    made.sll_ifindex = static_cast<int>(device);
    return made;
}

} // namespace

result<std::unique_ptr<route_watch_state>> route_watch_state::open(const socket_options& options) {
    std::unique_ptr<route_watch_state> made(new route_watch_state(options));
    if (auto opened = made->open_sockets(options); !opened)
        return fail(opened.error());
    return made;
}

result<void> route_watch_state::open_sockets(const socket_options& options) {
    if (!find_device())
        return system_failure(options.device.c_str());
    for (descriptor* each : {&events_, &questions_}) {
        auto opened = options.via->route_socket();
        if (!opened)
            return fail(opened.error());
        *each = std::move(*opened);
    }
    const int large = 1 << 20;
    ::setsockopt(events_.number(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    // The kernel tells nothing to a socket that has no number yet: it takes it for its own.
    sockaddr_nl any{};
    any.nl_family = AF_NETLINK;
    if (::bind(events_.number(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0)
        return system_failure("netlink");
    for (const int group : groups)
        // Older systems have no next hop objects to tell of.
        if (::setsockopt(events_.number(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
                         sizeof group) != 0 &&
            group != RTNLGRP_NEXTHOP)
            return system_failure("netlink");
    for (const family of : {family::inet, family::inet6}) {
        auto opened = options.via->udp_socket({ip_address(of, {}), 0});
        if (opened && prepare(*opened, options))
            plain_[index_of(of)] = std::move(*opened);
    }
    open_solicitor(solicitors_[0], ETH_P_ARP, options);
    open_solicitor(solicitors_[1], ETH_P_IPV6, options);
    return {};
}

void route_watch_state::open_solicitor(solicitor& its, std::uint16_t ethertype,
                                       const socket_options& options) {
    auto opened = options.via->packet_socket();
    if (!opened)
        return;
    if (options.mark)
        ::setsockopt(opened->number(), SOL_SOCKET, SO_MARK, &*options.mark, sizeof *options.mark);
    filter_answers(opened->number(), ethertype);
    its.socket = std::move(*opened);
    its.ethertype = ethertype;
}

void route_watch_state::poll(steady_time now) noexcept {
    if (now.time_since_epoch().count() < due_.load(std::memory_order_relaxed))
        return;
    const std::unique_lock held(guard_, std::try_to_lock);
    if (held.owns_lock())
        read_all(now);
}

void route_watch_state::poll_now(steady_time now) noexcept {
    const std::scoped_lock held(guard_);
    read_all(now);
}

void route_watch_state::read_all(steady_time now) noexcept {
    due_.store((now + read_interval).time_since_epoch().count(), std::memory_order_relaxed);
    read_events(now);
    for (solicitor& each : solicitors_)
        if (each.listening)
            read_answers(each, now);
    if (now >= tick_due_) {
        tick_due_ = now + tick_interval;
        table_.tick(now);
        listen(solicitors_[0], table_.is_asking(family::inet));
        listen(solicitors_[1], table_.is_asking(family::inet6));
    }
    show();
}

void route_watch_state::show() noexcept {
    version_.store(table_.version(), std::memory_order_release);
    changes_.store(table_.changes(), std::memory_order_relaxed);
}

egress_plan route_watch_state::look_up(const ip_address& to, steady_time now) noexcept {
    const std::scoped_lock held(guard_);
    const egress_plan made = table_.look_up(to, now);
    show();
    return made;
}

void route_watch_state::read_events(steady_time now) noexcept {
    for (;;) {
        const ssize_t length =
            ::recv(events_.number(), told_.data(), told_.size(), MSG_DONTWAIT | MSG_TRUNC);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno != ENOBUFS)
            return;
        if (length < 0 || static_cast<std::size_t>(length) > told_.size()) {
            overruns_.store(overruns() + 1, std::memory_order_relaxed);
            table_.forget_all();
            continue;
        }
        netlink_walk each(byte_view(told_).first(static_cast<std::size_t>(length)));
        for (netlink_message message; each.next(message);)
            table_.on_event(read_event(message), now);
    }
}

void route_watch_state::read_answers(solicitor& its, steady_time now) noexcept {
    std::array<std::byte, 256> frame;
    for (;;) {
        sockaddr_ll from{};
        socklen_t size = sizeof from;
        const ssize_t length = ::recvfrom(its.socket.number(), frame.data(), frame.size(),
                                          MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
        if (length < 0)
            return;
        const auto answer =
            read_advertisement(std::span(frame).first(static_cast<std::size_t>(length)));
        if (answer && from.sll_pkttype != PACKET_OUTGOING)
            table_.on_advertisement(static_cast<unsigned>(from.sll_ifindex), *answer, now);
    }
}

/// The answers of all devices go to one socket: it listens only while there are questions, so that
/// nothing is done for each packet of the system otherwise.
void route_watch_state::listen(solicitor& its, bool wanted) noexcept {
    if (!its.socket || its.listening == wanted)
        return;
    // Protocol 0 would leave the binding as it is; a device that gets nothing is the loopback's.
    const sockaddr_ll where =
        wanted ? packet_address(its.ethertype, 0) : packet_address(ETH_P_LOOPBACK, 0);
    if (::bind(its.socket.number(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0)
        its.listening = wanted;
}

void route_watch_state::send(unsigned device, const solicitation& frame) noexcept {
    const bool is_arp = load_big_endian<std::uint16_t>(frame.octets().subspan(12)) == ETH_P_ARP;
    solicitor& its = solicitors_[is_arp ? 0 : 1];
    listen(its, true);
    const sockaddr_ll to = packet_address(its.ethertype, device);
    [[maybe_unused]] const ssize_t sent =
        ::sendto(its.socket.number(), frame.octets().data(), frame.octets().size(),
                 MSG_DONTWAIT | MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to), sizeof to);
}

std::optional<netlink_message>
route_watch_state::answer_to(const netlink_request& request) noexcept {
    ++sequence_;
    const byte_view octets = request.octets();
    if (::send(questions_.number(), octets.data(), octets.size(), MSG_NOSIGNAL) < 0)
        return std::nullopt;
    // The system answers within the call of `send`.
    for (;;) {
        const ssize_t length =
            ::recv(questions_.number(), answer_.data(), answer_.size(), MSG_DONTWAIT);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return std::nullopt;
        netlink_walk each(byte_view(answer_).first(static_cast<std::size_t>(length)));
        for (netlink_message message; each.next(message);) {
            if (message.sequence != sequence_)
                continue;
            if (message.type == NLMSG_ERROR)
                return std::nullopt;
            return message;
        }
    }
}

/// Looks for the device anew: it may have gone, and come again with another number.
bool route_watch_state::find_device() noexcept {
    if (device_name_.empty())
        return true;
    const unsigned now = ::if_nametoindex(device_name_.c_str());
    if (now == 0)
        return false;
    if (now != std::exchange(device_, now))
        for (const descriptor& each : plain_)
            if (each)
                static_cast<void>(bind_to_device(each, device_name_));
    return true;
}

route_state route_watch_state::route_to(const ip_address& to) noexcept {
    if (!find_device())
        return {};
    const auto answer = answer_to(ask_for_route(to, mark_, device_, sequence_ + 1));
    if (!answer)
        return {};
    const route_state made = read_route(*answer, to);
    const bool leaves_elsewhere = device_ != 0 && made.device != device_;
    return leaves_elsewhere ? route_state{} : made;
}

link_state route_watch_state::link(unsigned index) noexcept {
    const auto answer = answer_to(ask_for_link(index, sequence_ + 1));
    return answer ? read_link(*answer) : link_state{};
}

neighbour_state route_watch_state::neighbour(unsigned device, const ip_address& address) noexcept {
    const auto answer = answer_to(ask_for_neighbour(device, address, sequence_ + 1));
    return answer ? read_neighbour(*answer) : neighbour_state{};
}

std::size_t route_watch_state::socket_mtu(const ip_address& to) noexcept {
    const int socket = plain_[index_of(to.ip_family())].number();
    return socket < 0 ? 0 : mtu_towards(socket, to);
}

void route_watch_state::wait(std::chrono::milliseconds limit) noexcept {
    std::array<pollfd, 3> wanted{pollfd{events_.number(), POLLIN, 0},
                                 pollfd{solicitors_[0].socket.number(), POLLIN, 0},
                                 pollfd{solicitors_[1].socket.number(), POLLIN, 0}};
    ::poll(wanted.data(), wanted.size(), static_cast<int>(limit.count()));
    due_.store(INT64_MIN, std::memory_order_relaxed);
}

} // namespace detail

result<std::shared_ptr<route_watch>> route_watch::open(const socket_options& options) {
    auto made = detail::route_watch_state::open(options);
    if (!made)
        return fail(made.error());
    return std::shared_ptr<route_watch>(new route_watch(std::move(*made)));
}

route_watch::route_watch(std::unique_ptr<detail::route_watch_state> with) noexcept
    : state_(std::move(with)) {}
route_watch::~route_watch() = default;

bool route_watch::can_resolve() const noexcept {
    return state_->can_resolve();
}

std::uint64_t route_watch::changes() const noexcept {
    return state_->changes();
}

std::uint64_t route_watch::overruns() const noexcept {
    return state_->overruns();
}

} // namespace flowtap::deliver
