// SPDX-License-Identifier: Apache-2.0
#include "roster.hpp"

#include <algorithm>

namespace flowtap::tap {

namespace {

std::size_t rest_of(std::size_t whole, std::size_t part) {
    return whole - std::min(whole, part);
}

} // namespace

void roster::apply(const settings& with) {
    with_ = with;
    reserved_criteria_ = 0;
    reserved_streams_ = 0;
    for (const auto& [name, source] : with_.sources) {
        if (!source.criteria_limit)
            continue;
        reserved_criteria_ += *source.criteria_limit;
        reserved_streams_ += stream_quota(*source.criteria_limit);
    }
    shared_criteria_ = 0;
    for (const auto& [name, source] : sources_) {
        configure(*source);
        if (!has_quota(*source))
            shared_criteria_ += source->filters();
    }
    for (const auto& [name, source] : with_.sources)
        enter(name);
}

control_source& roster::enter(const std::string& name) {
    const auto found = sources_.find(name);
    if (found != sources_.end())
        return *found->second;
    const control_source_id id{static_cast<std::uint32_t>(sources_.size() + 1)};
    auto made = std::make_unique<control_source>(id, name);
    configure(*made);
    by_number_.push_back(made.get());
    return *sources_.emplace(name, std::move(made)).first->second;
}

control_source* roster::find(control_source_id number) const noexcept {
    // They count from 1.
    const std::size_t place = number.value() - std::size_t{1};
    return place < by_number_.size() ? by_number_[place] : nullptr;
}

void roster::configure(control_source& one) {
    const auto own = with_.sources.find(one.name());
    const control_source_settings& now =
        own == with_.sources.end() ? with_.default_source : own->second;
    if (!one.hash || one.with.key != now.key)
        one.hash = make_hash_(now.key);
    one.with = now;
}

bool roster::has_quota(const control_source& of) const {
    const auto own = with_.sources.find(of.name());
    return own != with_.sources.end() && own->second.criteria_limit.has_value();
}

std::size_t roster::stream_quota(std::size_t criteria_quota) const {
    if (with_.criteria_limit == 0)
        return 0;
    const double share =
        static_cast<double>(criteria_quota) / static_cast<double>(with_.criteria_limit);
    return static_cast<std::size_t>(static_cast<double>(with_.destination_limit) * share);
}

bool roster::has_room_for_criterion(const control_source& of) const {
    if (of.with.criteria_limit && of.filters() >= *of.with.criteria_limit)
        return false;
    return has_quota(of) || shared_criteria_ < rest_of(with_.criteria_limit, reserved_criteria_);
}

bool roster::has_room_for_streams(const control_source& of, std::size_t added,
                                  const stream_table& streams) const {
    if (added == 0)
        return true;
    if (has_quota(of))
        return streams.size(of.id()) + added <= stream_quota(*of.with.criteria_limit);
    // Those of mirrors are nobody's.
    std::size_t shared = streams.size() - streams.size(control_source_id{});
    for (const auto& [name, own] : with_.sources)
        if (const auto found = sources_.find(name); found != sources_.end() && own.criteria_limit)
            shared -= streams.size(found->second->id());
    return shared + added <= rest_of(with_.destination_limit, reserved_streams_);
}

criterion& roster::insert(control_source& into, std::unique_ptr<criterion> added) {
    ++criteria_;
    const std::size_t filters = into.filters();
    criterion& one = into.insert(std::move(added));
    if (!has_quota(into))
        shared_criteria_ += into.filters() - filters;
    return one;
}

void roster::erase(control_source& from, criteria_id id) {
    --criteria_;
    const std::size_t filters = from.filters();
    from.erase(id);
    if (!has_quota(from))
        shared_criteria_ -= filters - from.filters();
}

} // namespace flowtap::tap
