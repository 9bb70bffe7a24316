// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include <flowtap/core/constant_time.hpp>
#include <flowtap/radius/signature.hpp>

#include "place.hpp"

namespace flowtap::radius {

namespace {

constexpr std::size_t attribute_header = 2;
/// Code, id and length, in front of the authenticator.
constexpr std::size_t authenticator_offset = 4;
constexpr digest zeros{};

bool has_random_authenticator(packet_code code) {
    return code == packet_code::access_request || code == packet_code::status_server;
}

bool is_signed_with_zeros(packet_code code) {
    return code == packet_code::accounting_request || code == packet_code::disconnect_request ||
           code == packet_code::coa_request;
}

/// What stands in the authenticator's place while digests are computed.
authenticator reference_of(const packet_view& packet, const authenticator& request) {
    if (has_random_authenticator(packet.code()))
        return packet.authenticator();
    return is_signed_with_zeros(packet.code()) ? authenticator{} : request;
}

digest message_digest(const packet_view& packet, const attribute_view& signature,
                      shared_secret& key, const authenticator& reference) {
    const byte_view octets = packet.octets();
    const std::size_t begin = signature.offset + attribute_header;
    return key.hmac_md5({octets.first(authenticator_offset), reference,
                         octets.first(begin).subspan(header_size), zeros,
                         octets.subspan(begin + zeros.size())});
}

digest packet_digest(const packet_view& packet, const shared_secret& key,
                     const authenticator& reference) {
    return key.md5({packet.octets().first(authenticator_offset), reference,
                    packet.octets().subspan(header_size), key.octets()});
}

/// The one Message-Authenticator of a packet, if any.
result<std::optional<attribute_view>> find_signature(const packet_view& packet) {
    std::optional<attribute_view> found;
    for (const attribute_view& one : packet) {
        if (one.type != attribute_type::message_authenticator)
            continue;
        if (found)
            return fail(errc::repeated_attribute, place(one.offset));
        if (one.value.size() != sizeof(digest))
            return fail(errc::wrong_size, place(one.offset));
        found = one;
    }
    return found;
}

} // namespace

result<void> verify(const packet_view& packet, shared_secret& key, message_authenticator presence,
                    const authenticator& request) {
    const authenticator reference = reference_of(packet, request);
    // The digest that a stranger cannot make comes first: it is all that is spent on a flood.
    if (!has_random_authenticator(packet.code()) &&
        !equal_in_constant_time(packet_digest(packet, key, reference), packet.authenticator()))
        return fail(errc::wrong_authenticator);
    const auto signature = find_signature(packet);
    if (!signature)
        return fail(signature.error());
    if (!*signature) {
        if (presence == message_authenticator::required)
            return fail(errc::missing_message_authenticator);
        return {};
    }
    const digest expected = message_digest(packet, **signature, key, reference);
    if (!equal_in_constant_time(expected, (*signature)->value))
        return fail(errc::wrong_message_authenticator);
    return {};
}

void sign(std::span<std::byte> packet, shared_secret& key, const authenticator& request) {
    const auto parsed = packet_view::parse(packet);
    if (!parsed)
        return; // a packet that nobody could read needs no signature
    const authenticator reference = reference_of(*parsed, request);
    if (const auto signature = parsed->find(attribute_type::message_authenticator);
        signature && signature->value.size() == sizeof(digest))
        std::ranges::copy(message_digest(*parsed, *signature, key, reference),
                          packet.begin() +
                              static_cast<std::ptrdiff_t>(signature->offset + attribute_header));
    if (has_random_authenticator(parsed->code()))
        return;
    std::ranges::copy(packet_digest(*parsed, key, reference),
                      packet.begin() + authenticator_offset);
}

} // namespace flowtap::radius
