// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <flowtap/capture/api.hpp>
#include <flowtap/capture/live_options.hpp>
#include <flowtap/capture/ring_source.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::capture {

/// The ways in which packets of a device are read.
enum class live_method : std::uint8_t {
    ring,    ///< `ring_source`: Linux, fast, several workers a device
    libpcap, ///< `live_source`: portable, one worker a device
};

/// Sources of one device, one for each worker, and how they read.
struct live_sources {
    live_method method = live_method::ring;
    /// Why it is libpcap, where that was not asked for; else empty.
    std::string reason;
    /// At least one; never more than one with libpcap.
    std::vector<std::unique_ptr<path::source>> sources;
};

/// Opens a device for `workers` workers. Without `method` it is the ring, and libpcap where the
/// system has none, where it does not serve the device's link type, or where
/// `live_options::filter` is given. Errors: those of `ring_source::open_shared` and
/// `live_source::open`.
FLOWTAP_CAPTURE_API result<live_sources>
open_live(const std::string& device, const live_options& options = {}, std::size_t workers = 1,
          std::optional<live_method> method = {}, opener& with = direct_opener());

/// What a source has read, if it is a ring's; zeros for others. Any thread.
FLOWTAP_CAPTURE_API ring_counters counters_of(const path::source& from) noexcept;

} // namespace flowtap::capture
