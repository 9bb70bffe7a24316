// SPDX-License-Identifier: Apache-2.0
#include "control.hpp"

#include <memory>
#include <utility>

namespace flowtap::tap {

control::control(settings with_settings, surroundings around)
    : path(around.path), audit(around.audit), make_hash(std::move(around.make_hash)),
      sources(make_hash), published(around.path), sequences(around.sequences) {
    apply(std::move(with_settings));
}

void control::apply(settings next) {
    with = std::move(next);
    sources.apply(with);
    names.apply(with);
    auto own = std::make_shared<path::own_traffic>();
    for (const own_service& service : with.own_services)
        own->add(service.protocol, service.where);
    published.replace(names.map(), std::move(own));
}

edition control::remove(control_source& from, criterion& what) {
    path.stop(what.slot);
    published.erase(what.slot);
    path.release(what.slot);
    const edition without = published.pending();
    for (const stream_key& stream : what.streams)
        streams.release(stream, without);
    from.last_removal = without;
    sources.erase(from, what.id);
    return without;
}

criterion_reading control::read(criterion& what, steady_time now) {
    const path::slot_counters counted = path.counters(what.slot);
    // The round under way may not have come this far.
    if (!what.meter.is_sampled(samples))
        what.meter.sample(samples, counted.octets, now);
    return {counted.packets, counted.octets, what.meter.average(samples, counted.octets, now),
            what.meter.last_active(counted.octets, now)};
}

void control::sample(steady_time now) {
    if (!last_sampled_) {
        samples.advance(now);
        last_sampled_.emplace();
    }
    std::size_t left = sample_slice;
    sampled_criterion& last = *last_sampled_;
    const auto& all = sources.sources();
    for (auto source = all.lower_bound(last.source); source != all.end(); ++source) {
        const auto& criteria = source->second->criteria();
        const bool begun = source->first == last.source;
        for (auto at = begun ? criteria.upper_bound(last.id) : criteria.begin();
             at != criteria.end(); ++at) {
            if (left-- == 0)
                return;
            at->second->meter.sample(samples, path.counters(at->second->slot).octets, now);
            last = {source->first, at->first};
        }
    }
    last_sampled_.reset();
}

bool write_audit(audit_log& log, std::string_view principal, std::string_view peer, audit_note note,
                 wall_time now) {
    audit_record record;
    record.time = now;
    record.event = note.event;
    record.principal = principal;
    record.peer = peer;
    record.criterion = note.criterion;
    record.count = note.count;
    record.status = static_cast<std::uint16_t>(note.status);
    record.detail = std::move(note.detail);
    return log.write(record).has_value();
}

} // namespace flowtap::tap
