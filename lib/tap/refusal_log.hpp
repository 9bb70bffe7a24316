// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include <flowtap/core/clock.hpp>
#include <flowtap/dtcp/status.hpp>
#include <flowtap/tap/audit.hpp>

#include "control.hpp"

namespace flowtap::tap {

/// The audit records of datagrams that get no answer. Anybody can send those, as many as they like:
/// only so many are recorded each second, and one record says how many there were besides.
class refusal_log {
public:
    /// Records in a second, the one about those left out aside.
    static constexpr std::size_t records = 10;

    explicit refusal_log(audit_log& audit) : audit_(&audit) {}

    void write(std::string_view principal, std::string_view peer, audit_note note, time_stamp now);

    /// Records what was left out, if its second is over.
    void flush(time_stamp now);
    /// When `flush` has something to do.
    std::optional<steady_time> deadline() const;

private:
    audit_log* audit_;
    /// When the second began in which records were written last.
    steady_time begun_;
    std::size_t written_ = 0;
    std::map<dtcp::status_code, std::uint64_t> left_out_;
};

} // namespace flowtap::tap
