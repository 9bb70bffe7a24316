// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "measures.hpp"

namespace dfcd {

/// For a person: a few lines, aligned, without some of what never happened.
std::string summary_text(const totals& counted);

/// The same, with what is there now and a line for each worker and each content destination.
std::string status_text(const totals& counted);

/// All of it as one JSON object:
/// `{"seen":40,"seen_octets":...,"decoded":{"ip":40,...},...,"tapped":20,"copies":20,
/// "delivered":20,"dropped":{"sink_full":0,...},"criteria":{"expired":0,"purged":0},
/// "requests":{...},"notifications":{...},"datagrams":{...},"state":{...},
/// "workers":[{"seen":40,...}],"destinations":[{"ordinal":"0","copies":20,...}]}`, of which
/// seen = filtered + sampled_out + the sum of decoded, and
/// copies = delivered + the sum of dropped + queued: those of all, of each worker, and (copies) of
/// each content destination.
std::string summary_json(const totals& counted);

/// All of it in Prometheus' text exposition format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/): packets and copies by worker,
/// copies by content destination.
std::string metrics_text(const totals& counted);

} // namespace dfcd
