// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <doctest/doctest.h>

#include <flowtap/radius/builder.hpp>
#include <flowtap/radius/hidden.hpp>
#include <flowtap/radius/server_state.hpp>

#include "rig.hpp"

namespace flowtap::radius {

/// Attributes of a request, as tests put them together.
using fill = std::function<void(packet_builder&)>;

inline octets number(std::uint32_t value) {
    octets made(4);
    store_big_endian(std::span(made), value);
    return made;
}

/// A value of vendor 4874 that is hidden for a CoA-Request.
inline void add_hidden(packet_builder& to, erx_attribute type, const octets& value,
                       std::string_view key = "s3cret", const authenticator& request = {}) {
    const auto salt = static_cast<std::uint16_t>(0x8000U + static_cast<unsigned>(type));
    CHECK(to.add_vendor(vendor::juniper_erx, type,
                        byte_view(*hide_with_salt(value, salt, key_of(key), request))));
}

inline const octets handle_of_four = from_hex("4000002a");
inline const octets destination = from_hex("c0000205");

/// An order to mirror, to 192.0.2.5 port 6502.
inline void add_order(packet_builder& to, std::uint32_t action = 1) {
    add_hidden(to, erx_attribute::li_action, number(action));
    add_hidden(to, erx_attribute::med_dev_handle, handle_of_four);
    add_hidden(to, erx_attribute::med_ip_address, destination);
    add_hidden(to, erx_attribute::med_port_number, number(6502));
}

inline octets request(packet_code code, const fill& with, std::uint8_t id = 7,
                      message_authenticator presence = message_authenticator::required,
                      std::string_view key = "s3cret") {
    packet_builder made(code, id, presence);
    with(made);
    shared_secret shared = key_of(key);
    return std::move(made).finish(shared);
}

} // namespace flowtap::radius
