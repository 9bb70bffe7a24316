// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/cryptography.hpp>
#include <flowtap/radius/packet.hpp>

namespace flowtap::radius {

/// Whether a packet must have a Message-Authenticator. In answers to an Access-Request nothing else
/// keeps somebody on the way from making an accept of a reject (CVE-2024-3596). One that is there
/// is always checked.
enum class message_authenticator { required, optional };

/// Checks who made a packet, by its code:
///
/// | code | authenticator | `request` |
/// |---|---|---|
/// | Access-Request, Status-Server | random: nothing to check | not used |
/// | Accounting-Request, Disconnect-Request, CoA-Request | MD5 with zeros in its place | not used |
/// | any other | MD5 with that of the request in its place | the request's |
///
/// Sources: RFC 2865 section 3, RFC 2866 section 3, RFC 3579 section 3.2, RFC 5176 sections 2.3 and
/// 3.2. Errors: `errc::wrong_authenticator`, `missing_message_authenticator`,
/// `wrong_message_authenticator`, `wrong_size`, `repeated_attribute`.
FLOWTAP_RADIUS_API result<void> verify(const packet_view& packet, shared_secret& key,
                                       message_authenticator presence,
                                       const authenticator& request = {});

/// Fills in the authenticator and, if there is room for one, the Message-Authenticator of a packet
/// that is otherwise complete; by its code, as above. The authenticator of an Access-Request or
/// Status-Server, which must be random, stands there already.
FLOWTAP_RADIUS_API void sign(std::span<std::byte> packet, shared_secret& key,
                             const authenticator& request = {});

} // namespace flowtap::radius
