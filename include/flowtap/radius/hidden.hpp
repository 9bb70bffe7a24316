// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/packet.hpp>

namespace flowtap::radius {

/// Octets of a password.
constexpr std::size_t longest_password = 128;

/// Whether a password can be asked about. An empty one is refused, since directories behind servers
/// take it for a login without a name and let everybody in; so is one with a zero octet, which
/// could not be told from a shorter one. Errors: `errc::invalid_password`.
FLOWTAP_RADIUS_API result<void> check_password(std::string_view password);

/// Hides a password as the value of User-Password (RFC 2865 section 5.2).
/// Errors: those of `check_password`.
FLOWTAP_RADIUS_API result<std::vector<std::byte>>
hide_password(std::string_view password, const shared_secret& key, const authenticator& request);

/// The password in a User-Password, as a server needs it.
/// Errors: `errc::malformed_hidden_value`.
FLOWTAP_RADIUS_API result<secret> reveal_password(byte_view hidden, const shared_secret& key,
                                                  const authenticator& request);

/// Hides a value with a salt (RFC 2868 section 3.5): salt, then the hidden length and value. A
/// tunnel attribute has its tag in front of that; attributes of vendor 4874 have none. `request` is
/// the authenticator of the Access-Request that is answered, or all zero in a CoA-Request. `salt`
/// must not be used twice in a packet; its highest bit is set here.
/// Errors: `errc::value_too_long` beyond 239 octets.
FLOWTAP_RADIUS_API result<std::vector<std::byte>> hide_with_salt(byte_view value,
                                                                 std::uint16_t salt,
                                                                 const shared_secret& key,
                                                                 const authenticator& request);

/// The value that was hidden with a salt.
/// Errors: `errc::malformed_hidden_value`, also when its length does not fit, which a wrong secret
/// makes most likely.
FLOWTAP_RADIUS_API result<std::vector<std::byte>>
reveal_with_salt(byte_view hidden, const shared_secret& key, const authenticator& request);

} // namespace flowtap::radius
