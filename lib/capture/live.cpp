// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/live.hpp>
#include <flowtap/capture/live_source.hpp>

#include "watched_source.hpp"

namespace flowtap::capture {

namespace {

result<live_sources> open_ring(const std::string& device, const live_options& options,
                               std::size_t workers, opener& with) {
#ifdef __linux__
    auto opened = ring_source::open_shared(device, workers, options, with);
    if (!opened)
        return fail(opened.error());
    live_sources made{live_method::ring, {}, {}};
    for (auto& each : *opened)
        made.sources.push_back(std::move(each));
    return made;
#else
    static_cast<void>(options);
    static_cast<void>(workers);
    static_cast<void>(with);
    return fail(errc::ring_unavailable, device);
#endif
}

result<live_sources> open_libpcap(const std::string& device, const live_options& options) {
    auto opened = live_source::open(device, options);
    if (!opened)
        return fail(opened.error());
    live_sources made{live_method::libpcap, {}, {}};
    made.sources.push_back(std::move(*opened));
    return made;
}

/// Whether another way may do what this one cannot.
bool is_about_the_ring(const error& why) {
    return why.code == errc::ring_unavailable || why.code == errc::unsupported_link_type ||
           why.code == errc::invalid_filter;
}

} // namespace

result<live_sources> open_live(const std::string& device, const live_options& options,
                               std::size_t workers, std::optional<live_method> method,
                               opener& with) {
    if (method == live_method::libpcap)
        return open_libpcap(device, options);
    auto ring = open_ring(device, options, workers, with);
    if (ring || method == live_method::ring || !is_about_the_ring(ring.error()))
        return ring;
    auto other = open_libpcap(device, options);
    if (other)
        other->reason = ring.error().message();
    return other;
}

ring_counters counters_of(const path::source& from) noexcept {
    if (const auto* const around = dynamic_cast<const detail::watched_source*>(&from))
        return counters_of(around->watched());
#ifdef __linux__
    if (const auto* const ring = dynamic_cast<const ring_source*>(&from))
        return ring->counters();
#else
    static_cast<void>(from);
#endif
    return {};
}

} // namespace flowtap::capture
