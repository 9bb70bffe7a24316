// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include <flowtap/radius/packet.hpp>

#include "place.hpp"

namespace flowtap::radius {

namespace {

constexpr std::size_t vendor_header = 4;

result<void> check_attributes(byte_view packet) {
    byte_cursor rest(packet);
    rest.skip(header_size);
    while (rest.remaining() > 0) {
        const std::size_t offset = rest.offset();
        rest.u8();
        const std::size_t length = rest.u8();
        if (!rest.good() || length < 2 || !rest.skip(length - 2))
            return fail(errc::malformed_attribute, place(offset));
    }
    return {};
}

/// Adds what the vendor's attribute holds of one type.
result<void> collect(const attribute_view& around, std::uint8_t type,
                     std::vector<byte_view>& found) {
    byte_cursor rest(around.value);
    rest.skip(vendor_header);
    do {
        const std::size_t offset = around.offset + 2 + rest.offset();
        const std::uint8_t inner = rest.u8();
        const std::size_t length = rest.u8();
        if (!rest.good() || length < 2)
            return fail(errc::malformed_vendor_attribute, place(offset));
        const byte_view value = rest.take(length - 2);
        if (!rest.good())
            return fail(errc::malformed_vendor_attribute, place(offset));
        if (inner == type)
            found.push_back(value);
    } while (rest.remaining() > 0);
    return {};
}

} // namespace

result<std::uint32_t> attribute_view::number() const {
    if (value.size() != sizeof(std::uint32_t))
        return fail(errc::wrong_size, place(offset));
    return load_big_endian<std::uint32_t>(value);
}

result<packet_view> packet_view::parse(byte_view datagram) {
    if (datagram.size() > longest_packet)
        return fail(errc::oversized, place(longest_packet));
    if (datagram.size() < header_size)
        return fail(errc::truncated, place(datagram.size()));
    const std::size_t length = load_big_endian<std::uint16_t>(datagram.subspan(2));
    if (length < header_size)
        return fail(errc::invalid_length, place(2));
    if (length > longest_packet)
        return fail(errc::oversized, place(2));
    if (length > datagram.size())
        return fail(errc::truncated, place(datagram.size()));
    const byte_view packet = datagram.first(length);
    if (auto checked = check_attributes(packet); !checked)
        return fail(checked.error());
    return packet_view(packet);
}

radius::authenticator packet_view::authenticator() const noexcept {
    radius::authenticator copy;
    std::copy_n(octets_.begin() + 4, copy.size(), copy.begin());
    return copy;
}

std::optional<attribute_view> packet_view::find(attribute_type type) const noexcept {
    const auto found = std::find_if(begin(), end(),
                                    [type](const attribute_view& one) { return one.type == type; });
    return found == end() ? std::nullopt : std::optional(*found);
}

result<std::vector<byte_view>> packet_view::vendor_values(vendor of, std::uint8_t type) const {
    std::vector<byte_view> found;
    for (const attribute_view& one : *this) {
        if (one.type != attribute_type::vendor_specific)
            continue;
        if (one.value.size() < vendor_header)
            return fail(errc::malformed_vendor_attribute, place(one.offset));
        if (load_big_endian<std::uint32_t>(one.value) != static_cast<std::uint32_t>(of))
            continue;
        if (auto collected = collect(one, type, found); !collected)
            return fail(collected.error());
    }
    return found;
}

} // namespace flowtap::radius
