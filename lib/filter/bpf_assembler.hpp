// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <flowtap/filter/prefilter.hpp>

namespace flowtap::filter {

/// The parts that codes are made of, as in bpf(4).
namespace bpf {
inline constexpr std::uint16_t ld = 0x00, ldx = 0x01, alu = 0x04, jmp = 0x05, ret = 0x06,
                               misc = 0x07;
inline constexpr std::uint16_t word = 0x00, half = 0x08, octet = 0x10;
inline constexpr std::uint16_t imm = 0x00, absolute = 0x20, indirect = 0x40, length = 0x80;
inline constexpr std::uint16_t add = 0x00, sub = 0x10, bit_and = 0x50, lsh = 0x60;
inline constexpr std::uint16_t ja = 0x00, jeq = 0x10, jgt = 0x20, jge = 0x30, jset = 0x40;
inline constexpr std::uint16_t k = 0x00, x = 0x08;
inline constexpr std::uint16_t tax = 0x00, txa = 0x80;
} // namespace bpf

/// Writes a program from its end to its start. Since jumps only go forward, whatever an instruction
/// can go on with is there already when it is written, and so is how far away it is. What is too
/// far for the eight bits of a conditional jump gets a stepping stone on the way: another return,
/// or an unconditional jump.
class bpf_assembler {
public:
    /// A place to go on at.
    class label {
    public:
        friend bool operator==(const label&, const label&) = default;

    private:
        friend class bpf_assembler;
        explicit label(std::size_t number) noexcept : number_(number) {}
        std::size_t number_ = 0;
    };

    /// Writes in front of `rest`, which may be empty.
    explicit bpf_assembler(std::span<const bpf_instruction> rest);

    /// The start of what the assembler was made with, which is not empty.
    label rest() noexcept;
    /// A return of `value`, written where it is needed.
    label returning(std::uint32_t value);
    /// An instruction that goes on with `next`.
    label step(unsigned code, std::uint32_t operand, label next);
    /// A comparison of the accumulator with `operand`: `comparison` is one of jeq, jgt, jge, jset.
    label branch(unsigned comparison, std::uint32_t operand, label yes, label no);

    std::size_t size() const noexcept { return reversed_.size(); }
    /// The program that begins at `start`.
    bpf_code finish(label start);

private:
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    struct place {
        /// Of the nearest instruction that leads there, from the end of the program.
        std::size_t at = nowhere;
        bool is_return = false;
        std::uint32_t value = 0;
    };

    label add(place what);
    label here() { return add({reversed_.size() - 1, false, 0}); }
    /// How many instructions the next one would jump over.
    std::size_t distance(label to) const noexcept;
    void put_stepping_stone(label to);
    void bring_near(label to);

    std::vector<bpf_instruction> reversed_;
    std::vector<place> places_;
};

} // namespace flowtap::filter
