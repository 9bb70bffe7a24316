// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/path/data_path.hpp>

namespace dfcd {

/// What the data path has done, for a person: a few lines, aligned.
std::string summary_text(const flowtap::path::path_counters& counted);

/// The same as one JSON object:
/// `{"seen":40,"seen_octets":...,"lost":0,"decoded":{"ip":40,...},"tapped":20,"copies":20,
/// "delivered":20,"dropped":{"sink_full":0,...}}`, with seen = the sum of decoded and copies =
/// delivered + the sum of dropped.
std::string summary_json(const flowtap::path::path_counters& counted);

} // namespace dfcd
