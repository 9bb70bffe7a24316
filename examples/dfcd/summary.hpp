// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <flowtap/path/data_path.hpp>
#include <flowtap/tap/access_point.hpp>
#include <flowtap/transport/datagram_server.hpp>

namespace dfcd {

/// Everything that has happened, in numbers: no name and no address.
struct totals {
    flowtap::path::path_counters path;
    flowtap::tap::status control;
    flowtap::transport::datagram_counters datagrams;
};

/// For a person: a few lines, aligned, without some of what never happened.
std::string summary_text(const totals& counted);

/// The same as one JSON object:
/// `{"seen":40,"seen_octets":...,"lost":0,"sampled_out":0,"decoded":{"ip":40,...},"tapped":20,
/// "copies":20,"delivered":20,"dropped":{"sink_full":0,...},"criteria":{"expired":0,"purged":0},
/// "requests":{...},"notifications":{...},"datagrams":{...}}`, with seen = sampled_out + the sum of
/// decoded and copies = delivered + the sum of dropped.
std::string summary_json(const totals& counted);

} // namespace dfcd
