// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <pcap/pcap.h>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/filter/prefilter.hpp>

#include "raw_packets.hpp"

namespace flowtap::filter::testing {

/// A program as libpcap runs it.
class bpf_runner {
public:
    explicit bpf_runner(const bpf_code& program) {
        for (const bpf_instruction& each : program)
            code_.push_back({each.code, each.jump_true, each.jump_false, each.operand});
    }

    bool is_valid() const {
        return bpf_validate(code_.data(), static_cast<int>(code_.size())) != 0;
    }
    bool passes(byte_view frame) const {
        const auto size = static_cast<unsigned>(frame.size());
        const void* const octets = frame.data();
        return bpf_filter(code_.data(), static_cast<const unsigned char*>(octets), size, size) != 0;
    }
    /// As if the kernel had answered a program's question for the packet's type, which is its first
    /// instruction.
    void set_way(direction way) {
        constexpr std::uint32_t outgoing = 4;
        code_.front() = {BPF_LD | BPF_IMM, 0, 0, way == direction::egress ? outgoing : 0};
    }

private:
    std::vector<bpf_insn> code_;
};

/// The shortest Ethernet frame with `packet` behind `tags` VLAN tags, or a longer one; `padded`
/// adds what a short frame has on a wire.
inline std::vector<std::byte> ethernet_frame(const packet_key& key,
                                             const std::vector<std::byte>& packet, std::size_t tags,
                                             std::size_t padding) {
    constexpr std::array<std::uint16_t, 5> types = {0x8100, 0x88A8, 0x9100, 0x9200, 0x9300};
    std::vector<std::byte> frame(12, std::byte{2});
    const auto put = [&](std::uint16_t number) {
        frame.push_back(static_cast<std::byte>(number >> 8U));
        frame.push_back(static_cast<std::byte>(number & 0xFFU));
    };
    for (std::size_t i = 0; i < tags; ++i) {
        put(types[(packet.size() + i) % types.size()]);
        put(static_cast<std::uint16_t>(100 + i));
    }
    put(key.of_family == family::inet6 ? 0x86DD : 0x0800);
    frame.insert(frame.end(), packet.begin(), packet.end());
    frame.insert(frame.end(), padding, std::byte{0xFF});
    return frame;
}

/// A port that frames of any interface and routing instance of `random_filters` can come through.
inline prefilter_port open_port(frame_layout layout, way_of_frames way) {
    prefilter_port made{layout, way, {}, {}};
    for (std::uint32_t i = 0; i < 6; ++i)
        made.interfaces.emplace_back(i);
    for (std::uint32_t i = 0; i < 3; ++i)
        made.vrfs.emplace_back(i);
    return made;
}

} // namespace flowtap::filter::testing
