// SPDX-License-Identifier: Apache-2.0
#include "server_record.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace flowtap::radius {

namespace {

/// By `ignored_answer`.
constexpr std::array<std::string_view, ignored_answer_kinds> kinds = {
    "from another address",
    "malformed",
    "with an id that nobody waits for",
    "with the code of no answer",
    "with a wrong authenticator (not the same shared secret?)",
    "without Message-Authenticator (CVE-2024-3596; can the server be told to send it?)",
    "with a wrong Message-Authenticator",
};

/// To a tenth of a second: `9 s`, `0.3 s`.
std::string seconds_of(std::chrono::nanoseconds time) {
    using tenths = std::chrono::duration<std::int64_t, std::deci>;
    const auto count = std::chrono::round<tenths>(time).count();
    std::string text = std::to_string(count / 10);
    if (count % 10 != 0)
        text += '.' + std::to_string(count % 10);
    return text + " s";
}

std::string describe_ignored(const server_status& before, const server_status& now) {
    std::string text;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        const std::uint64_t count = now.ignored[kind] - before.ignored[kind];
        if (count == 0)
            continue;
        text += text.empty() ? "ignored: " : ", ";
        text += std::to_string(count) + ' ' + std::string(kinds[kind]);
    }
    return text;
}

} // namespace

server_record::server_record(server with, const cryptography& functions)
    : address(with.address), name(to_string(with.address)), key(std::move(with.shared), functions),
      timeout(with.timeout), tries(with.tries), source_address(with.source_address) {}

std::string describe_silence(const server_record& server, const server_status& before,
                             unsigned requests, std::chrono::nanoseconds waited) {
    std::string details = describe_ignored(before, server.status);
    if (server.status.network_errors > before.network_errors) {
        details += details.empty() ? "" : "; ";
        details += "the network says: " + server.last_error.message();
    }
    if (!details.empty())
        details = " (" + details + ')';
    if (requests == 0)
        return server.name + " was not asked" + details;
    return server.name + " gave no answer to " + std::to_string(requests) +
           (requests == 1 ? " request in " : " requests in ") + seconds_of(waited) + details;
}

} // namespace flowtap::radius
