// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include <flowtap/core/bytes.hpp>

namespace flowtap::deliver::detail {

/// Reads a value in the machine's own order, as netlink has it. `octets` must be long enough.
template <class Value>
requires std::is_trivially_copyable_v<Value> Value load_native(byte_view octets)
noexcept {
    Value value;
    std::memcpy(&value, octets.data(), sizeof value);
    return value;
}

/// One netlink message (RFC 3549, section 2.3.2). Borrows its octets.
struct netlink_message {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    byte_view body; ///< what follows the message's header
};

/// Walks over the messages in what one read of a netlink socket gave. Ends, as bad, at a length
/// that does not fit; never reads past the end.
class netlink_walk {
public:
    explicit netlink_walk(byte_view octets) noexcept : rest_(octets) {}
    /// False, with `out` untouched, after the last message.
    bool next(netlink_message& out) noexcept;
    /// False when octets are left that are no message.
    bool good() const noexcept { return good_; }

private:
    byte_view rest_;
    bool good_ = true;
};

/// Walks over attributes, in the same way.
class attribute_walk {
public:
    struct attribute {
        std::uint16_t type = 0; ///< without the flags for nesting and byte order
        byte_view value;

        /// The value as a number in the machine's order; 0 if it is shorter.
        std::uint32_t number() const noexcept {
            return value.size() < sizeof(std::uint32_t) ? 0 : load_native<std::uint32_t>(value);
        }
    };

    explicit attribute_walk(byte_view octets) noexcept : rest_(octets) {}
    bool next(attribute& out) noexcept;

private:
    byte_view rest_;
};

/// Puts one request together.
class netlink_request {
public:
    /// `body` is the fixed part of the message after its header.
    template <class Body>
    requires std::is_trivially_copyable_v<Body>
    netlink_request(std::uint16_t type, std::uint32_t sequence, const Body& body)
    noexcept { begin(type, sequence, std::as_bytes(std::span(&body, 1))); }

    void add(std::uint16_t type, byte_view value) noexcept;
    void add(std::uint16_t type, std::uint32_t value) noexcept {
        add(type, std::as_bytes(std::span(&value, 1)));
    }
    byte_view octets() const noexcept { return std::span(octets_).first(size_); }

private:
    void begin(std::uint16_t type, std::uint32_t sequence, byte_view body) noexcept;
    void put(byte_view octets) noexcept;

    alignas(4) std::array<std::byte, 128> octets_{};
    std::size_t size_ = 0;
};

} // namespace flowtap::deliver::detail
