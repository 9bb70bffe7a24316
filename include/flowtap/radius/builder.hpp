// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <flowtap/core/address.hpp>
#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/packet.hpp>
#include <flowtap/radius/signature.hpp>

namespace flowtap::radius {

/// Puts a packet together, attribute by attribute, within the room that there is.
///
/// An attribute that does not fit leaves the packet as it was. Errors of all `add` functions:
/// `errc::empty_value`, `value_too_long` (253 octets, 247 within a vendor's), `packet_full`.
///
/// \code
/// radius::packet_builder answer(radius::packet_code::access_accept, request->id());
/// if (auto added = answer.add(radius::attribute_type::reply_message, "welcome"); !added)
///     return fail(added.error());
/// send(std::move(answer).finish(key, request->authenticator()));
/// \endcode
class FLOWTAP_RADIUS_API packet_builder {
public:
    /// With room for a Message-Authenticator in front of all else, where it is of most use against
    /// CVE-2024-3596; `optional` leaves it out, as accounting does.
    packet_builder(packet_code code, std::uint8_t id,
                   message_authenticator presence = message_authenticator::required);

    /// For an Access-Request or Status-Server: 16 octets that nobody can foresee.
    void set_authenticator(const authenticator& random) noexcept;

    result<void> add(attribute_type type, byte_view value);
    result<void> add(attribute_type type, std::string_view text) {
        return add(type, as_byte_view(text));
    }
    result<void> add_number(attribute_type type, std::uint32_t value);
    /// 4 octets or 16: the type is one that goes with the family.
    result<void> add_address(attribute_type type, const ip_address& value);
    result<void> add_vendor(vendor of, std::uint8_t type, byte_view value);
    template <class Type>
    result<void> add_vendor(vendor of, Type type, byte_view value) {
        return add_vendor(of, static_cast<std::uint8_t>(type), value);
    }

    /// Signs the packet (see `sign`) and hands it over.
    std::vector<std::byte> finish(shared_secret& key, const authenticator& request = {}) &&;

private:
    void append(attribute_type type, std::size_t length);
    void append(byte_view octets);

    std::vector<std::byte> octets_;
};

} // namespace flowtap::radius
