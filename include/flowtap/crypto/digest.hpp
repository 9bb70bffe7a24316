// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/crypto/api.hpp>

namespace flowtap::crypto {

/// MD5 (RFC 1321) of the pieces one after another. For RADIUS' authenticators and hidden attributes
/// only: it protects nothing by itself.
FLOWTAP_CRYPTO_API std::array<std::byte, 16> md5(std::initializer_list<byte_view> pieces);

/// SHA-256 (FIPS 180-4) of the pieces one after another.
FLOWTAP_CRYPTO_API std::array<std::byte, 32> sha256(std::initializer_list<byte_view> pieces);

/// Whether two secrets are the same, in a time that depends on their lengths alone. Different
/// lengths are never the same.
FLOWTAP_CRYPTO_API bool equal_in_constant_time(byte_view a, byte_view b) noexcept;

/// Fills `room` from the system's secure generator. Throws `std::runtime_error` when there is no
/// randomness to be had, which does not happen on a system that has started.
FLOWTAP_CRYPTO_API void fill_random(std::span<std::byte> room);

/// Overwrites a secret so that the compiler does not leave it out.
FLOWTAP_CRYPTO_API void wipe(std::span<std::byte> secret) noexcept;

} // namespace flowtap::crypto
