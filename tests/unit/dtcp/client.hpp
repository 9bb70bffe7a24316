// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <flowtap/dtcp/reader.hpp>

namespace flowtap::dtcp::test {

/// What a client has read.
struct reading {
    std::vector<list_entry> entries;
    std::vector<response> responses;
    std::vector<notification> notifications;
    /// Of each response and notification, in order.
    std::vector<authenticity> signatures;
    std::error_code failure;
    std::size_t line = 0;
    bool in_message = false;

    friend bool operator==(const reading&, const reading&) = default;
};

/// Reads a server's octets with the key `Juniper`, cut in two at every place and octet by octet,
/// and checks that the result is always the same.
reading read(std::string_view octets, reader_limits limits = {});

} // namespace flowtap::dtcp::test
