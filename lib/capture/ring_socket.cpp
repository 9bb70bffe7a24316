// SPDX-License-Identifier: Apache-2.0
#include "ring_socket.hpp"

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <sys/socket.h>

#include <flowtap/capture/error.hpp>

#include "fanout.hpp"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

namespace flowtap::capture::detail {

namespace {

constexpr std::size_t default_buffer = std::size_t{32} << 20;

int set(int socket, int option, int value) noexcept {
    return ::setsockopt(socket, SOL_PACKET, option, &value, sizeof value);
}

std::string text_of(int number) {
    return std::error_code(number, std::system_category()).message();
}

/// A failure of one of the steps, as the caller of `open` sees it.
unexpected<error> refused(errc code, const std::string& device, const error& why) {
    return fail(code, device + ": " + (why.subject.empty() ? "" : why.subject + ": ") +
                          why.code.message());
}

/// Whether a step failed since the kernel does not know of it.
bool is_unknown(const error& why) noexcept {
    return why.code == std::errc::no_protocol_option || why.code == std::errc::invalid_argument;
}

socket_ways ways_of(observe which, bool is_loopback) noexcept {
    // There each packet passes twice, on its way out and on its way in.
    if (which == observe::ingress || (is_loopback && which == observe::both))
        return socket_ways::incoming;
    return which == observe::egress ? socket_ways::outgoing : socket_ways::both;
}

/// Lets nothing through, until the socket is ready.
result<void> close_filter(int socket) {
    sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &nothing};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
        return fail(errc::filter_not_in_kernel, text_of(errno));
    return {};
}

std::vector<bpf_instruction> front_of(const live_options& options, const device_facts& facts) {
    if (facts.is_loopback && options.which == observe::egress)
        return {{BPF_RET | BPF_K, 0, 0, 0}};
    return socket_front(options.excluded_mark, ways_of(options.which, facts.is_loopback));
}

} // namespace

result<ring_socket> ring_socket::open(const std::string& device, const live_options& options,
                                      fanout_group* group, opener& with) {
    ring_socket made;
    auto opened = with.packet_socket();
    if (!opened)
        return refused(errc::cannot_open_device, device, opened.error());
    made.socket_ = std::move(*opened);
    auto found = look_up(made.number(), device);
    if (!found)
        return fail(errc::cannot_open_device, device + ": " + found.error().code.message());
    made.facts_ = *found;
    if (!made.facts_.link)
        return fail(errc::unsupported_link_type, device);
    if (const auto done = made.prepare(options); !done)
        return refused(is_unknown(done.error()) ? errc::ring_unavailable : errc::cannot_open_device,
                       device, done.error());
    if (const auto closed = close_filter(made.number()); !closed)
        return fail(closed.error());
    if (const auto bound = made.bind_to_device(); !bound)
        return refused(errc::cannot_open_device, device, bound.error());
    if (options.mode == reception::promiscuous)
        if (const auto done = made.listen_to_all(); !done)
            return refused(errc::cannot_open_device, device, done.error());
    if (group != nullptr)
        if (const auto joined = group->join(made.number(), made.facts_); !joined)
            return refused(is_unknown(joined.error()) ? errc::ring_unavailable
                                                      : errc::cannot_open_device,
                           device, joined.error());
    const bool runs_program = options.in_kernel && made.facts_.link == packet::link_type::ethernet;
    auto added =
        socket_filter::add(runs_program ? options.in_kernel : std::make_shared<kernel_filter>(),
                           made.number(), front_of(options, made.facts_));
    if (!added)
        return fail(added.error());
    made.filter_ = std::move(*added);
    return made;
}

/// All that has to be done before the socket is bound.
result<void> ring_socket::prepare(const live_options& options) {
    if (set(number(), PACKET_VNET_HDR, 1) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "PACKET_VNET_HDR"));
    // The two are for speed and for better times; it works without.
    if (ways_of(options.which, facts_.is_loopback) == socket_ways::incoming)
        set(number(), PACKET_IGNORE_OUTGOING, 1);
    set(number(), PACKET_TIMESTAMP, SOF_TIMESTAMPING_RAW_HARDWARE);
    auto made = packet_ring::make(number(), options.buffer != 0 ? options.buffer : default_buffer);
    if (!made)
        return fail(made.error());
    ring_ = std::move(*made);
    return {};
}

result<void> ring_socket::bind_to_device() const {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = facts_.index;
    const void* const generic = &address;
    if (::bind(number(), static_cast<const sockaddr*>(generic), sizeof address) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "bind"));
    return {};
}

result<void> ring_socket::listen_to_all() const {
    packet_mreq wanted{};
    wanted.mr_ifindex = facts_.index;
    wanted.mr_type = PACKET_MR_PROMISC;
    if (::setsockopt(number(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &wanted, sizeof wanted) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "promiscuous mode"));
    return {};
}

std::uint32_t ring_socket::take_lost() const noexcept {
    tpacket_stats_v3 counted{};
    socklen_t size = sizeof counted;
    if (::getsockopt(number(), SOL_PACKET, PACKET_STATISTICS, &counted, &size) != 0)
        return 0;
    return counted.tp_drops;
}

ring_socket::condition ring_socket::check(std::string& reason) const {
    int number_of_error = 0;
    socklen_t size = sizeof number_of_error;
    if (::getsockopt(number(), SOL_SOCKET, SO_ERROR, &number_of_error, &size) != 0)
        number_of_error = errno;
    switch (number_of_error) {
    case 0:
        return condition::fine;
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
        return condition::device_changed;
    default:
        reason = text_of(number_of_error);
        return condition::broken;
    }
}

bool ring_socket::has_device() const noexcept {
    sockaddr_ll address{};
    socklen_t size = sizeof address;
    void* const generic = &address;
    // The kernel forgets the device of a socket when the device goes.
    return ::getsockname(number(), static_cast<sockaddr*>(generic), &size) == 0 &&
           address.sll_ifindex == facts_.index;
}

} // namespace flowtap::capture::detail
