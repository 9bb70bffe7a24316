// SPDX-License-Identifier: Apache-2.0
#include "fanout_program.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include <linux/filter.h>

namespace flowtap::capture::detail {

namespace {

constexpr std::uint32_t ipv4_type = 0x0800;
constexpr std::uint32_t ipv6_type = 0x86DD;
constexpr std::uint32_t pppoe_type = 0x8864;
constexpr std::uint32_t ppp_ipv4 = 0x0021;
constexpr std::uint32_t ppp_ipv6 = 0x0057;
constexpr std::array<std::uint32_t, 5> vlan_types{0x8100, 0x88A8, 0x9100, 0x9200, 0x9300};
/// Tags that are looked past; the kernel has taken one more off, as a rule.
constexpr int most_tags = 3;

/// Odd numbers without a pattern, to spread what is multiplied with them over 32 bits.
constexpr std::uint32_t spread_first = 0x9E37'79B1;
constexpr std::uint32_t spread_second = 0x85EB'CA6B;
constexpr std::uint32_t spread_words = 0xC2B2'AE35;

/// Words of scratch memory.
constexpr std::uint32_t shift = 0;  ///< octets by which the IP header is shifted
constexpr std::uint32_t first = 1;  ///< what stands for one address
constexpr std::uint32_t second = 2; ///< and for the other

/// A place in the program that is not known yet, and the jumps that wait for it.
struct label {
    std::vector<std::size_t> when_true;
    std::vector<std::size_t> always;
};

/// Writes the program; jumps lead forwards only.
class assembler {
public:
    void put(unsigned code, std::uint32_t operand = 0) {
        made_.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
    }
    void jump_if_equal(std::uint32_t value, label& to) {
        to.when_true.push_back(made_.size());
        put(BPF_JMP | BPF_JEQ | BPF_K, value);
    }
    void jump(label& to) {
        to.always.push_back(made_.size());
        put(BPF_JMP | BPF_JA);
    }
    void place(const label& here) {
        for (const std::size_t from : here.when_true)
            made_[from].jump_true = static_cast<std::uint8_t>(made_.size() - from - 1);
        for (const std::size_t from : here.always)
            made_[from].operand = static_cast<std::uint32_t>(made_.size() - from - 1);
    }
    std::vector<bpf_instruction> take() { return std::move(made_); }

private:
    std::vector<bpf_instruction> made_;
};

/// Loads count from the link header, wherever the kernel has the packet at: on its way in it is
/// past that header, on its way out it is not.
std::uint32_t in_frame(std::uint32_t offset) {
    return static_cast<std::uint32_t>(SKF_LL_OFF) + offset;
}
std::uint32_t in_packet(std::uint32_t offset) {
    return static_cast<std::uint32_t>(SKF_NET_OFF) + offset;
}

void add_to_shift(assembler& to, std::uint32_t octets) {
    to.put(BPF_LD | BPF_MEM, shift);
    to.put(BPF_ALU | BPF_ADD | BPF_K, octets);
    to.put(BPF_ST, shift);
    to.put(BPF_MISC | BPF_TAX);
}

/// One address of `words` words at `at`, behind the shift, to one number in `into`.
void fold_address(assembler& to, std::uint32_t at, std::uint32_t words, std::uint32_t into) {
    to.put(BPF_LDX | BPF_MEM, shift);
    to.put(BPF_LD | BPF_W | BPF_IND, at);
    to.put(BPF_ST, into);
    for (std::uint32_t i = 1; i < words; ++i) {
        to.put(BPF_ALU | BPF_MUL | BPF_K, spread_words);
        to.put(BPF_ST, into);
        to.put(BPF_LDX | BPF_MEM, shift);
        to.put(BPF_LD | BPF_W | BPF_IND, at + 4 * i);
        to.put(BPF_LDX | BPF_MEM, into);
        to.put(BPF_ALU | BPF_ADD | BPF_X);
        to.put(BPF_ST, into);
    }
}

/// A with its upper bits in its lower ones, times an odd number.
void stir(assembler& to, std::uint32_t shift_by, std::uint32_t factor) {
    to.put(BPF_MISC | BPF_TAX);
    to.put(BPF_ALU | BPF_RSH | BPF_K, shift_by);
    to.put(BPF_ALU | BPF_XOR | BPF_X);
    to.put(BPF_ALU | BPF_MUL | BPF_K, factor);
}

/// The number that the two addresses make, and with it the end. Each is stirred by itself: the sums
/// and differences of plain ones are the same for many pairs of a subnet.
void finish(assembler& to) {
    for (const std::uint32_t each : {first, second}) {
        to.put(BPF_LD | BPF_MEM, each);
        stir(to, 16, spread_first);
        stir(to, 15, spread_second);
        to.put(BPF_ST, each);
    }
    to.put(BPF_LDX | BPF_MEM, first);
    to.put(BPF_ALU | BPF_ADD | BPF_X);
    stir(to, 16, spread_words);
    to.put(BPF_ALU | BPF_RSH | BPF_K, 16);
    to.put(BPF_RET | BPF_A);
}

/// The two ways to the end for packets whose IP header is at `ip`, behind the shift.
void spread_by_ip(assembler& to, std::uint32_t ip, const label& ipv4, const label& ipv6) {
    label done;
    to.place(ipv4);
    fold_address(to, ip + 12, 1, first);
    fold_address(to, ip + 16, 1, second);
    to.jump(done);
    to.place(ipv6);
    fold_address(to, ip + 8, 4, first);
    fold_address(to, ip + 24, 4, second);
    to.place(done);
    finish(to);
}

std::vector<bpf_instruction> ethernet_program() {
    assembler made;
    label ipv4;
    label ipv6;
    label pppoe;
    made.put(BPF_LD | BPF_IMM, 0);
    made.put(BPF_ST, shift);
    made.put(BPF_LDX | BPF_MEM, shift);
    for (int tags = 0; tags < most_tags; ++tags) {
        label tag;
        label type;
        made.put(BPF_LD | BPF_H | BPF_IND, in_frame(12));
        for (const std::uint32_t each : vlan_types)
            made.jump_if_equal(each, tag);
        made.jump(type);
        made.place(tag);
        add_to_shift(made, 4);
        made.place(type);
    }
    made.put(BPF_LD | BPF_H | BPF_IND, in_frame(12));
    made.jump_if_equal(ipv4_type, ipv4);
    made.jump_if_equal(ipv6_type, ipv6);
    made.jump_if_equal(pppoe_type, pppoe);

    made.put(BPF_LD | BPF_W | BPF_ABS, in_frame(2));
    made.put(BPF_ST, first);
    made.put(BPF_LD | BPF_W | BPF_ABS, in_frame(8));
    made.put(BPF_ST, second);
    finish(made);

    made.place(pppoe);
    constexpr std::uint32_t pppoe_size = 8;
    add_to_shift(made, pppoe_size);
    // The protocol is the last thing in front of the packet.
    made.put(BPF_LD | BPF_H | BPF_IND, in_frame(14 - 2));
    made.jump_if_equal(ppp_ipv4, ipv4);
    made.jump_if_equal(ppp_ipv6, ipv6);
    made.put(BPF_RET | BPF_K, 0);

    spread_by_ip(made, in_frame(14), ipv4, ipv6);
    return made.take();
}

std::vector<bpf_instruction> raw_program() {
    assembler made;
    label ipv4;
    label ipv6;
    made.put(BPF_LD | BPF_IMM, 0);
    made.put(BPF_ST, shift);
    made.put(BPF_LD | BPF_B | BPF_ABS, in_packet(0));
    made.put(BPF_ALU | BPF_RSH | BPF_K, 4);
    made.jump_if_equal(4, ipv4);
    made.jump_if_equal(6, ipv6);
    made.put(BPF_RET | BPF_K, 0);
    spread_by_ip(made, in_packet(0), ipv4, ipv6);
    return made.take();
}

} // namespace

std::vector<bpf_instruction> fanout_program(packet::link_type link) {
    return link == packet::link_type::ethernet ? ethernet_program() : raw_program();
}

} // namespace flowtap::capture::detail
