// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/api.hpp>
#include <flowtap/permission/error.hpp>

namespace flowtap::permission {

/// A public key of SSH, as data.
struct public_key {
    /// `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, `ecdsa-sha2-nistp384`,
    /// `ecdsa-sha2-nistp521`.
    std::string algorithm;
    /// The key as it goes over the wire (RFC 4253, section 6.6), which names the algorithm again.
    std::vector<std::byte> blob;
    std::string comment;

    /// The same key: algorithm and blob; the comment does not count.
    friend bool operator==(const public_key& a, const public_key& b) {
        return a.algorithm == b.algorithm && a.blob == b.blob;
    }
};

/// Reads a line of OpenSSH's authorized_keys or of a .pub file: `algorithm base64 [comment]`.
/// Options before the key are refused, as they would silently not apply.
/// Errors: `invalid_public_key`, `unsupported_key_algorithm`, `key_options_refused`,
/// `key_algorithm_mismatch`; the error's subject is never the key.
FLOWTAP_PERMISSION_API result<public_key> parse_public_key(std::string_view line);

/// The key that a client offers, from the two texts an SSH library gives of it.
/// Errors: as `parse_public_key`.
FLOWTAP_PERMISSION_API result<public_key> make_public_key(std::string_view algorithm,
                                                          std::string_view base64);

/// `ssh-ed25519 AAAA... comment`
FLOWTAP_PERMISSION_API std::string to_string(const public_key& key);

} // namespace flowtap::permission
