// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <flowtap/radius/builder.hpp>

#include "place.hpp"

namespace flowtap::radius {

namespace {

constexpr std::size_t attribute_header = 2;
constexpr std::size_t vendor_header = 4;

result<void> check_room(std::size_t used, std::size_t value, std::size_t longest,
                        std::size_t headers) {
    if (value == 0)
        return fail(errc::empty_value, place(used));
    if (value > longest)
        return fail(errc::value_too_long, place(used));
    if (used + headers + value > longest_packet)
        return fail(errc::packet_full, place(used));
    return {};
}

} // namespace

packet_builder::packet_builder(packet_code code, std::uint8_t id, message_authenticator presence) {
    octets_.resize(header_size);
    octets_[0] = static_cast<std::byte>(code);
    octets_[1] = static_cast<std::byte>(id);
    if (presence == message_authenticator::required) {
        append(attribute_type::message_authenticator, sizeof(digest));
        append(digest{});
    }
}

void packet_builder::set_authenticator(const authenticator& random) noexcept {
    std::ranges::copy(random, octets_.begin() + 4);
}

result<void> packet_builder::add(attribute_type type, byte_view value) {
    if (auto fits = check_room(octets_.size(), value.size(), longest_value, attribute_header);
        !fits)
        return fits;
    append(type, value.size());
    append(value);
    return {};
}

result<void> packet_builder::add_number(attribute_type type, std::uint32_t value) {
    std::array<std::byte, sizeof value> octets;
    store_big_endian(std::span(octets), value);
    return add(type, byte_view(octets));
}

result<void> packet_builder::add_address(attribute_type type, const ip_address& value) {
    const auto octets = value.bytes();
    return add(type, byte_view(octets).first(value.size()));
}

result<void> packet_builder::add_vendor(vendor of, std::uint8_t type, byte_view value) {
    constexpr std::size_t headers = attribute_header + vendor_header + attribute_header;
    if (auto fits = check_room(octets_.size(), value.size(), longest_vendor_value, headers); !fits)
        return fits;
    std::array<std::byte, vendor_header> number;
    store_big_endian(std::span(number), static_cast<std::uint32_t>(of));
    append(attribute_type::vendor_specific, vendor_header + attribute_header + value.size());
    append(number);
    append(static_cast<attribute_type>(type), value.size());
    append(value);
    return {};
}

std::vector<std::byte> packet_builder::finish(shared_secret& key, const authenticator& request) && {
    store_big_endian(std::span(octets_).subspan(2), static_cast<std::uint16_t>(octets_.size()));
    sign(octets_, key, request);
    return std::move(octets_);
}

void packet_builder::append(attribute_type type, std::size_t length) {
    octets_.push_back(static_cast<std::byte>(type));
    octets_.push_back(static_cast<std::byte>(attribute_header + length));
}

void packet_builder::append(byte_view octets) {
    octets_.insert(octets_.end(), octets.begin(), octets.end());
}

} // namespace flowtap::radius
