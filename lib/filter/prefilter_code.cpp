// SPDX-License-Identifier: Apache-2.0
#include "prefilter_code.hpp"

#include <array>
#include <vector>

#include "bpf_assembler.hpp"
#include "prefilter_tree.hpp"

namespace flowtap::filter {

namespace {

constexpr std::uint32_t whole_frame = 0xFFFF'FFFF;

/// Linux: where the packet's type is loaded from, and the type of what leaves
/// (linux/filter.h, linux/if_packet.h).
constexpr auto packet_type_at = static_cast<std::uint32_t>(-0x1000 + 4);
constexpr std::uint32_t packet_outgoing = 4;

/// EtherTypes, as packet::decode reads them.
constexpr std::uint32_t type_ipv4 = 0x0800;
constexpr std::uint32_t type_ipv6 = 0x86DD;
constexpr std::uint32_t type_pppoe = 0x8864;
constexpr std::array<std::uint32_t, 5> types_vlan = {0x8100, 0x88A8, 0x9100, 0x9200, 0x9300};
constexpr std::uint32_t longest_length = 1500;
/// VLAN tags that are skipped.
constexpr std::uint32_t most_tags = 2;

constexpr unsigned load_word = bpf::ld | bpf::word;
constexpr unsigned load_half = bpf::ld | bpf::half;
constexpr unsigned load_octet = bpf::ld | bpf::octet;

/// Where a header is, and what of it a program reads.
struct ip_layout {
    unsigned address_words;
    std::uint32_t source;
    std::uint32_t destination;
    std::uint32_t protocol;
    std::uint32_t size;
};
constexpr ip_layout inet_layout = {1, 12, 16, 9, 20};
constexpr ip_layout inet6_layout = {4, 8, 24, 6, 40};
/// The IPv6 headers behind which another one follows.
constexpr std::array<unsigned, 6> extension_headers = {0, 43, 44, 51, 60, 140};

/// Writes the program of one way.
class frame_code {
public:
    using label = bpf_assembler::label;

    frame_code(bpf_assembler& into, label passed, label refused)
        : into_(&into), tree_(into), passed_(passed), refused_(refused) {}

    label write(const frame_needs& needs, frame_layout layout) {
        if (needs.everything)
            return passed_;
        if (needs.empty())
            return refused_;
        const label inet = write_family(needs.inet, inet_layout);
        const label inet6 = write_family(needs.inet6, inet6_layout);
        return layout == frame_layout::ethernet ? write_ethernet(inet, inet6)
                                                : write_raw(inet, inet6);
    }

private:
    /// Goes on at `enough` if at least `octets` are there from the one at the index register on,
    /// and passes the frame otherwise.
    label write_length_check(std::uint32_t octets, label enough) {
        const label check = into_->branch(bpf::jge, octets, enough, passed_);
        return into_->step(bpf::ld | bpf::length, 0,
                           into_->step(bpf::alu | bpf::sub | bpf::x, 0, check));
    }

    /// With the transport header at the index register.
    label write_ports(const port_ranges& destinations, const port_ranges& sources) {
        const auto search = [&](const port_ranges& ranges, std::uint32_t offset, label missed) {
            if (ranges.empty())
                return missed;
            std::vector<search_tree::branch> branches;
            for (const auto& range : ranges)
                branches.push_back({range.first, range.last, passed_});
            return into_->step(load_half | bpf::indirect, offset, tree_.write(branches, missed));
        };
        return search(destinations, 2, search(sources, 0, refused_));
    }

    /// From the IP header at the index register on to the transport header.
    label write_step_to_transport(const ip_layout& layout, label next) {
        next = into_->step(bpf::misc | bpf::tax, 0, next);
        if (layout.address_words != 1)
            return into_->step(bpf::misc | bpf::txa, 0,
                               into_->step(bpf::alu | bpf::add | bpf::k, layout.size, next));
        next = into_->step(bpf::alu | bpf::add | bpf::x, 0, next);
        next = into_->step(bpf::alu | bpf::lsh | bpf::k, 2, next);
        next = into_->step(bpf::alu | bpf::bit_and | bpf::k, 0x0F, next);
        return into_->step(load_octet | bpf::indirect, 0, next);
    }

