// SPDX-License-Identifier: Apache-2.0
#include "matching.hpp"

#include <array>
#include <utility>

#include <flowtap/filter/classifier.hpp>
#include <flowtap/packet/view.hpp>

namespace flowtap::tools {

namespace {

constexpr std::size_t batch_size = 256;

result<filter::classifier> compile(const std::vector<filter_spec>& filters) {
    std::vector<filter::criterion> criteria;
    for (const filter_spec& spec : filters) {
        auto made =
            filter::criterion::make(slot_id(static_cast<std::uint32_t>(criteria.size())), spec);
        if (!made)
            return fail(made.error());
        criteria.push_back(std::move(*made));
    }
    return filter::classifier::build(criteria);
}

/// Whether a filter can look at a packet.
bool has_key(const packet::packet_view& view) {
    return view.what == packet::verdict::ip ||
           (view.what == packet::verdict::cut_short && !view.ip.empty());
}

/// The packets of one batch that a filter can look at.
struct batch_keys {
    std::size_t count = 0;
    std::array<packet_key, batch_size> keys;
    std::array<std::size_t, batch_size> packets; ///< where in the batch each stands

    void take(std::span<const path::captured_packet> batch) {
        count = 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            packet::packet_view view;
            packet::decode(batch[i].link, batch[i].frame, batch[i].wire_length, view);
            if (!has_key(view))
                continue;
            keys[count] = view.key;
            packets[count++] = i;
        }
    }
};

} // namespace

result<match_totals> match_packets(path::source& from, const std::vector<filter_spec>& filters,
                                   const match_observer& observe) {
    const auto compiled = compile(filters);
    if (!compiled)
        return fail(compiled.error());
    filter::match_buffer found(batch_size, batch_size + filters.size());
    std::array<path::captured_packet, batch_size> packets;
    batch_keys keys;
    match_totals totals;
    for (;;) {
        const path::read_result got = from.read(packets);
        keys.take(std::span(packets).first(got.count));
        for (std::size_t done = 0; done < keys.count;) {
            const auto rest = std::span(keys.keys).subspan(done, keys.count - done);
            const std::size_t matched = compiled->match(rest, found);
            for (std::size_t i = 0; i < matched; ++i) {
                if (found.matches(i).empty())
                    continue;
                ++totals.matched;
                const std::size_t place = keys.packets[done + i];
                observe(totals.packets + place + 1, packets[place]);
            }
            done += matched;
        }
        totals.packets += got.count;
        if (got.state == path::source_state::failed)
            totals.broken_off = from.failure();
        if (got.state == path::source_state::failed || got.state == path::source_state::finished)
            return totals;
    }
}

} // namespace flowtap::tools
