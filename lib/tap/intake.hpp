// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/sequence.hpp>

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

/// An answer, and the work it took.
struct handled {
    answer given;
    /// Criteria that were gone through, or as much as that.
    std::size_t work = 0;
};

/// The first checks of a request, which change nothing: Csource-ID is the control source's, and the
/// HMAC holds.
std::optional<refusal> authenticate(const requester& from, const dtcp::envelope& message);

/// Whether a sequence number of that control source is good only once, over this kind of channel.
bool checks_sequence(const requester& from);

/// Why the request's sequence number is refused; none if it is good.
std::optional<refusal> refuse_sequence(dtcp::sequence_verdict verdict,
                                       const dtcp::envelope& message);

/// Takes the sequence number of an authentic request and does what it asks for.
std::variant<handled, refusal> serve(control& state, const requester& from,
                                     const dtcp::envelope& message, time_stamp now);

} // namespace flowtap::tap
