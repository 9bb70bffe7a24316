// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/parameter.hpp>
#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// One line of a message after its start line, borrowed from the message.
struct header_line {
    /// The line without its end and the blanks before it.
    std::string_view text;
    /// What stands before the colon, without blanks; empty when the line is not `Name: value`.
    std::string_view name;
    /// What stands after the colon, without blanks around it; escapes are not resolved.
    std::string_view value;
    /// The parameter of that name, if it is known.
    std::optional<parameter> known;
    /// Counted from 1; the start line is line 1.
    std::size_t number = 0;
    /// Where `value` begins in the line, counted from 1.
    std::size_t column = 0;
};

/// A message taken apart as far as is needed to decide whether it is answered at all: the order of
/// checks is control source, authentication, sequence number, and only then version, method and
/// fields, so nothing of those is judged here. Borrows the message.
struct envelope {
    /// The start line without its end and the blanks before it.
    std::string_view start_line;
    /// The lines between the start line and Authentication-Info. What follows that is disregarded.
    std::vector<header_line> lines;
    /// The first Csource-ID with its escapes resolved; none when it is missing, empty or not
    /// printable ASCII.
    std::optional<std::string> csource_id;
    /// The value of the first Seq as it stands; empty when there is none.
    std::string_view sequence_text;
    /// The same as a number; none when it is missing or no unsigned 64-bit number.
    std::optional<sequence_number> sequence;
    /// The value of the first Authentication-Info; none when there is none.
    std::optional<std::string_view> authentication_info;
    /// The exact octets that are signed: everything before the Authentication-Info line.
    std::string_view signed_octets;

    /// The first line of a parameter, or null. Of a repeated parameter the first counts.
    FLOWTAP_DTCP_API const header_line* find(parameter wanted) const noexcept;
};

/// Takes a message apart, as a framer hands it out or as a datagram brings it. Lines that are not
/// valid are kept for `parse_request` to refuse. Leading empty lines are skipped, octets after
/// the first empty line are not looked at.
/// Errors: `errc::incomplete_message` when there is no start line.
/// Linear. The result borrows `message`.
FLOWTAP_DTCP_API result<envelope> parse_envelope(std::string_view message);

/// The same, in the memory of an envelope that is not needed any more: for one message after the
/// other. On failure `parts` holds nothing of use.
FLOWTAP_DTCP_API result<void> parse_envelope(std::string_view message, envelope& parts);

} // namespace flowtap::dtcp
