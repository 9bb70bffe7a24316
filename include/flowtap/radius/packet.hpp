// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/radius/api.hpp>
#include <flowtap/radius/attribute.hpp>
#include <flowtap/radius/error.hpp>

namespace flowtap::radius {

/// The 16 octets behind a packet's length.
using authenticator = std::array<std::byte, 16>;

/// Octets of a packet (RFC 2865 section 3).
constexpr std::size_t header_size = 20;
constexpr std::size_t longest_packet = 4096;
/// Octets of a value, and of a value inside of a Vendor-Specific attribute.
constexpr std::size_t longest_value = 253;
constexpr std::size_t longest_vendor_value = 247;

/// An attribute of a packet, borrowed.
struct attribute_view {
    attribute_type type{};
    byte_view value;
    /// Octets in front of it in the packet.
    std::size_t offset = 0;

    /// Errors: `errc::wrong_size`.
    FLOWTAP_RADIUS_API result<std::uint32_t> number() const;
};

/// Goes over attributes that have been checked.
class attribute_iterator {
public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = attribute_view;
    using difference_type = std::ptrdiff_t;
    using pointer = const attribute_view*;
    using reference = attribute_view;

    attribute_iterator() = default;
    attribute_iterator(byte_view packet, std::size_t offset) noexcept
        : packet_(packet), offset_(offset) {}

    attribute_view operator*() const noexcept {
        return {static_cast<attribute_type>(packet_[offset_]),
                packet_.subspan(offset_ + 2, length() - 2), offset_};
    }
    attribute_iterator& operator++() noexcept {
        offset_ += length();
        return *this;
    }
    attribute_iterator operator++(int) noexcept {
        const attribute_iterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const attribute_iterator& a, const attribute_iterator& b) noexcept {
        return a.offset_ == b.offset_;
    }

private:
    std::size_t length() const noexcept {
        return std::to_integer<std::size_t>(packet_[offset_ + 1]);
    }

    byte_view packet_;
    std::size_t offset_ = 0;
};

/// A packet that somebody else owns, with every length in it checked (RFC 2865 sections 3 and 5).
/// What it says is not known to be true before `verify`.
///
/// \code
/// const auto packet = radius::packet_view::parse(datagram);
/// if (!packet)
///     return fail(packet.error());
/// for (const radius::attribute_view& one : *packet)
///     count(one.type);
/// \endcode
class packet_view {
public:
    /// Octets of the datagram behind the packet's end are padding and ignored.
    /// Errors: `errc::truncated`, `oversized`, `invalid_length`, `malformed_attribute`, with the
    /// place.
    FLOWTAP_RADIUS_API static result<packet_view> parse(byte_view datagram);

    packet_code code() const noexcept { return static_cast<packet_code>(octets_[0]); }
    std::uint8_t id() const noexcept { return std::to_integer<std::uint8_t>(octets_[1]); }
    FLOWTAP_RADIUS_API radius::authenticator authenticator() const noexcept;

    attribute_iterator begin() const noexcept { return {octets_, header_size}; }
    attribute_iterator end() const noexcept { return {octets_, octets_.size()}; }

    /// The first attribute of a type.
    FLOWTAP_RADIUS_API std::optional<attribute_view> find(attribute_type type) const noexcept;

    /// The values of a vendor's attribute, in order. An attribute of that vendor whose inside is
    /// not the usual sequence of type, length and value (RFC 2865 section 5.26) is an error, one of
    /// another vendor is nobody's business.
    /// Errors: `errc::malformed_vendor_attribute`, with the place.
    FLOWTAP_RADIUS_API result<std::vector<byte_view>> vendor_values(vendor of,
                                                                    std::uint8_t type) const;
    template <class Type>
    result<std::vector<byte_view>> vendor_values(vendor of, Type type) const {
        return vendor_values(of, static_cast<std::uint8_t>(type));
    }

    /// The packet without padding.
    byte_view octets() const noexcept { return octets_; }

private:
    explicit packet_view(byte_view octets) noexcept : octets_(octets) {}

    byte_view octets_;
};

} // namespace flowtap::radius
