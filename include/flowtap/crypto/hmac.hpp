// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include <flowtap/core/bytes.hpp>
#include <flowtap/crypto/api.hpp>

namespace flowtap::crypto {

namespace detail {

/// A context of libcrypto that holds a key and is rewound for each message, which costs a quarter
/// of making a new one.
class FLOWTAP_CRYPTO_API keyed_context {
public:
    enum class hash { md5, sha1, sha256 };

    keyed_context(hash function, std::string_view key);
    ~keyed_context();
    keyed_context(const keyed_context&) = delete;
    keyed_context& operator=(const keyed_context&) = delete;

    void rewind();
    /// Starts anew under another key, which costs less than another context.
    void rewind(std::string_view key);
    void update(byte_view octets);
    void finish(std::span<std::byte> out);

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

} // namespace detail

/// HMAC (RFC 2104) under a key of any length, the empty one included. One computation at a time:
/// `reset`, any number of `update`, `finish`; ready for `update` when made. The key is wiped from
/// memory with the object.
///
/// Not thread-safe; different objects are independent. Throws `std::bad_alloc` when libcrypto gives
/// no context.
template <detail::keyed_context::hash Function, std::size_t Size>
class hmac {
public:
    using digest = std::array<std::byte, Size>;

    explicit hmac(std::string_view key) : context_(Function, key) {}

    /// Starts anew under the same key.
    void reset() { context_.rewind(); }
    /// Starts anew under another key, for many short messages that have a key each.
    void reset(std::string_view key) { context_.rewind(key); }
    void update(byte_view octets) { context_.update(octets); }
    /// The digest of everything since `reset`, which must come before the next `update`.
    digest finish() {
        digest value;
        context_.finish(value);
        return value;
    }

private:
    detail::keyed_context context_;
};

/// As DTCP signs messages.
using hmac_sha1 = hmac<detail::keyed_context::hash::sha1, 20>;
/// As RADIUS' Message-Authenticator uses it.
using hmac_md5 = hmac<detail::keyed_context::hash::md5, 16>;
/// FIPS 180-4.
using hmac_sha256 = hmac<detail::keyed_context::hash::sha256, 32>;

/// Implements another module's abstract class with `reset`, `update` and `finish` on an HMAC of
/// this one, so that neither module has to know the other:
///
/// \code
/// std::unique_ptr<dtcp::keyed_hash> hash =
///     std::make_unique<crypto::keyed_hash_as<dtcp::keyed_hash>>("Juniper");
/// \endcode
template <class Interface, class Hmac = hmac_sha1>
class keyed_hash_as final : public Interface {
public:
    explicit keyed_hash_as(std::string_view key) : hmac_(key) {}

    void reset() override { hmac_.reset(); }
    void update(byte_view octets) override { hmac_.update(octets); }
    typename Hmac::digest finish() override { return hmac_.finish(); }

private:
    Hmac hmac_;
};

} // namespace flowtap::crypto
