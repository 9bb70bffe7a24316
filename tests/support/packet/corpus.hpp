// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/packet/view.hpp>

#include "builder.hpp"

namespace flowtap::test {

/// An IP packet, or what pretends to be one, and what decoding it must find.
struct packet_sample {
    std::string name;
    family of_family = family::inet;
    octets packet;
    /// As `to_line` writes it.
    std::string expected;
    /// Of `packet`, how many octets the view must cover, and how many were captured.
    std::size_t total_length = 0;
    std::size_t captured = 0;
    /// Its length is that of the link's payload, which must be known to the octet.
    bool takes_all_of_the_link = false;
};

/// A way to carry an IP packet in a frame.
struct link_sample {
    std::string name;
    packet::link_type link = packet::link_type::ethernet;
    octets (*wrap)(family of_family, const octets& packet) = nullptr;
    std::int16_t vlan = -1;
    bool carries_ipv4 = true;
    bool carries_ipv6 = true;
    /// There are octets behind the packet that a length in the packet alone tells from it.
    bool pads = false;
};

/// A captured frame and what decoding it must find.
struct frame_sample {
    std::string name;
    packet::link_type link = packet::link_type::ethernet;
    octets frame;
    std::size_t wire_length = 0;
    std::string expected;
    std::int16_t vlan = -1;
    /// What `packet_view::ip` must hold.
    octets ip;
    std::size_t total_length = 0;
};

std::vector<packet_sample> packet_samples();
std::vector<link_sample> link_samples();
/// Frames that carry no IP packet.
std::vector<frame_sample> other_frames();

/// All of it: every packet in every link that can carry it, and the other frames. The same octets
/// on every run.
std::vector<frame_sample> corpus();

} // namespace flowtap::test
