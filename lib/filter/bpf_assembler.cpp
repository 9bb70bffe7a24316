// SPDX-License-Identifier: Apache-2.0
#include "bpf_assembler.hpp"

#include <algorithm>

namespace flowtap::filter {

namespace {

/// What a conditional jump reaches, with room for the stepping stone of its other side.
constexpr std::size_t reach = 254;

} // namespace

bpf_assembler::bpf_assembler(std::span<const bpf_instruction> rest)
    : reversed_(rest.rbegin(), rest.rend()) {}

bpf_assembler::label bpf_assembler::add(place what) {
    places_.push_back(what);
    return label(places_.size() - 1);
}

bpf_assembler::label bpf_assembler::rest() noexcept {
    return here();
}

bpf_assembler::label bpf_assembler::returning(std::uint32_t value) {
    return add({nowhere, true, value});
}

std::size_t bpf_assembler::distance(label to) const noexcept {
    const std::size_t at = places_[to.number_].at;
    return at == nowhere ? nowhere : reversed_.size() - at - 1;
}

void bpf_assembler::put_stepping_stone(label to) {
    place& target = places_[to.number_];
    if (target.is_return)
        reversed_.push_back({bpf::ret | bpf::k, 0, 0, target.value});
    else
        reversed_.push_back({bpf::jmp | bpf::ja, 0, 0, static_cast<std::uint32_t>(distance(to))});
    target.at = reversed_.size() - 1;
}

void bpf_assembler::bring_near(label to) {
    if (distance(to) > reach)
        put_stepping_stone(to);
}

bpf_assembler::label bpf_assembler::step(unsigned code, std::uint32_t operand, label next) {
    if (distance(next) != 0)
        put_stepping_stone(next);
    reversed_.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
    return here();
}

bpf_assembler::label bpf_assembler::branch(unsigned comparison, std::uint32_t operand, label yes,
                                           label no) {
    bring_near(yes);
    bring_near(no);
    reversed_.push_back({static_cast<std::uint16_t>(bpf::jmp | comparison | bpf::k),
                         static_cast<std::uint8_t>(distance(yes)),
                         static_cast<std::uint8_t>(distance(no)), operand});
    return here();
}

bpf_code bpf_assembler::finish(label start) {
    if (distance(start) != 0)
        put_stepping_stone(start);
    return {reversed_.rbegin(), reversed_.rend()};
}

} // namespace flowtap::filter
