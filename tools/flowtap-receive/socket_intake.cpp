// SPDX-License-Identifier: Apache-2.0
#include "socket_intake.hpp"

#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <sys/epoll.h>

#include "sockets.hpp"

namespace flowtap::tools {

namespace {

constexpr std::size_t batch_size = 64;
/// Longer than any datagram; not a power of two, so that packets at the start of their places do
/// not all fall into the same lines of the cache.
constexpr std::size_t place_size = 65'536 + 320;
constexpr std::size_t control_size = 128;
/// How long packets that keep coming are taken at the end.
constexpr std::chrono::milliseconds last_packets{250};

/// A socket, and what comes through it.
struct opened_socket {
    descriptor handle;
    packet::encapsulation_kind kind = packet::encapsulation_kind::udp;
    endpoint local;
    /// Of a raw socket.
    int protocol = 0;
};

/// Packets that one system call receives.
struct message_batch {
    message_batch();
    /// Makes everything ready for the next call.
    void reset() noexcept;

    std::array<mmsghdr, batch_size> messages{};
    std::array<iovec, batch_size> places{};
    std::array<sockaddr_storage, batch_size> senders{};
    alignas(cmsghdr) std::array<std::array<std::byte, control_size>, batch_size> control{};
    std::unique_ptr<std::byte[]> octets =
        std::make_unique_for_overwrite<std::byte[]>(batch_size * place_size);
};

message_batch::message_batch() {
    for (std::size_t i = 0; i < batch_size; ++i)
        places[i] = {octets.get() + i * place_size, place_size};
    reset();
}

void message_batch::reset() noexcept {
    for (std::size_t i = 0; i < batch_size; ++i) {
        msghdr& each = messages[i].msg_hdr;
        each.msg_name = &senders[i];
        each.msg_namelen = sizeof senders[i];
        each.msg_iov = &places[i];
        each.msg_iovlen = 1;
        each.msg_control = control[i].data();
        each.msg_controllen = control_size;
    }
}

/// Takes the outer header off a packet of a raw socket, which has it with IPv4 alone.
bool open_ip_in_ip(const opened_socket& from, byte_view octets, received_copy& copy,
                   collector& to) {
    if (from.local.address.ip_family() == family::inet) {
        const auto found = packet::decapsulate(packet::encapsulation_kind::ip_in_ip, octets);
        if (!found) {
            to.refuse(refusal::no_ip_inside);
            return false;
        }
        copy.source = found->source;
        copy.destination = found->destination;
        copy.ip_checksum = found->ip_checksum;
        copy.inner = found->inner;
        return true;
    }
    copy.source.port = 0;
    copy.destination.port = 0;
    copy.inner = octets;
    const unsigned version = octets.empty() ? 0U : std::to_integer<unsigned>(octets[0]) >> 4U;
    if (version == (from.protocol == IPPROTO_IPIP ? 4U : 6U))
        return true;
    to.refuse(refusal::no_ip_inside);
    return false;
}

/// Hands over what came with one message.
void take(const opened_socket& from, mmsghdr& message, const sockaddr_storage& sender,
          collector& to) {
    const byte_view octets{static_cast<const std::byte*>(message.msg_hdr.msg_iov->iov_base),
                           message.msg_len};
    const ancillary told = read_ancillary(message.msg_hdr);
    received_copy copy;
    copy.kind = from.kind;
    copy.source = to_endpoint(sender);
    copy.destination = {told.destination.value_or(from.local.address), from.local.port};
    copy.time = told.time ? *told.time : std::chrono::system_clock::now();
    copy.inner = octets;
    if (from.kind == packet::encapsulation_kind::udp_mirror) {
        const auto mirrored = packet::read_mirror_header(octets);
        if (!mirrored)
            return to.refuse(refusal::no_mirror_header);
        copy.mirror = mirrored->header;
        copy.inner = mirrored->inner;
    }
    if (from.kind == packet::encapsulation_kind::ip_in_ip && !open_ip_in_ip(from, octets, copy, to))
        return;
    to.take(copy);
}

unexpected<error> system_failure() {
    return fail(error(std::error_code(errno, std::system_category()), "epoll"));
}

} // namespace

struct socket_intake::state {
    result<void> add(opened_socket made);
    result<void> open_ports(const listener& wanted, int buffer);
    result<void> open_ip_in_ip(const socket_settings& settings);
    bool receive_from(const opened_socket& from, collector& to);

