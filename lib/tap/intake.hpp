// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include <flowtap/dtcp/envelope.hpp>

#include "answer.hpp"
#include "control.hpp"

namespace flowtap::tap {

/// Why a message is never answered (dtcp.md, section 1).
struct refusal {
    /// 497, 498 or 499; 0 for what is no message.
    dtcp::status_code status{};
    /// What counts it.
    std::uint64_t status::*counter = nullptr;
    error reason;
};

/// What the audit log says of it, in bounded words: anybody can bring these about.
audit_note note_of(const refusal& reason);

/// An answer, and how many criteria were gone through for it.
struct handled {
    answer given;
    std::size_t work = 0;
};

/// The first checks of a request, which change nothing: Csource-ID is the control source's, and the
/// HMAC holds.
std::optional<refusal> authenticate(const requester& from, const dtcp::envelope& message);

/// False if `serve` would refuse the request for its sequence number.
bool has_fresh_sequence(const requester& from, const dtcp::envelope& message);

/// Takes the sequence number of an authentic request and does what it asks for.
std::variant<handled, refusal> serve(control& state, const requester& from,
                                     const dtcp::envelope& message, time_stamp now);

} // namespace flowtap::tap
