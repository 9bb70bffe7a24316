// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/secret.hpp>

namespace flowtap::radius {

/// What MD5 and HMAC-MD5 yield.
using digest = std::array<std::byte, 16>;

/// HMAC-MD5 (RFC 2104) under a key that the implementation holds. One computation at a time:
/// `reset`, any number of `update`, `finish`. Not thread-safe.
class FLOWTAP_RADIUS_API keyed_hash {
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

/// What RADIUS needs of cryptography. This module has none; with module crypto it is
///
/// \code
/// using hash = crypto::keyed_hash_as<radius::keyed_hash, crypto::hmac_md5>;
/// const radius::cryptography with{
///     crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
///     crypto::fill_random};
/// \endcode
struct cryptography {
    /// MD5 (RFC 1321) of the pieces one after another.
    std::function<digest(std::initializer_list<byte_view>)> md5;
    std::function<std::unique_ptr<keyed_hash>(std::string_view key)> hmac_md5;
    /// Fills with octets that nobody can foresee.
    std::function<void(std::span<std::byte>)> fill_random;
};

/// A secret shared with one peer, ready to compute with. Not thread-safe.
class FLOWTAP_RADIUS_API shared_secret {
public:
    shared_secret(secret text, const cryptography& with);

    std::string_view text() const noexcept { return text_.view(); }
    byte_view octets() const noexcept { return as_byte_view(text_.view()); }
    digest md5(std::initializer_list<byte_view> pieces) const { return md5_(pieces); }
    /// HMAC-MD5 of the pieces under the secret.
    digest hmac_md5(std::initializer_list<byte_view> pieces);

private:
    secret text_;
    std::function<digest(std::initializer_list<byte_view>)> md5_;
    std::unique_ptr<keyed_hash> hash_;
};

} // namespace flowtap::radius
