// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include <flowtap/core/bytes.hpp>

namespace flowtap::capture::detail {

/// Room for the octets of one batch. The pages are touched as they are used.
class packet_arena {
public:
    explicit packet_arena(std::size_t size)
        : octets_(std::make_unique_for_overwrite<std::byte[]>(size)), size_(size) {}

    std::size_t room() const noexcept { return size_ - used_; }
    void clear() noexcept { used_ = 0; }

    /// Keeps a copy of `octets`, which fit, until `clear`.
    byte_view keep(byte_view octets) noexcept {
        std::byte* place = octets_.get() + used_;
        std::memcpy(place, octets.data(), octets.size());
        used_ += octets.size();
        return {place, octets.size()};
    }

private:
    std::unique_ptr<std::byte[]> octets_;
    std::size_t size_;
    std::size_t used_ = 0;
};

} // namespace flowtap::capture::detail
