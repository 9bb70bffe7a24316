// SPDX-License-Identifier: Apache-2.0
#include "frame_batch.hpp"

#include <algorithm>
#include <cerrno>

namespace flowtap::deliver::detail {

result<descriptor> open_frame_socket(const socket_options& options) {
    auto made = options.via->packet_socket();
    if (!made)
        return fail(made.error());
    const int on = 1;
    ::setsockopt(made->number(), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    if (options.send_buffer > 0)
        ::setsockopt(made->number(), SOL_SOCKET, SO_SNDBUF, &options.send_buffer,
                     sizeof options.send_buffer);
    if (options.mark && ::setsockopt(made->number(), SOL_SOCKET, SO_MARK, &*options.mark,
                                     sizeof *options.mark) != 0)
        return fail(error(std::error_code(errno, std::system_category()), "socket mark"));
    return made;
}

void frame_batch::add(const egress_plan& through, std::size_t header_size, byte_view body,
                      std::size_t copy, bool completes) noexcept {
    std::copy(through.ethernet.begin(), through.ethernet.end(), headers_[size_].begin());
    sockaddr_ll& to = addresses_[size_];
    to = {};
    to.sll_family = AF_PACKET;
    std::memcpy(&to.sll_protocol, &through.ethernet[12], sizeof to.sll_protocol);
    to.sll_ifindex = static_cast<int>(through.device);
    // The system's calls take pointers that are not const and leave what they point to alone.
    parts_[size_] = {iovec{headers_[size_].data(), ethernet_header_size + header_size},
                     iovec{const_cast<std::byte*>(body.data()), body.size()}};
    msghdr& message = messages_[size_].msg_hdr;
    message = {};
    message.msg_name = &to;
    message.msg_namelen = sizeof to;
    message.msg_iov = parts_[size_].data();
    message.msg_iovlen = parts_[size_].size();
    copies_[size_] = copy;
    completes_[size_] = completes;
    ++size_;
}

std::size_t frame_batch::send(int socket) noexcept {
    int sent = 0;
    do
        sent = ::sendmmsg(socket, messages_.data(), static_cast<unsigned>(size_),
                          MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

} // namespace flowtap::deliver::detail
