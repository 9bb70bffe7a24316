// SPDX-License-Identifier: Apache-2.0
#include "fanout_program.hpp"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <linux/filter.h>
#include <doctest/doctest.h>

#include <flowtap/core/bytes.hpp>

#include "builder.hpp"

using namespace flowtap;
using namespace flowtap::test;
using capture::detail::fanout_program;
using flowtap::bpf_instruction;

namespace {

/// Runs a program as the kernel does, as far as this one needs it.
class machine {
public:
    explicit machine(const std::vector<bpf_instruction>& program) : program_(program) {}

    std::uint32_t run(byte_view frame, std::size_t network) {
        frame_ = frame;
        network_ = network;
        a_ = x_ = 0;
        for (std::size_t at = 0; at < program_.size(); ++at) {
            const bpf_instruction& now = program_[at];
            const std::uint32_t k = now.operand;
            switch (now.code) {
            case BPF_RET | BPF_K:
                return k;
            case BPF_RET | BPF_A:
                return a_;
            case BPF_JMP | BPF_JA:
                at += k;
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                at += a_ == k ? now.jump_true : now.jump_false;
                break;
            default:
                if (!compute(now.code, k))
                    return 0; // a load outside of the packet ends it
            }
        }
        FAIL("the program does not end");
        return 0;
    }

private:
    bool compute(std::uint16_t code, std::uint32_t k) {
        switch (code) {
        case BPF_LD | BPF_IMM:
            a_ = k;
            return true;
        case BPF_LD | BPF_MEM:
            a_ = memory_.at(k);
            return true;
        case BPF_LDX | BPF_MEM:
            x_ = memory_.at(k);
            return true;
        case BPF_ST:
            memory_.at(k) = a_;
            return true;
        case BPF_MISC | BPF_TAX:
            x_ = a_;
            return true;
        case BPF_ALU | BPF_ADD | BPF_K:
            a_ += k;
            return true;
        case BPF_ALU | BPF_ADD | BPF_X:
            a_ += x_;
            return true;
        case BPF_ALU | BPF_XOR | BPF_X:
            a_ ^= x_;
            return true;
        case BPF_ALU | BPF_MUL | BPF_K:
            a_ *= k;
            return true;
        case BPF_ALU | BPF_RSH | BPF_K:
            a_ >>= k;
            return true;
        default:
            return load(code, k);
        }
    }

    bool load(std::uint16_t code, std::uint32_t k) {
        REQUIRE(BPF_CLASS(code) == BPF_LD);
        const std::size_t size = BPF_SIZE(code) == BPF_W ? 4 : (BPF_SIZE(code) == BPF_H ? 2 : 1);
        auto at = static_cast<std::int64_t>(static_cast<std::int32_t>(k)) +
                  (BPF_MODE(code) == BPF_IND ? x_ : 0);
        if (at >= SKF_NET_OFF)
            at += network_ - std::int64_t{SKF_NET_OFF};
        else
            at -= SKF_LL_OFF;
        if (at < 0 || static_cast<std::size_t>(at) + size > frame_.size())
            return false;
        a_ = 0;
        for (const std::byte each : frame_.subspan(static_cast<std::size_t>(at), size))
            a_ = a_ << 8 | std::to_integer<std::uint32_t>(each);
        return true;
    }

    const std::vector<bpf_instruction> program_;
    byte_view frame_;
    std::size_t network_ = 0;
    std::uint32_t a_ = 0;
    std::uint32_t x_ = 0;
    std::array<std::uint32_t, BPF_MEMWORDS> memory_{};
};

std::uint32_t on_ethernet(const octets& frame) {
    return machine(fanout_program(packet::link_type::ethernet)).run(frame, 14);
}

std::uint32_t on_raw(const octets& frame) {
    return machine(fanout_program(packet::link_type::raw)).run(frame, 0);
}

const octets macs = hex("020000000001 020000000002");

std::string address(bool is_ipv4, unsigned number) {
    return is_ipv4 ? "10.1." + std::to_string(number / 256) + "." + std::to_string(number % 256)
                   : "2001:db8::" + std::to_string(number);
}

octets packet_between(bool is_ipv4, unsigned from, unsigned to, const octets& payload = {}) {
    const std::string source = address(is_ipv4, from);
    const std::string destination = address(is_ipv4, to);
    return is_ipv4 ? ipv4({.source = source.c_str(), .destination = destination.c_str()}, payload)
                   : ipv6({.source = source.c_str(), .destination = destination.c_str()}, payload);
}

octets type_of(bool is_ipv4) {
    return is_ipv4 ? hex("0800") : hex("86dd");
}

} // namespace

