// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/error.hpp>

namespace flowtap::dtcp {

/// How much of a message a framer takes. The defaults are those of a server.
struct framer_limits {
    /// Octets from the start line to the empty line, both included.
    std::size_t message = 64UL * 1024;
    /// Octets of a line without its line end.
    std::size_t line = 8UL * 1024;
    /// Lines after the start line.
    std::size_t parameters = 256;
};

/// Cuts a stream of octets into messages, fed in pieces of any size.
///
/// A message goes from its start line to the first empty line. A line of blanks only is empty;
/// empty lines before a start line are skipped; a line ends with CRLF or a bare LF. The framer
/// does not look into the lines, so requests, responses and notifications are cut alike; a
/// client that wants the entries of a long LIST answer one by one uses `response_reader` instead.
///
/// \code
/// while (!octets.empty()) {
///     const auto used = framer.put(octets);
///     if (!used)
///         return close_with(used.error());
///     octets = octets.subspan(*used);
///     if (framer.complete())
///         handle(framer.message());
/// }
/// \endcode
///
/// Linear in the octets put; memory is at most the limit on a message.
class FLOWTAP_DTCP_API framer {
public:
    explicit framer(framer_limits limits = {});

    /// Takes octets until a message is complete or none are left, and says how many it took. A
    /// message that was complete before is dropped first. At least one octet is taken unless
    /// `octets` is empty.
    ///
    /// Errors: `errc::message_too_long`, `line_too_long`, `too_many_parameters`, with the line's
    /// number. They are final: there is no telling where the next message begins, so the same
    /// error comes again until `clear`.
    result<std::size_t> put(byte_view octets);

    /// True when `message` is whole.
    bool complete() const noexcept { return complete_; }
    /// The exact octets of the message, its empty line included. Valid until the next `put` or
    /// `clear`.
    std::string_view message() const noexcept { return buffer_; }
    /// True in the middle of a message: a stream that ends now was cut off.
    bool in_message() const noexcept { return !complete_ && !buffer_.empty(); }
    /// Forgets everything, an error included.
    void clear();

private:
    void end_line() noexcept;
    void end_message() noexcept;
    unexpected<error> stop(errc code);

    framer_limits limits_;
    std::string buffer_;
    std::size_t line_start_ = 0;
    std::size_t lines_ = 0;
    std::error_code failure_;
    bool complete_ = false;
};

} // namespace flowtap::dtcp
