// SPDX-License-Identifier: Apache-2.0
#include "fanout.hpp"

#include <cerrno>
#include <system_error>
#include <vector>

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "fanout_program.hpp"

namespace flowtap::capture::detail {

namespace {

result<void> system_failure(const char* step) {
    return fail(error(std::error_code(errno, std::system_category()), step));
}

bool join_as(int socket, unsigned kind, std::uint16_t id) noexcept {
    const unsigned asked = kind << 16 | id;
    return ::setsockopt(socket, SOL_PACKET, PACKET_FANOUT, &asked, sizeof asked) == 0;
}

/// Gives the group that a socket is in its program. All members give the same one.
result<void> set_program(int socket, packet::link_type link) {
    std::vector<sock_filter> instructions;
    for (const bpf_instruction& each : fanout_program(link))
        instructions.push_back({each.code, each.jump_true, each.jump_false, each.operand});
    const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (::setsockopt(socket, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) != 0)
        return system_failure("PACKET_FANOUT_DATA");
    return {};
}

} // namespace

result<void> fanout_group::join(int socket, const device_facts& device) {
    const std::lock_guard held(guard_);
    const auto link = device.link.value_or(packet::link_type::ethernet);
    if (device_ == device.index && join_as(socket, PACKET_FANOUT_CBPF, id_))
        return set_program(socket, link);
    // A number that no other program has.
    if (!join_as(socket, PACKET_FANOUT_CBPF | PACKET_FANOUT_FLAG_UNIQUEID, 0))
        return system_failure("PACKET_FANOUT");
    unsigned got = 0;
    socklen_t size = sizeof got;
    if (::getsockopt(socket, SOL_PACKET, PACKET_FANOUT, &got, &size) != 0)
        return system_failure("PACKET_FANOUT");
    id_ = static_cast<std::uint16_t>(got & 0xFFFF);
    device_ = device.index;
    return set_program(socket, link);
}

} // namespace flowtap::capture::detail
