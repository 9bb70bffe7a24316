// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/reader.hpp>

namespace flowtap::transport {

/// What one datagram of an access point holds: a response, of a LIST with some of its entries, or a
/// notification.
struct datagram_message {
    std::vector<dtcp::list_entry> entries;
    std::optional<dtcp::response> answer;
    std::optional<dtcp::notification> told;
};

/// Reads a datagram. None if it is not exactly one message, or does not verify.
std::optional<datagram_message> read_datagram(byte_view octets, dtcp::keyed_hash& hash);

/// Whether the answer to a request may come in several datagrams.
enum class answer_form : std::uint8_t { single, list };

/// The answer to a request as it comes in, a LIST's in several datagrams. Those may come in any
/// order, and more than once.
class partial_answer {
public:
    explicit partial_answer(answer_form form) noexcept : form_(form) {}

    /// Takes a part. False if nothing in it is new or fits the others.
    bool add(datagram_message part);

    /// Whether everything is there: of a LIST, Criteria-Num 1 to Criteria-Count (under DTCP/0.5, as
    /// many entries as Num-Criteria says).
    bool is_complete() const noexcept;

    void hand_over(dtcp::response_handler& to);

private:
    bool add_entry(dtcp::list_entry entry);

    answer_form form_;
    std::optional<dtcp::response> answer_;
    /// By Criteria-Num, or, where there is none, by Criteria-ID.
    std::map<std::uint32_t, dtcp::list_entry> entries_;
    /// How many there will be, once it is known.
    std::optional<std::uint32_t> count_;
};

} // namespace flowtap::transport