TEST_CASE("the program is short enough and every jump of it leads somewhere") {
    for (const auto link : {packet::link_type::ethernet, packet::link_type::raw}) {
        const auto program = fanout_program(link);
        CHECK(program.size() < 256);
        for (std::size_t i = 0; i < program.size(); ++i) {
            if (BPF_CLASS(program[i].code) != BPF_JMP)
                continue;
            const std::size_t far = program[i].code == (BPF_JMP | BPF_JA)
                                        ? program[i].operand
                                        : std::max(program[i].jump_true, program[i].jump_false);
            CHECK(i + 1 + far < program.size());
        }
    }
}

TEST_CASE("both directions, all fragments and all ports of two addresses have one number") {
    for (const bool is_ipv4 : {true, false}) {
        const octets header = macs + type_of(is_ipv4);
        for (unsigned i = 1; i < 300; ++i) {
            const octets there = packet_between(is_ipv4, i, 3 * i + 1, udp(1, 2));
            const octets back = packet_between(is_ipv4, 3 * i + 1, i, tcp(8, 9));
            const std::uint32_t number = on_ethernet(header + there);
            CHECK(on_ethernet(header + back) == number);
            CHECK(on_raw(there) == number);
            CHECK(on_raw(back) == number);
        }
    }
}

TEST_CASE("tags and PPPoE are looked past") {
    for (const bool is_ipv4 : {true, false}) {
        const octets packet = packet_between(is_ipv4, 7, 12);
        const std::uint32_t number = on_ethernet(macs + type_of(is_ipv4) + packet);
        const octets ppp = is_ipv4 ? hex("0021") : hex("0057");
        for (const char* tags :
             {"8100 0001", "88a8 0001", "9100 0fff 9200 0002", "88a8 0001 8100 0002 9300 0003"}) {
            CAPTURE(tags);
            CHECK(on_ethernet(macs + hex(tags) + type_of(is_ipv4) + packet) == number);
            CHECK(on_ethernet(macs + hex(tags) + hex("8864 1100 0001 0020") + ppp + packet) ==
                  number);
        }
        CHECK(on_ethernet(macs + hex("8864 1100 0001 0020") + ppp + packet) == number);
    }
}

TEST_CASE("other frames have the number of their MAC addresses, either way round") {
    const octets there = hex("020000000001 020000000002 0806") + counting(28);
    const octets back = hex("020000000002 020000000001 0806") + counting(28, 9);
    const octets others = hex("020000000001 020000000003 0806") + counting(28);
    CHECK(on_ethernet(there) == on_ethernet(back));
    CHECK(on_ethernet(there) != on_ethernet(others));
    CHECK(on_raw(hex("00000000")) == 0);
}

TEST_CASE("frames that end early have a number, too") {
    const octets whole = macs + hex("8100 0001 86dd") + packet_between(false, 1, 2);
    for (std::size_t size = 0; size < whole.size(); ++size)
        on_ethernet({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
}

TEST_CASE("conversations are spread evenly, whatever the pattern of their addresses") {
    struct pattern {
        const char* name;
        unsigned (*other)(unsigned);
    };
    for (const pattern& each :
         {pattern{"all with one", [](unsigned) { return 5000U; }},
          pattern{"next neighbours", [](unsigned i) { return i + 1; }},
          pattern{"the same host of two subnets", [](unsigned i) { return i + 4096; }},
          pattern{"the same sum", [](unsigned i) { return 8192 - i; }}}) {
        for (const bool is_ipv4 : {true, false}) {
            for (const unsigned members : {2U, 3U, 4U, 7U}) {
                CAPTURE(std::string(each.name));
                CAPTURE(is_ipv4);
                CAPTURE(members);
                std::vector<unsigned> shares(members);
                constexpr unsigned conversations = 2000;
                for (unsigned i = 1; i <= conversations; ++i) {
                    const octets packet = packet_between(is_ipv4, i, each.other(i));
                    ++shares[on_ethernet(macs + type_of(is_ipv4) + packet) % members];
                }
                for (const unsigned share : shares) {
                    CHECK(share > conversations / members * 8 / 10);
                    CHECK(share < conversations / members * 12 / 10);
                }
            }
        }
    }
}
