// SPDX-License-Identifier: Apache-2.0
// Reads the input as a packet. Whatever is read must come out of the builder unchanged when it is
// put together again, verify when it is signed, and what is hidden with the octets must come back.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>
#include <flowtap/radius/packet.hpp>
#include <flowtap/radius/signature.hpp>

#include "radius_input.hpp"

namespace {

using namespace flowtap;

void require(bool condition) {
    if (!condition)
        std::abort();
}

void look_into(const radius::packet_view& packet, radius::shared_secret& key) {
    for (const radius::vendor of : {radius::vendor::juniper, radius::vendor::juniper_erx})
        for (int type = 0; type < 256; ++type)
            if (const auto values = packet.vendor_values(of, static_cast<std::uint8_t>(type)))
                for (const byte_view value : *values)
                    require(value.size() <= radius::longest_vendor_value);
    for (const auto presence :
         {radius::message_authenticator::required, radius::message_authenticator::optional})
        static_cast<void>(radius::verify(packet, key, presence));
    for (const radius::attribute_view& one : packet) {
        if (const auto value = radius::reveal_with_salt(one.value, key, packet.authenticator()))
            require(value->size() <= one.value.size());
        if (const auto value = radius::reveal_password(one.value, key, packet.authenticator()))
            require(value->view().size() <= radius::longest_password);
        const auto hidden = radius::hide_with_salt(
            one.value, static_cast<std::uint16_t>(one.value.size()), key, packet.authenticator());
        if (hidden)
            require(std::ranges::equal(
                *radius::reveal_with_salt(*hidden, key, packet.authenticator()), one.value));
    }
}

/// False for what the builder refuses or places elsewhere.
bool put_together(radius::packet_builder& builder, const radius::packet_view& packet) {
    for (const radius::attribute_view& one : packet)
        if (one.type == radius::attribute_type::message_authenticator ||
            !builder.add(one.type, one.value))
            return false;
    return true;
}

void build_again(const radius::packet_view& packet, radius::shared_secret& key) {
    radius::packet_builder builder(packet.code(), packet.id());
    builder.set_authenticator(packet.authenticator());
    if (!put_together(builder, packet))
        return;
    const std::vector<std::byte> made = std::move(builder).finish(key);
    const auto again = radius::packet_view::parse(made);
    require(again.has_value());
    require(radius::verify(*again, key, radius::message_authenticator::required).has_value());
    require(std::ranges::equal(byte_view(made).subspan(radius::header_size + 18),
                               packet.octets().subspan(radius::header_size)));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    radius::shared_secret key(radius::secret("key"), radius::weak_cryptography());
    const auto packet = radius::packet_view::parse(std::as_bytes(std::span(data, size)));
    if (!packet)
        return 0;
    look_into(*packet, key);
    build_again(*packet, key);
    return 0;
}
