// SPDX-License-Identifier: Apache-2.0
#include "kernel_prefilter.hpp"

#include <algorithm>
#include <iterator>
#include <new>

namespace flowtap::tap {

namespace {

/// Ranges of what is added, beyond which a program is not widened: that is done within a request,
/// so in little time.
constexpr std::size_t most_ranges_added = 1000;

/// The tags that a frame can have.
constexpr int no_vlan = -1;
constexpr int highest_vlan = 4095;

template <class Id>
void enter(std::vector<Id>& into, Id what) {
    if (std::find(into.begin(), into.end(), what) == into.end())
        into.push_back(what);
}

} // namespace

kernel_filters::~kernel_filters() = default;

const char* to_string(kernel_filter_state state) noexcept {
    switch (state) {
    case kernel_filter_state::pending:
        return "everything passes until a program is made";
    case kernel_filter_state::in_place:
        return "in place";
    case kernel_filter_state::too_long:
        return "given up, everything passes: the criteria need more than fits into a program";
    case kernel_filter_state::refused:
        return "given up, everything passes: the program could not be put in place";
    }
    return "";
}

kernel_prefilter::kernel_prefilter(kernel_filters* in, background_executor elsewhere)
    : in_(in), jobs_(std::move(elsewhere)) {
    if (in_ == nullptr)
        return;
    for (const filterable_port& each : in_->ports()) {
        front made;
        made.port = each.port;
        made.made_for = {{each.layout, each.way, {}, {}}, each.longest};
        made.in_place = filter::pass_everything();
        fronts_.push_back(std::move(made));
    }
}

void kernel_prefilter::note_added(const filter_spec& what) {
    if (added_.size() < most_added) {
        // By the order of arrival: what a slot had before may be in force still.
        added_.insert(slot_id(static_cast<std::uint32_t>(added_.size())), what);
        return;
    }
    for (front& each : fronts_)
        each.tight.reset();
}

void kernel_prefilter::insert(slot_id slot, const filter_spec& what) {
    if (fronts_.empty())
        return;
    changes_.push_back({slot, what});
    note_added(what);
    is_wide_ = false;
}

void kernel_prefilter::erase(slot_id slot) {
    if (!fronts_.empty())
        changes_.push_back({slot, std::nullopt});
}

void kernel_prefilter::replace(const std::shared_ptr<const path::interface_map>& interfaces) {
    bool differs = false;
    for (front& each : fronts_) {
        filter::prefilter_port frames = each.made_for.frames;
        frames.interfaces.clear();
        frames.vrfs.clear();
        for (int vlan = no_vlan; vlan <= highest_vlan; ++vlan) {
            const path::interface_binding binding = interfaces->find(each.port, vlan);
            enter(frames.interfaces, binding.interface);
            enter(frames.vrfs, binding.vrf);
        }
        if (frames == each.made_for.frames)
            continue;
        each.made_for.frames = std::move(frames);
        each.tight.reset();
        differs = true;
    }
    if (!differs)
        return;
    ++interfaces_;
    is_wide_ = false;
}

void kernel_prefilter::put(front& at, bpf_code what) {
    if (what == at.in_place)
        return;
    if (const auto done = in_->install(at.port, what); !done) {
        at.state = kernel_filter_state::refused;
        at.reason = done.error();
        at.tight.reset();
        what = filter::pass_everything();
        // Without a program that passes everything nothing can be promised for this port; that it
        // was refused is what its operator hears.
        if (what != at.in_place && !in_->install(at.port, what))
            return;
    }
    at.in_place = std::move(what);
}

void kernel_prefilter::widen(front& at) {
    std::optional<bpf_code> wide;
    if (at.tight)
        wide =
            added_.program(at.made_for.frames, {at.made_for.longest, most_ranges_added}, *at.tight);
    if (!wide) {
        at.tight.reset();
        if (at.state == kernel_filter_state::in_place)
            at.state = kernel_filter_state::pending;
        wide = filter::pass_everything();
    }
    put(at, *std::move(wide));
}

void kernel_prefilter::widen() {
    if (is_wide_)
        return;
    is_wide_ = true;
    for (front& each : fronts_)
        widen(each);
}

void kernel_prefilter::job::run() noexcept {
    try {
        std::vector<std::optional<bpf_code>> programs;
        for (const change& each : changes)
            if (each.what)
                all.insert(each.slot, *each.what);
            else
                all.erase(each.slot);
        for (const target& each : targets)
            programs.push_back(all.program(each.frames, {.instructions = each.longest}));
        made = std::move(programs);
        changes.clear();
    } catch (const std::bad_alloc&) {
        // The next job does all of it again, to the same effect: of a slot the last word counts.
        made.clear();
    }
}

void kernel_prefilter::take_back(job& done) {
    all_ = std::move(done.all);
    done.changes.insert(done.changes.end(), std::make_move_iterator(changes_.begin()),
                        std::make_move_iterator(changes_.end()));
    changes_ = std::move(done.changes);
    if (done.made.empty() || done.interfaces != interfaces_)
        return;
    made_for_ = done.interfaces;
    for (std::size_t i = 0; i < fronts_.size(); ++i) {
        fronts_[i].tight = std::move(done.made[i]);
        fronts_[i].state =
            fronts_[i].tight ? kernel_filter_state::in_place : kernel_filter_state::too_long;
        fronts_[i].reason = {};
    }
    added_ = filter::prefilter();
    for (const change& each : changes_)
        if (each.what)
            note_added(*each.what);
    for (front& each : fronts_)
        widen(each);
}

void kernel_prefilter::collect() {
    if (auto done = jobs_.collect())
        take_back(*done);
}

void kernel_prefilter::begin(steady_time now) {
    if (fronts_.empty() || jobs_.is_begun() || !has_changed() || now < next_)
        return;
    next_ = now + interval;
    job next;
    next.all = std::move(all_);
    next.changes = std::move(changes_);
    changes_.clear();
    for (const front& each : fronts_)
        next.targets.push_back(each.made_for);
    next.interfaces = interfaces_;
    jobs_.begin(std::move(next));
    if (!jobs_.is_elsewhere())
        collect();
}

std::optional<steady_time> kernel_prefilter::due() const noexcept {
    if (fronts_.empty() || jobs_.is_begun() || !has_changed())
        return std::nullopt;
    return next_;
}

std::vector<kernel_filter_status> kernel_prefilter::state() const {
    std::vector<kernel_filter_status> told;
    for (const front& each : fronts_)
        told.push_back({each.port, each.state, each.in_place.size(), each.reason});
    return told;
}

} // namespace flowtap::tap
