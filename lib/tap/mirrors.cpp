// SPDX-License-Identifier: Apache-2.0
#include "mirrors.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/filter/criterion.hpp>
#include <flowtap/tap/error.hpp>

namespace flowtap::tap {

namespace {

/// No control source has it: streams of mirrors are in nobody's share of content destinations.
constexpr control_source_id nobody{};

void add_to(path::slot_counters& sum, const path::slot_counters& more) {
    sum.packets += more.packets;
    sum.octets += more.octets;
    if (more.last_match)
        sum.last_match = std::max(sum.last_match.value_or(*more.last_match), *more.last_match);
}

filter_spec spec_in(filter_scope scope, family_set families) {
    filter_spec made;
    made.families = families;
    made.scope = std::move(scope);
    return made;
}

/// Both directions of the addresses of one family; none if there are none.
void append_directions(std::vector<filter_spec>& specs, const mirror& what, family of, vrf_id vrf) {
    range_list<address_bits> list;
    for (const ip_prefix& prefix : what.addresses)
        if (prefix.address.ip_family() == of)
            list.entries.push_back({{prefix.first().bits(), prefix.last().bits()}, false});
    if (list.entries.empty() || !what.families.contains(of))
        return;
    filter_spec from = spec_in(vrf_scope{vrf}, of);
    filter_spec to = from;
    from.source_addresses = list;
    to.destination_addresses = std::move(list);
    specs.push_back(std::move(from));
    specs.push_back(std::move(to));
}

result<std::vector<packet::header_template>> headers_of(const mirror& what) {
    std::vector<packet::header_template> headers;
    for (const packet::encapsulation& around : what.copies) {
        auto header = packet::header_template::make(around);
        if (!header)
            return fail(header.error());
        headers.push_back(*header);
    }
    return headers;
}

/// The streams of copies that go to different places: a destination that is given twice is one.
std::vector<stream_key> streams_of(const mirror& what) {
    std::vector<stream_key> keys;
    for (const packet::encapsulation& around : what.copies)
        keys.push_back(make_stream_key(nobody, around));
    return keys;
}

bool is_of_same_traffic(const mirror& a, const mirror& b) {
    return a.addresses == b.addresses && a.interface == b.interface &&
           a.routing_instance == b.routing_instance && a.families == b.families &&
           a.asked_for == b.asked_for;
}

} // namespace

result<std::vector<filter_spec>> mirror_table::specs_of(const mirror& what) const {
    std::vector<filter_spec> specs;
    if (!what.addresses.empty()) {
        vrf_id vrf;
        if (!what.routing_instance.empty()) {
            const auto found = names_->find_vrf(what.routing_instance);
            if (!found)
                return fail(errc::vrf_not_configured);
            vrf = *found;
        }
        append_directions(specs, what, family::inet, vrf);
        append_directions(specs, what, family::inet6, vrf);
    } else if (!what.interface.empty()) {
        const auto interface = names_->find_interface(what.interface);
        if (!interface)
            return fail(errc::interface_not_configured);
        specs.push_back(spec_in(input_scope{{*interface}}, what.families));
        specs.push_back(spec_in(output_scope{{*interface}}, what.families));
    }
    if (specs.empty())
        return fail(errc::no_traffic);
    return specs;
}

path::action mirror_table::action_of(const placed& of,
                                     std::vector<packet::header_template> headers) {
    path::action then;
    then.asked_by =
        of.what.asked_for == trigger_number{} ? path::origin::radius : path::origin::dtcp;
    then.withholds = of.what.drops;
    for (std::size_t i = 0; i < headers.size(); ++i) {
        // Two copies of a packet never go into one stream.
        const auto first = std::find(of.streams.begin(), of.streams.end(), of.streams[i]);
        if (first == of.streams.begin() + static_cast<std::ptrdiff_t>(i))
            then.targets.push_back({streams_->acquire(of.streams[i]), of.what.egress, headers[i]});
    }
    return then;
}

/// Gives a mirror its streams and its criteria; nothing of it is left when that fails.
result<void> mirror_table::place(placed& made) {
    auto specs = specs_of(made.what);
    if (!specs)
        return fail(specs.error());
    auto headers = headers_of(made.what);
    if (!headers)
        return fail(headers.error());
    if (!streams_->has_ids(made.what.copies.size()))
        return fail(errc::out_of_resources);
    for (filter_spec& spec : *specs) {
        slot_id slot;
        if (!path_->acquire(slot)) {
            drop_slots(made);
            return fail(errc::out_of_resources);
        }
        auto criterion = filter::criterion::make(slot, std::move(spec));
        const auto inserted = criterion ? published_->insert(std::move(*criterion))
                                        : result<void>(fail(criterion.error()));
        if (!inserted) {
            path_->release(slot);
            drop_slots(made);
            return fail(errc::out_of_resources);
        }
        made.slots.push_back(slot);
    }
    made.streams = streams_of(made.what);
    const path::action then = action_of(made, std::move(*headers));
    for (const slot_id slot : made.slots)
        published_->assign(slot, then);
    return {};
}

void mirror_table::drop_slots(placed& of) {
    for (const slot_id slot : std::exchange(of.slots, {})) {
        path_->stop(slot);
        published_->erase(slot);
        path_->release(slot);
    }
}

path::slot_counters mirror_table::counters_of(const placed& of) const {
    path::slot_counters sum;
    for (const slot_id slot : of.slots)
        add_to(sum, path_->counters(slot));
    return sum;
}

/// Gives up the criteria of a mirror, and streams that are no longer its.
void mirror_table::take_out(placed& gone, std::vector<stream_key> streams) {
    const path::slot_counters counted = counters_of(gone);
    add_to(ended_, counted);
    if (const auto of = triggers_.find(gone.what.asked_for); of != triggers_.end())
        add_to(of->second.ended, counted);
    drop_slots(gone);
    std::sort(streams.begin(), streams.end());
    streams.erase(std::unique(streams.begin(), streams.end()), streams.end());
    for (const stream_key& stream : streams)
        streams_->release(stream, published_->pending());
}

result<mirror_number> mirror_table::add_mirror(const mirror& what) {
    placed made{what, {}, {}};
    if (const auto done = place(made); !done)
        return fail(done.error());
    const mirror_number number{++last_mirror_};
    mirrors_.emplace(number, std::move(made));
    if (what.asked_for != trigger_number{})
        triggers_[what.asked_for].mirrors.insert(number);
    return number;
}

result<void> mirror_table::change_mirror(mirror_number which, const mirror& what) {
    placed& at = mirrors_.find(which)->second;
    if (!is_of_same_traffic(at.what, what)) {
        // The new criteria come with the publication in which the old ones go.
        placed made{what, {}, {}};
        if (const auto done = place(made); !done) {
            remove_mirror(which);
            return fail(done.error());
        }
        take_out(at, std::move(at.streams));
        at = std::move(made);
        return {};
    }
    auto headers = headers_of(what);
    if (!headers || !streams_->has_ids(what.copies.size())) {
        const error reason = headers ? error(errc::out_of_resources) : headers.error();
        remove_mirror(which);
        return fail(reason);
    }
    std::vector<stream_key> before = std::move(at.streams);
    at.what = what;
    at.streams = streams_of(what);
    const path::action then = action_of(at, std::move(*headers));
    for (const slot_id slot : at.slots)
        published_->assign(slot, then);
    placed nothing{};
    take_out(nothing, std::move(before));
    return {};
}

void mirror_table::remove_mirror(mirror_number which) {
    const auto found = mirrors_.find(which);
    if (found == mirrors_.end())
        return;
    placed& gone = found->second;
    take_out(gone, std::move(gone.streams));
    if (const auto of = triggers_.find(gone.what.asked_for); of != triggers_.end())
        of->second.mirrors.erase(which);
    mirrors_.erase(found);
}

path::slot_counters mirror_table::counters(trigger_number of) const {
    const auto found = triggers_.find(of);
    if (found == triggers_.end())
        return {};
    path::slot_counters sum = found->second.ended;
    for (const mirror_number one : found->second.mirrors)
        add_to(sum, counters_of(mirrors_.find(one)->second));
    return sum;
}

path::slot_counters mirror_table::totals() const {
    path::slot_counters sum = ended_;
    for (const auto& [number, one] : mirrors_)
        add_to(sum, counters_of(one));
    return sum;
}

} // namespace flowtap::tap
