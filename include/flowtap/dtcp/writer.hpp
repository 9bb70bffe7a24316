// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/response.hpp>

namespace flowtap::dtcp {

// All of these append to `out`, sign what they append, end every line with CRLF and never fail.

/// A request from its typed fields, `given` aside, names in their usual case.
FLOWTAP_DTCP_API void write_request(std::string& out, const request& message, keyed_hash& hash);

/// A line of a request as a person wrote it.
struct text_field {
    std::string_view name;
    /// Escaped where it needs be; not looked at.
    std::string_view value;
};

/// A request from lines as they are given, `Authentication-Info` added. For clients whose user
/// writes the parameters, Csource-ID and Seq among them.
FLOWTAP_DTCP_API void write_request(std::string& out, std::string_view method, version spoken,
                                    std::span<const text_field> fields, keyed_hash& hash);

/// A response without entries, names in upper case: SEQ; error details; CRITERIA-ID or
/// CRITERIA-COUNT; TIMESTAMP; AUTHENTICATION-INFO.
FLOWTAP_DTCP_API void write_response(std::string& out, const response& message, keyed_hash& hash);

/// A notification; names in upper case.
FLOWTAP_DTCP_API void write_notification(std::string& out, const notification& message,
                                         keyed_hash& hash);

/// One entry of a LIST answer, unsigned: for `list_writer::add`.
FLOWTAP_DTCP_API void write_entry(std::string& out, const list_entry& entry, version spoken);

/// Writes a LIST answer piece by piece: `begin`, any number of `add`, `end`. Only what the caller
/// has not taken out of `out` yet stands in memory.
///
/// Over UDP each datagram is a response of its own: `begin`, `add`..., and `end_part` for all but
/// the last one. The signature at the end takes `tail_size` octets.
class FLOWTAP_DTCP_API list_writer {
public:
    /// Octets that `end_part`, and `end` from DTCP/0.6 on, append.
    static constexpr std::size_t tail_size = 65;
    /// Octets that `end` appends under DTCP/0.5 at most: NUM-CRITERIA comes before the signature.
    static constexpr std::size_t tail_size_0_5 = tail_size + 26;

    /// `hash` is busy from `begin` to `end` and must outlive the writer.
    explicit list_writer(keyed_hash& hash) : hash_(&hash) {}

    /// Status line, SEQ, TIMESTAMP.
    void begin(std::string& out, const response& head);
    /// Entries as `write_entry` wrote them.
    void add(std::string& out, std::string_view entries);
    /// The signature and the empty line. Under DTCP/0.5 NUM-CRITERIA before it, from `total`.
    void end(std::string& out, std::uint32_t total);
    /// The end of a datagram that is not the last one.
    void end_part(std::string& out);

private:
    keyed_hash* hash_;
    version spoken_;
};

} // namespace flowtap::dtcp