    std::vector<opened_socket> sockets;
    descriptor poll;
    message_batch batch;
};

result<void> socket_intake::state::add(opened_socket made) {
    if (sockets.size() == most_ports)
        return fail(errc::out_of_range, to_string(made.local));
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    wanted.data.u64 = sockets.size();
    if (::epoll_ctl(poll.number(), EPOLL_CTL_ADD, made.handle.number(), &wanted) != 0)
        return system_failure();
    sockets.push_back(std::move(made));
    return {};
}

result<void> socket_intake::state::open_ports(const listener& wanted, int buffer) {
    for (unsigned port = wanted.first_port; port <= wanted.last_port; ++port) {
        auto opened = open_udp({wanted.address, static_cast<std::uint16_t>(port)}, buffer);
        if (!opened)
            return fail(opened.error());
        const endpoint local = local_of(opened->number());
        if (auto added = add({std::move(*opened), wanted.kind, local, 0}); !added)
            return added;
    }
    return {};
}

result<void> socket_intake::state::open_ip_in_ip(const socket_settings& settings) {
    const auto& local = settings.ip_in_ip_address;
    for (const family of : {family::inet, family::inet6}) {
        if (local && local->ip_family() != of)
            continue;
        for (const int protocol : {int{IPPROTO_IPIP}, int{IPPROTO_IPV6}}) {
            auto opened = open_raw(of, protocol, local, settings.buffer);
            // A system without IPv6 receives what it can.
            if (!opened && !local && of == family::inet6 &&
                opened.error().code == std::errc::address_family_not_supported)
                continue;
            if (!opened)
                return fail(opened.error());
            const endpoint bound{local.value_or(ip_address(of, {})), 0};
            if (auto added = add(
                    {std::move(*opened), packet::encapsulation_kind::ip_in_ip, bound, protocol});
                !added)
                return added;
        }
    }
    return {};
}

result<std::unique_ptr<socket_intake>> socket_intake::open(const socket_settings& settings) {
    auto made = std::make_unique<state>();
    made->poll.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!made->poll)
        return system_failure();
    for (const listener& each : settings.udp)
        if (auto opened = made->open_ports(each, settings.buffer); !opened)
            return fail(opened.error());
    if (settings.ip_in_ip)
        if (auto opened = made->open_ip_in_ip(settings); !opened)
            return fail(opened.error());
    return std::unique_ptr<socket_intake>(new socket_intake(std::move(made)));
}

socket_intake::socket_intake(std::unique_ptr<state> with) : state_(std::move(with)) {}
socket_intake::~socket_intake() = default;

std::vector<std::string> socket_intake::places() const {
    std::vector<std::string> all;
    bool has_ip_in_ip = false;
    for (const opened_socket& each : state_->sockets) {
        if (each.kind == packet::encapsulation_kind::ip_in_ip)
            has_ip_in_ip = true;
        else
            all.push_back(to_string(each.local));
    }
    if (has_ip_in_ip)
        all.emplace_back("IP-in-IP");
    return all;
}

/// Whether anything came.
bool socket_intake::state::receive_from(const opened_socket& from, collector& to) {
    batch.reset();
    const int got =
        ::recvmmsg(from.handle.number(), batch.messages.data(), batch_size, MSG_DONTWAIT, nullptr);
    for (std::size_t i = 0; got > 0 && i < static_cast<std::size_t>(got); ++i)
        if (!to.is_full())
            take(from, batch.messages[i], batch.senders[i], to);
    return got > 0;
}

intake_state socket_intake::receive(collector& to, std::chrono::milliseconds limit) {
    std::array<epoll_event, 64> ready;
    const int count = ::epoll_wait(state_->poll.number(), ready.data(),
                                   static_cast<int>(ready.size()), static_cast<int>(limit.count()));
    bool any = false;
    for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i)
        any |= state_->receive_from(state_->sockets[ready[i].data.u64], to);
    return any ? intake_state::ready : intake_state::idle;
}

void socket_intake::finish(collector& to) {
    const auto end = std::chrono::steady_clock::now() + last_packets;
    while (!to.is_full() && std::chrono::steady_clock::now() < end &&
           receive(to, std::chrono::milliseconds(0)) == intake_state::ready) {
    }
}

std::uint64_t socket_intake::lost() const noexcept {
    std::uint64_t sum = 0;
    for (const opened_socket& each : state_->sockets)
        sum += drops_of(each.handle.number());
    return sum;
}

} // namespace flowtap::tools
