// SPDX-License-Identifier: Apache-2.0
#include "socket_filter.hpp"

#ifdef __linux__
#include <linux/filter.h>
#include <linux/if_packet.h>
#endif

namespace flowtap::capture::detail {

#ifdef __linux__

std::vector<bpf_instruction> socket_front(std::optional<std::uint32_t> excluded_mark,
                                          socket_ways ways) {
    std::vector<bpf_instruction> made;
    const auto ancillary = [](int which) { return static_cast<std::uint32_t>(SKF_AD_OFF + which); };
    if (excluded_mark) {
        made.push_back({BPF_LD | BPF_W | BPF_ABS, 0, 0, ancillary(SKF_AD_MARK)});
        made.push_back({BPF_JMP | BPF_JEQ | BPF_K, 0, 1, *excluded_mark});
        made.push_back({BPF_RET | BPF_K, 0, 0, 0});
    }
    if (ways != socket_ways::both) {
        const bool outgoing = ways == socket_ways::outgoing;
        made.push_back({BPF_LD | BPF_B | BPF_ABS, 0, 0, ancillary(SKF_AD_PKTTYPE)});
        made.push_back({BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint8_t>(outgoing ? 1 : 0),
                        static_cast<std::uint8_t>(outgoing ? 0 : 1), PACKET_OUTGOING});
        made.push_back({BPF_RET | BPF_K, 0, 0, 0});
    }
    return made;
}

#else

std::vector<bpf_instruction> socket_front(std::optional<std::uint32_t>, socket_ways) {
    return {};
}

#endif

} // namespace flowtap::capture::detail
