// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/response.hpp>

namespace flowtap::dtcp {

/// Whether a server's message was signed with the key the client knows.
enum class authenticity : std::uint8_t {
    unchecked, ///< the reader was given no key
    verified,
    failed, ///< Authentication-Info is missing, malformed or does not verify
};

/// What a client does with a server's messages.
class FLOWTAP_DTCP_API response_handler {
public:
    virtual ~response_handler();

    /// One criterion of a LIST answer whose end has not been read yet.
    virtual void on_entry(list_entry entry) = 0;
    /// A whole response; of a LIST answer, what is left after its entries.
    virtual void on_response(response answer, authenticity signature) = 0;
    virtual void on_notification(notification told, authenticity signature) = 0;
};

/// How much a reader takes: of a line and of one entry, never of the number of entries.
struct reader_limits {
    std::size_t line = 64UL * 1024;
    std::size_t entry_parameters = 256;
};

/// Reads a server's messages from a stream of octets fed in pieces of any size, and hands over
/// the entries of a LIST answer one at a time: memory does not grow with their number.
///
/// Parameters come in any order, but each entry begins with the parameter that the first entry
/// begins with (Criteria-ID, from this project and from Junos); within an entry, the first of a
/// repeated parameter counts. Unknown parameters are passed over, and a value that cannot be read
/// is as missing, those of Seq and Criteria-ID aside.
class FLOWTAP_DTCP_API response_reader {
public:
    /// `handler`, and `hash` if there is one, must outlive the reader.
    explicit response_reader(response_handler& handler, keyed_hash* hash = nullptr,
                             reader_limits limits = {});
    ~response_reader();
    response_reader(const response_reader&) = delete;
    response_reader& operator=(const response_reader&) = delete;

    /// Errors: `errc::malformed_status_line`, `malformed_line`, `invalid_value`, `line_too_long`,
    /// `too_many_parameters`, with the line's number in its message. An error is final: the reader
    /// does nothing more and returns it again.
    result<void> put(byte_view octets);

    /// True in the middle of a message: a stream that ends now was cut off.
    bool in_message() const noexcept;

private:
    class state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::dtcp
