// SPDX-License-Identifier: Apache-2.0
#include <flowtap/filter/prefilter.hpp>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <variant>

#include "prefilter_code.hpp"

namespace flowtap::filter {

namespace {

/// What one criterion needs, of packets of either family.
struct criterion_needs {
    filter_scope scope;
    bool whole_frames = false;
    packet_needs inet;
    packet_needs inet6;

    std::size_t ranges() const noexcept { return inet.ranges() + inet6.ranges(); }
};

template <class Id>
bool has_any(const std::vector<Id>& there, const std::vector<Id>& wanted) {
    return std::any_of(wanted.begin(), wanted.end(), [&](Id each) {
        return std::find(there.begin(), there.end(), each) != there.end();
    });
}

bool looks_at_ingress(const filter_scope& scope, const prefilter_port& of) {
    if (std::holds_alternative<global_scope>(scope))
        return true;
    if (const auto* vrf = std::get_if<vrf_scope>(&scope))
        return has_any(of.vrfs, {vrf->vrf});
    const auto* input = std::get_if<input_scope>(&scope);
    return input != nullptr && has_any(of.interfaces, input->interfaces);
}

bool looks_at_egress(const filter_scope& scope, const prefilter_port& of) {
    const auto* output = std::get_if<output_scope>(&scope);
    return output != nullptr && has_any(of.interfaces, output->interfaces);
}

void add(frame_needs& to, const criterion_needs& what) {
    to.everything |= what.whole_frames;
    to.inet.add(what.inet);
    to.inet6.add(what.inet6);
}

/// The network of 64 bits instead of every address in it: one host of a network, or all of it, is
/// next to the same to somebody who only has to keep other networks away.
void round_to_networks(address_ranges& ranges) {
    for (auto& range : ranges) {
        range.first.low = 0;
        range.last.low = ~0ULL;
    }
}

void round_to_networks(frame_needs& needs) {
    round_to_networks(needs.inet6.destinations);
    round_to_networks(needs.inet6.sources);
    needs.inet6.normalize(family::inet6);
}

} // namespace

struct prefilter::state {
    struct hash {
        std::size_t operator()(slot_id slot) const noexcept { return slot.value(); }
    };
    std::unordered_map<slot_id, criterion_needs, hash> needs;
    std::size_t ranges = 0;
};

bpf_code pass_everything() {
    return write_prefilter({true, {}, {}}, {},
                           {frame_layout::raw_ip, way_of_frames::ingress, {}, {}}, {});
}

prefilter::prefilter() : state_(std::make_unique<state>()) {}
prefilter::~prefilter() = default;
prefilter::prefilter(prefilter&&) noexcept = default;
prefilter& prefilter::operator=(prefilter&&) noexcept = default;

void prefilter::insert(slot_id slot, const filter_spec& what) {
    criterion_needs made;
    made.scope = what.scope;
    made.whole_frames = what.families.contains(family::ccc);
    made.inet = need_of(what, family::inet).value_or(packet_needs{});
    made.inet6 = need_of(what, family::inet6).value_or(packet_needs{});
    const std::size_t added = made.ranges();
    criterion_needs& place = state_->needs[slot];
    state_->ranges += added - place.ranges();
    place = std::move(made);
}

void prefilter::erase(slot_id slot) noexcept {
    const auto found = state_->needs.find(slot);
    if (found == state_->needs.end())
        return;
    state_->ranges -= found->second.ranges();
    state_->needs.erase(found);
}

std::size_t prefilter::size() const noexcept {
    return state_->needs.size();
}

std::optional<bpf_code> prefilter::program(const prefilter_port& port,
                                           const prefilter_limits& limits,
                                           std::span<const bpf_instruction> rest) const {
    if (state_->ranges > limits.ranges || rest.size() > limits.instructions)
        return std::nullopt;
    std::array<frame_needs, 2> ways;
    for (const auto& [slot, each] : state_->needs) {
        if (looks_at_ingress(each.scope, port))
            add(ways[0], each);
        if (looks_at_egress(each.scope, port))
            add(ways[1], each);
    }
    for (frame_needs& each : ways) {
        each.inet.normalize(family::inet);
        each.inet6.normalize(family::inet6);
    }
    bpf_code made = write_prefilter(ways[0], ways[1], port, rest);
    if (made.size() > limits.instructions) {
        for (frame_needs& each : ways)
            round_to_networks(each);
        made = write_prefilter(ways[0], ways[1], port, rest);
    }
    if (made.size() > limits.instructions)
        return std::nullopt;
    return made;
}

} // namespace flowtap::filter
