// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <flowtap/core/clock.hpp>
#include <flowtap/path/data_path.hpp>

#include "control.hpp"

namespace flowtap::tap {

// What dynamic flow capture watches while the counters are read for the averages, once a second:
// the bandwidth towards each content destination, and copies that did not come to it.
// Nothing is read a second time.

/// A new round of samples begins.
void begin_round(control& state);

/// The counters of one criterion were read. Tells its control source of dropped copies (598),
/// at the period of its group for as long as there are more.
void note_sample(control& state, control_source& of, criterion& what,
                 const path::slot_counters& counted, time_stamp now);

/// All counters were read: holds the sums against the limits. Tells of the soft limit (580), once
/// per crossing, and deletes criteria at the hard limit (680). Returns how many it deleted.
std::size_t end_round(control& state, time_stamp now);

} // namespace flowtap::tap
