// SPDX-License-Identifier: Apache-2.0
#include "control.hpp"

#include <memory>
#include <utility>

#include "congestion.hpp"
#include "expiry.hpp"

namespace flowtap::tap {

control::control(settings with_settings, surroundings around)
    : path(around.path), audit(around.audit), make_hash(std::move(around.make_hash)),
      sources(make_hash), published(around.path, around.kernel, std::move(around.background)),
      mirrors(path, published, streams, names), subscribers(around.subscribers),
      sequences(around.sequences) {
    apply(std::move(with_settings));
}

void control::apply(settings next) {
    with = std::move(next);
    sources.apply(with);
    names.apply(with);
    groups.apply(with, names);
    // Without services of its own no worker is kept looking for their packets.
    std::shared_ptr<path::own_traffic> own;
    if (!with.own_services.empty())
        own = std::make_shared<path::own_traffic>();
    for (const own_service& service : with.own_services)
        own->add(service.protocol, service.where, service.other_end);
    published.limit(with.filter_memory);
    published.replace(
        {names.map(), std::move(own), groups.gates(with), groups.copy_limits(), with.fragments});
}

criterion& control::insert(control_source& into, std::unique_ptr<criterion> added) {
    criterion& one = sources.insert(into, std::move(added));
    placed.insert(into, one);
    begin_countdowns(*this, one);
    return one;
}

edition control::remove(control_source& from, criterion& what, time_stamp now) {
    if (what.trigger != trigger_number{}) {
        subscribers->remove(what.trigger, now);
        mirrors.forget(what.trigger);
    }
    timers.cancel(what.slot);
    placed.erase(what.slot);
    path.stop(what.slot);
    published.erase(what.slot);
    path.release(what.slot);
    const edition without = published.pending();
    for (const stream_key& stream : what.streams)
        streams.release(stream, without);
    from.last_removal = without;
    sources.erase(from, what.id);
    // A round without criteria is never completed.
    if (sources.criteria() == 0)
        sampled_.reset();
    return without;
}

criterion_reading control::read(criterion& what, steady_time now) {
    const path::slot_counters counted = counters_of(what);
    // The round under way may not have come this far.
    if (!what.meter.is_sampled(samples))
        what.meter.sample(samples, counted.octets);
    criterion_reading reading = make_reading(counted, path.remaining(what.slot));
    reading.bandwidth = what.meter.average(samples, counted.octets, now);
    return reading;
}

bool control::sample(time_stamp now) {
    if (!sampled_) {
        samples.advance(now.steady);
        begin_round(*this);
        sampled_ = 0;
    }
    for (std::size_t left = sample_slice; left != 0; --left) {
        if (*sampled_ >= placed.bound()) {
            sampled_.reset();
            return end_round(*this, now) != 0;
        }
        const slot_id slot{(*sampled_)++};
        const placed_criterion one = placed.find(slot);
        if (one.what == nullptr)
            continue;
        const path::slot_counters counted = counters_of(*one.what);
        one.what->meter.sample(samples, counted.octets);
        if (!one.what->destinations.empty())
            note_sample(*this, *one.of, *one.what, counted, now);
    }
    return false;
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