    /// Where to go on with each protocol.
    std::vector<search_tree::branch> protocol_branches(const packet_needs& needs,
                                                       const ip_layout& layout) {
        std::array<std::optional<label>, 256> found;
        for (std::size_t i = 0; i < port_protocols.size(); ++i) {
            if (needs.destination_ports[i].empty() && needs.source_ports[i].empty())
                continue;
            const label ports = write_ports(needs.destination_ports[i], needs.source_ports[i]);
            found[port_protocols[i]] =
                write_step_to_transport(layout, write_length_check(4, ports));
        }
        for (unsigned each = 0; each < found.size(); ++each)
            if (needs.protocols.test(each))
                found[each] = passed_;
        if (layout.address_words != 1)
            for (const unsigned each : extension_headers)
                found[each] = passed_;
        std::vector<search_tree::branch> branches;
        bool extends = false;
        for (unsigned each = 0; each < found.size(); ++each) {
            const bool passes = found[each] && *found[each] == passed_;
            if (passes && extends)
                branches.back().last = each;
            else if (found[each])
                branches.push_back({each, each, *found[each]});
            extends = passes;
        }
        return branches;
    }

    label write_protocols(const packet_needs& needs, const ip_layout& layout) {
        const auto branches = protocol_branches(needs, layout);
        if (branches.empty())
            return refused_;
        return into_->step(load_octet | bpf::indirect, layout.protocol,
                           tree_.write(branches, refused_));
    }

    /// With the IP header at the index register.
    label write_family(const packet_needs& needs, const ip_layout& layout) {
        if (needs.everything)
            return passed_;
        if (needs.empty())
            return refused_;
        label next = write_protocols(needs, layout);
        if (layout.address_words == 1) {
            // A later fragment has no ports, and follows the first one wherever that goes.
            next = into_->branch(bpf::jset, 0x1FFF, passed_, next);
            next = into_->step(load_half | bpf::indirect, 6, next);
        }
        next = tree_.write_addresses(needs.sources, layout.address_words, layout.source, passed_,
                                     next);
        next = tree_.write_addresses(needs.destinations, layout.address_words, layout.destination,
                                     passed_, next);
        return write_length_check(layout.size, next);
    }

    label write_raw(label inet, label inet6) {
        const label version =
            into_->branch(bpf::jeq, 0x40, inet, into_->branch(bpf::jeq, 0x60, inet6, passed_));
        const label load =
            into_->step(load_octet | bpf::absolute, 0,
                        into_->step(bpf::alu | bpf::bit_and | bpf::k, 0xF0, version));
        return into_->step(bpf::ldx | bpf::imm, 0, write_length_check(1, load));
    }

    /// With an EtherType in the accumulator that ends at `offset`.
    label write_ether_type(std::uint32_t offset, label inet, label inet6, label tag) {
        const auto with_header = [&](label family) {
            return family == passed_ || family == refused_
                       ? family
                       : into_->step(bpf::ldx | bpf::imm, offset, family);
        };
        label next = into_->branch(bpf::jgt, longest_length, refused_, passed_);
        next = into_->branch(bpf::jeq, type_pppoe, passed_, next);
        for (const std::uint32_t type : types_vlan)
            next = into_->branch(bpf::jeq, type, tag, next);
        next = into_->branch(bpf::jeq, type_ipv6, with_header(inet6), next);
        return into_->branch(bpf::jeq, type_ipv4, with_header(inet), next);
    }

    label write_ethernet(label inet, label inet6) {
        label tag = passed_;
        for (std::uint32_t tags = most_tags + 1; tags-- > 0;) {
            const std::uint32_t offset = 14 + 4 * tags;
            tag = write_ether_type(offset, inet, inet6, tag);
            tag = into_->step(load_half | bpf::absolute, offset - 2, tag);
            tag = into_->branch(bpf::jge, offset, tag, passed_);
            tag = into_->step(load_word | bpf::length, 0, tag);
        }
        return tag;
    }

    bpf_assembler* into_;
    search_tree tree_;
    label passed_;
    label refused_;
};

} // namespace

bpf_code write_prefilter(const frame_needs& ingress, const frame_needs& egress,
                         const prefilter_port& port, std::span<const bpf_instruction> rest) {
    bpf_assembler into(rest);
    const auto passed = into.returning(whole_frame);
    const auto refused = rest.empty() ? into.returning(0) : into.rest();
    frame_code code(into, passed, refused);
    if (port.way == way_of_frames::ingress)
        return into.finish(code.write(ingress, port.layout));
    if (port.way == way_of_frames::egress)
        return into.finish(code.write(egress, port.layout));
    const auto leaving = code.write(egress, port.layout);
    const auto entering = code.write(ingress, port.layout);
    const auto which = into.branch(bpf::jeq, packet_outgoing, leaving, entering);
    return into.finish(into.step(load_octet | bpf::absolute, packet_type_at, which));
}

} // namespace flowtap::filter
