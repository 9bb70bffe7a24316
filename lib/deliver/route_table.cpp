// SPDX-License-Identifier: Apache-2.0
#include "route_table.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace flowtap::deliver::detail {

namespace {

std::size_t hash_of(const ip_address& address, unsigned salt = 0) noexcept {
    return ((address.bits().low ^ address.bits().high ^ salt) * 0x9E37'79B9'7F4A'7C15ULL) >> 32;
}

} // namespace

route_table::route_table(network_view& about)
    : about_(about), destinations_(ways * sets), hops_(ways * sets), links_(link_places) {}

/// The place of a destination, or that of the one in its set that was not used for longest.
route_table::destination& route_table::place_of(const ip_address& to, steady_time now) noexcept {
    const auto set = std::span(destinations_).subspan(hash_of(to) % sets * ways, ways);
    destination* oldest = &set[0];
    for (destination& each : set) {
        if (each.used && each.to == to)
            return each;
        if (!each.used || (oldest->used && each.used_at < oldest->used_at))
            oldest = &each;
    }
    *oldest = {};
    oldest->to = to;
    oldest->used = oldest->stale = true;
    oldest->used_at = now;
    return *oldest;
}

route_table::hop* route_table::find_hop(unsigned device, const ip_address& address) noexcept {
    for (hop& each : std::span(hops_).subspan(hash_of(address, device) % sets * ways, ways))
        if (each.used && each.device == device && each.address == address)
            return &each;
    return nullptr;
}

route_table::hop& route_table::hop_of(unsigned device, const ip_address& address,
                                      steady_time now) noexcept {
    if (hop* known = find_hop(device, address))
        return *known;
    const auto set = std::span(hops_).subspan(hash_of(address, device) % sets * ways, ways);
    hop& oldest = *std::ranges::min_element(
        set, {}, [](const hop& each) { return std::pair(each.used, each.used_at); });
    oldest = {};
    oldest.device = device;
    oldest.address = address;
    oldest.used = true;
    oldest.used_at = now;
    return oldest;
}

const link_state& route_table::link_of(unsigned index) noexcept {
    link_state& place = links_[index % link_places];
    if (place.index != index) {
        place = about_.link(index);
        place.index = index;
    }
    return place;
}

void route_table::ask(destination& its, steady_time now) noexcept {
    its.stale = false;
    its.asked_at = now;
    its.route = about_.route_to(its.to);
    its.socket_mtu = its.route.what == route_state::kind::unicast ? about_.socket_mtu(its.to) : 0;
}

egress_plan route_table::look_up(const ip_address& to, steady_time now) noexcept {
    destination& its = place_of(to, now);
    if (its.stale || now - its.asked_at >= refresh_interval)
        ask(its, now);
    its.used_at = now;
    return plan_for(its, now);
}

egress_plan route_table::plan_for(destination& its, steady_time now) noexcept {
    egress_plan made;
    if (its.route.what == route_state::kind::other)
        return made;
    made.how = egress_plan::way::unreachable;
    if (its.route.what == route_state::kind::none)
        return made;
    const link_state& link = link_of(its.route.device);
    if (!link.is_up)
        return made;
    made.how = egress_plan::way::system;
    made.device = its.route.device;
    made.mtu = its.route.mtu == 0 ? link.mtu : std::min(link.mtu, its.route.mtu);
    // An ordinary socket that may send less at once, or nothing, knows of something that lies
    // between here and the device: IPsec, most of all, which no copy must be sent past.
    if (!link.is_ethernet || made.mtu == 0 || its.socket_mtu < made.mtu)
        return made;
    hop& next = hop_of(its.route.device, its.route.next_hop, now);
    next.used_at = now;
    next.source = its.route.source;
    if (next.what == hop::state::unasked) {
        take(next, about_.neighbour(next.device, next.address), now);
        if (next.what == hop::state::unasked)
            resolve(next, now);
    }
    switch (next.what) {
    case hop::state::known:
        made.how = egress_plan::way::frame;
        made.ethernet = ethernet_header(next.mac, link.address, its.to.ip_family());
        break;
    case hop::state::failed:
        made.how = egress_plan::way::unreachable;
        break;
    default:
        made.how = egress_plan::way::resolving;
    }
    return made;
}

void route_table::resolve(hop& next, steady_time now) noexcept {
    next.what = hop::state::resolving;
    next.fixed = next.confirmed_by_system = false;
    next.since = now;
    next.questions = 0;
    ++version_;
    question(next, true, now);
}

void route_table::question(hop& next, bool everybody, steady_time now) noexcept {
    ++next.questions;
    next.next_question = now + ask_interval;
    asking_[next.address.ip_family() == family::inet ? 0 : 1] = true;
    const auto known = everybody ? std::nullopt : std::optional(next.mac);
    about_.send(next.device,
                solicitation(next.address, next.source, link_of(next.device).address, known));
}

void route_table::learn(hop& next, const mac_address& mac) noexcept {
    const bool was_known = next.what == hop::state::known;
    if (was_known && next.mac == mac)
        return;
    changes_ += was_known ? 1U : 0U;
    next.what = hop::state::known;
    next.mac = mac;
    ++version_;
}

/// Takes over what the system says of a neighbour.
void route_table::take(hop& next, const neighbour_state& told, steady_time now) noexcept {
    using kind = neighbour_state::kind;
    const bool was_fixed = next.fixed;
    const bool was_confirmed = next.confirmed_by_system;
    next.fixed = told.what == kind::fixed;
    next.confirmed_by_system = told.what == kind::confirmed || next.fixed;
    switch (told.what) {
    case kind::fixed:
    case kind::confirmed:
        learn(next, told.address);
        next.since = now;
        next.questions = 0;
        return;
    case kind::uncertain:
        if (next.what != hop::state::known || next.mac != told.address) {
            learn(next, told.address);
            next.since = now - confirm_interval;
            next.next_question = now;
            next.questions = 0;
        } else if (was_confirmed) {
            next.since = now;
        }
        return;
    case kind::unknown:
        // What was confirmed here not long ago counts more than that the system has forgotten it.
        if (next.what == hop::state::known &&
            (was_fixed || next.questions != 0 || now - next.since >= confirm_interval)) {
            ++changes_;
            resolve(next, now);
        }
    }
}

void route_table::on_event(const network_event& what, steady_time now) noexcept {
    switch (what.what) {
    case network_event::kind::nothing:
        return;
    case network_event::kind::routes:
        forget_routes(what.prefix);
        return;
    case network_event::kind::anything:
        forget_all_routes();
        return;
    case network_event::kind::link:
        on_link(what.link);
        return;
    case network_event::kind::neighbour:
        if (hop* next = find_hop(what.device, what.address))
            if (next->what != hop::state::unasked)
                take(*next, what.neighbour, now);
    }
}

void route_table::on_link(const link_state& link) noexcept {
    link_state& known = links_[link.index % link_places];
    if (known.index == link.index && known == link)
        return;
    const bool same_link = known.index == link.index && link.is_up && known.address == link.address;
    if (known.index == link.index)
        known = link.exists ? link : link_state{};
    if (!same_link)
        for (hop& each : hops_)
            if (each.used && each.device == link.index)
                each.what = hop::state::unasked;
    forget_all_routes();
}

void route_table::forget_routes(const ip_prefix& of) noexcept {
    for (destination& each : destinations_) {
        if (!each.used || each.stale || !of.contains(each.to))
            continue;
        each.stale = true;
        ++version_;
    }
}

void route_table::forget_all_routes() noexcept {
    for (destination& each : destinations_)
        each.stale = true;
    ++version_;
}

void route_table::forget_all() noexcept {
    std::ranges::fill(links_, link_state{});
    for (hop& each : hops_)
        if (each.what == hop::state::known)
            each.what = hop::state::unasked;
    forget_all_routes();
}

void route_table::on_advertisement(unsigned device, const advertisement& what,
                                   steady_time now) noexcept {
    hop* const next = find_hop(device, what.address);
    // Only who was asked is listened to.
    if (next == nullptr || next->questions == 0 || next->fixed || next->what == hop::state::unasked)
        return;
    learn(*next, what.mac);
    next->since = now;
    next->questions = 0;
}

void route_table::tick(steady_time now) noexcept {
    asking_ = {};
    for (hop& each : hops_) {
        if (!each.used)
            continue;
        if (now - each.used_at < idle_limit)
            tick(each, now);
        else if (each.what != hop::state::known || each.questions != 0)
            each.used = false;
        if (each.used && each.questions != 0)
            asking_[each.address.ip_family() == family::inet ? 0 : 1] = true;
    }
}

void route_table::tick(hop& next, steady_time now) noexcept {
    switch (next.what) {
    case hop::state::unasked:
        return;
    case hop::state::resolving:
        if (now - next.since >= resolve_limit) {
            next.what = hop::state::failed;
            ++version_;
        }
        [[fallthrough]];
    case hop::state::failed:
        if (now >= next.next_question)
            question(next, true, now);
        return;
    case hop::state::known:
        if (next.confirmed_by_system || now - next.since < confirm_interval ||
            now < next.next_question)
            return;
        if (next.questions < confirm_attempts) {
            question(next, next.questions >= confirm_attempts / 2, now);
            return;
        }
        ++changes_;
        next.what = hop::state::failed;
        ++version_;
    }
}

} // namespace flowtap::deliver::detail
