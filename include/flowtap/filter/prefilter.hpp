// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <flowtap/core/bpf.hpp>
#include <flowtap/core/filter_spec.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/filter/api.hpp>

namespace flowtap::filter {

/// The program that passes every frame as a whole.
FLOWTAP_FILTER_API bpf_code pass_everything();

/// How the frames begin that a program sees.
enum class frame_layout : std::uint8_t {
    /// At the destination's MAC address. The outermost VLAN tag may have been taken off.
    ethernet,
    /// At the IP header.
    raw_ip,
};

/// How a program learns which way a frame passes its device.
enum class way_of_frames : std::uint8_t {
    /// It asks the kernel for the packet's type (SKF_AD_PKTTYPE): PACKET_OUTGOING is egress. Only
    /// the Linux kernel can run such a program.
    packet_type,
    ingress, ///< all of them are ingress
    egress,  ///< all of them are egress
};

/// The frames that a program is for: those of one port.
struct prefilter_port {
    frame_layout layout = frame_layout::ethernet;
    way_of_frames way = way_of_frames::packet_type;
    /// The logical interfaces and routing instances that a frame of the port can belong to.
    std::vector<interface_id> interfaces;
    std::vector<vrf_id> vrfs;

    friend bool operator==(const prefilter_port&, const prefilter_port&) = default;
};

/// What a program may grow to.
struct prefilter_limits {
    /// Instructions.
    std::size_t instructions = longest_bpf_program;
    /// Ranges of addresses and ports that criteria name: what the time to make a program grows
    /// with. Some ten times what any program has room for.
    std::size_t ranges = 50'000;
};

/// What each of a set of criteria needs of a packet, in the one field that tells most, and programs
/// that pass what any of them needs: a filter to put in front of capture sockets.
///
/// A program never keeps a frame away that `packet::decode` and `matches` would find some criterion
/// for; it passes others as well. Passed regardless, where any criterion looks at the family:
/// later fragments of IPv4, IPv6 packets with extension headers, frames that end inside the headers
/// a program reads; and where any criterion looks at the direction: frames of LLC and PPPoE, and
/// those with more than two VLAN tags. What is not IP is kept away, unless a criterion is about
/// whole frames (family ccc): then every frame of that direction is passed.
///
/// Not thread-safe; may be handed from thread to thread.
class FLOWTAP_FILTER_API prefilter {
public:
    prefilter();
    ~prefilter();
    prefilter(prefilter&&) noexcept;
    prefilter& operator=(prefilter&&) noexcept;

    /// Adds what `what`, which `criterion::make` has accepted, needs; in the place of what `slot`
    /// had before. Time grows with its entries, which are sorted. When memory is lost nothing has
    /// changed.
    void insert(slot_id slot, const filter_spec& what);
    /// Forgets a slot. Nothing when it has none.
    void erase(slot_id slot) noexcept;
    std::size_t size() const noexcept;

    /// The program for a port. What no criterion needs runs through `rest`, another program for the
    /// same frames: so a program that is there can be widened. Without one it is kept away. None
    /// when the program would be longer than `limits` allow.
    /// O(n log n) in the ranges of addresses and ports that the criteria have.
    std::optional<bpf_code> program(const prefilter_port& port, const prefilter_limits& limits = {},
                                    std::span<const bpf_instruction> rest = {}) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::filter
