// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <flowtap/core/bytes.hpp>

namespace flowtap::packet::detail {

/// What is left of a frame below the layer that is being decoded: the octets that were captured,
/// and how many octets there were on the wire, never fewer. The only way in which the decoder moves
/// through a frame; it never hands out an octet that was not captured. Small enough to be passed in
/// registers, for which lengths have 32 bits: no link carries longer frames.
class frame_cursor {
public:
    frame_cursor(byte_view captured, std::size_t wire_length) noexcept
        : data_(captured.data()), size_(clamp(captured.size())),
          wire_(clamp(std::max(wire_length, captured.size()))) {}

    byte_view octets() const noexcept { return {data_, size_}; }
    std::size_t wire_length() const noexcept { return wire_; }

    /// Takes a header of `count` octets, at least one. Empty, with nothing moved, when it was not
    /// captured whole.
    byte_view take(std::uint32_t count) noexcept {
        if (count > size_)
            return {};
        const byte_view taken(data_, count);
        data_ = octets().subspan(count).data();
        size_ -= count;
        wire_ -= count;
        return taken;
    }

    /// Cuts off what lies beyond the length that a link header gives, padding and trailers.
    void limit(std::uint32_t length) noexcept {
        wire_ = std::min(wire_, length);
        size_ = std::min(size_, length);
    }

private:
    static std::uint32_t clamp(std::size_t length) noexcept {
        return static_cast<std::uint32_t>(std::min<std::size_t>(length, 0xFFFF'FFFFU));
    }

    const std::byte* data_;
    std::uint32_t size_;
    std::uint32_t wire_;
};

inline std::uint8_t load_u8(byte_view octets, std::size_t at) noexcept {
    return std::to_integer<std::uint8_t>(octets[at]);
}

inline std::uint16_t load_u16(byte_view octets, std::size_t at) noexcept {
    return load_big_endian<std::uint16_t>(octets.subspan(at, 2));
}

inline std::uint32_t load_u32(byte_view octets, std::size_t at) noexcept {
    return load_big_endian<std::uint32_t>(octets.subspan(at, 4));
}

inline std::uint64_t load_u64(byte_view octets, std::size_t at) noexcept {
    return load_big_endian<std::uint64_t>(octets.subspan(at, 8));
}

} // namespace flowtap::packet::detail
