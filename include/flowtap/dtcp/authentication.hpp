// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/api.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>

namespace flowtap::dtcp {

/// What HMAC-SHA1 yields.
using digest = std::array<std::byte, 20>;

/// HMAC-SHA1 (RFC 2104) under a key that the implementation holds. Module dtcp contains no
/// cryptography: module crypto implements this on OpenSSL.
///
/// One computation at a time: `reset`, any number of `update`, `finish`. Not thread-safe; a
/// message that is written piece by piece keeps its hash busy until its end.
class FLOWTAP_DTCP_API keyed_hash {
public:
    keyed_hash() = default;
    keyed_hash(const keyed_hash&) = delete;
    keyed_hash& operator=(const keyed_hash&) = delete;
    virtual ~keyed_hash();

    /// Starts anew under the same key.
    virtual void reset() = 0;
    virtual void update(byte_view octets) = 0;
    /// The digest of everything since `reset`. `reset` must come before the next `update`.
    virtual digest finish() = 0;
};

/// 40 lower-case hexadecimal digits.
FLOWTAP_DTCP_API std::string to_hex(const digest& value);

/// Reads 40 hexadecimal digits of either case; none for anything else.
FLOWTAP_DTCP_API std::optional<digest> parse_digest(std::string_view text) noexcept;

/// Checks a message's Authentication-Info. The comparison takes the same time wherever the two
/// differ. Errors: `errc::missing_authentication`, `malformed_authentication`,
/// `authentication_failed`.
FLOWTAP_DTCP_API result<void> verify(const envelope& message, keyed_hash& hash);

/// The Authentication-Info of a text: what its sender puts into the last line.
FLOWTAP_DTCP_API std::string sign(std::string_view signed_text, keyed_hash& hash);

/// Compares in a time that depends on nothing in the digests.
FLOWTAP_DTCP_API bool equal_in_constant_time(const digest& a, const digest& b) noexcept;

} // namespace flowtap::dtcp
