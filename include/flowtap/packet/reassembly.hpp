// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <list>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/packet/api.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::packet {

/// Puts fragments of IP packets together, for receivers of copies and for tests; the data path
/// never does. Fragments may come in any order and more than once; a packet whose fragments overlap
/// or contradict each other is given up (RFC 5722). Holds a bounded number of packets and forgets
/// the oldest when a new one needs the room. Not thread-safe.
class reassembler {
public:
    /// Limits. A packet takes at most 65535 octets.
    struct limits {
        std::size_t packets = 64;
        std::size_t fragments_per_packet = 128;
    };

    FLOWTAP_PACKET_API reassembler();
    FLOWTAP_PACKET_API explicit reassembler(limits bounds);
    FLOWTAP_PACKET_API ~reassembler();
    reassembler(const reassembler&) = delete;
    reassembler& operator=(const reassembler&) = delete;

    /// Takes a packet as `decode` found it. Returns the whole packet when there is one: the one
    /// given when it is no fragment, the joined one when it was the last that missed, with IPv4's
    /// fragment fields cleared and IPv6's fragment header taken out; else nothing. The octets are
    /// valid until the next call. Packets that are not IP or are cut short give nothing.
    FLOWTAP_PACKET_API byte_view add(const packet_view& packet);

    /// Packets begun and not finished, contradictory ones included.
    FLOWTAP_PACKET_API std::size_t pending() const noexcept;
    /// Packets given up: forgotten for room, or contradictory.
    std::size_t given_up() const noexcept { return given_up_; }

private:
    struct fragment;
    struct partial_packet;

    partial_packet& find_or_begin(const fragment& part);
    void finish(const partial_packet& packet);

    limits limits_;
    std::list<partial_packet> packets_;
    std::vector<std::byte> joined_;
    std::size_t given_up_ = 0;
};

} // namespace flowtap::packet
