// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowtap {

/// One instruction of the classic BSD packet filter (McCanne and Jacobson, 1993), in the layout and
/// with the codes of the kernel's `sock_filter`
/// (https://docs.kernel.org/networking/filter.html) and of libpcap's `bpf_insn`.
struct bpf_instruction {
    std::uint16_t code = 0;
    /// How many instructions a conditional jump skips when it holds, and when it does not.
    std::uint8_t jump_true = 0;
    std::uint8_t jump_false = 0;
    std::uint32_t operand = 0;

    friend bool operator==(const bpf_instruction&, const bpf_instruction&) = default;
};

/// Instructions from the first one on; jumps only go forward, and the last one returns.
using bpf_code = std::vector<bpf_instruction>;

/// The most instructions that a kernel accepts (BPF_MAXINSNS).
inline constexpr std::size_t longest_bpf_program = 4096;

} // namespace flowtap
