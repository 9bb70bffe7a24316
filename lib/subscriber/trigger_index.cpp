// SPDX-License-Identifier: Apache-2.0
#include "trigger_index.hpp"

#include <algorithm>
#include <string_view>

#include <flowtap/subscriber/directory.hpp>

#include "traits.hpp"

namespace flowtap::subscriber {

namespace {

/// Zero never stands in a name.
std::string place_of(std::string_view logical_system, std::string_view routing_instance) {
    std::string place(logical_system);
    return place.append(1, '\0').append(routing_instance);
}

std::string text_key(std::string place, std::string_view value) {
    return place.append(1, '\0').append(value);
}

/// The address of a trigger; parameters that hold none were refused.
ip_address address_of(const whole_trigger& what) {
    return parse_ip_address(what.value).value();
}

void keep_first(std::optional<tap::trigger_number>& first, tap::trigger_number other) {
    first = first ? std::min(*first, other) : other;
}

} // namespace

bool is_meant(const session_record& session, const whole_trigger& by) {
    return session.logical_system == by.logical_system &&
           session.routing_instance == by.routing_instance && has_trait(session, by.by, by.value);
}

void trigger_index::insert(tap::trigger_number number, const whole_trigger& what) {
    std::string place = place_of(what.logical_system, what.routing_instance);
    if (what.by == tap::session_trait::address)
        addresses_[{std::move(place), address_of(what)}].insert(number);
    else
        texts_[static_cast<std::size_t>(what.by)][text_key(std::move(place), what.value)].insert(
            number);
}

void trigger_index::erase(tap::trigger_number number, const whole_trigger& what) {
    std::string place = place_of(what.logical_system, what.routing_instance);
    const auto take_out = [&](auto& index, const auto& key) {
        const auto found = index.find(key);
        found->second.erase(number);
        if (found->second.empty())
            index.erase(found);
    };
    if (what.by == tap::session_trait::address)
        take_out(addresses_, address_key{std::move(place), address_of(what)});
    else
        take_out(texts_[static_cast<std::size_t>(what.by)], text_key(std::move(place), what.value));
}

std::optional<tap::trigger_number> trigger_index::first_of(const session_record& session) const {
    std::optional<tap::trigger_number> first;
    const std::string place = place_of(session.logical_system, session.routing_instance);
    for (const tap::session_trait by : text_traits) {
        const auto& index = texts_[static_cast<std::size_t>(by)];
        const std::string& text = text_of(session, by);
        if (index.empty() || text.empty())
            continue;
        const auto found = index.find(text_key(place, text));
        if (found != index.end())
            keep_first(first, *found->second.begin());
    }
    if (addresses_.empty())
        return first;
    for (const ip_prefix& prefix : session.addresses) {
        const ip_address last = prefix.last();
        for (auto at = addresses_.lower_bound({place, prefix.first()});
             at != addresses_.end() && at->first.first == place && at->first.second <= last; ++at)
            keep_first(first, *at->second.begin());
    }
    return first;
}

} // namespace flowtap::subscriber
