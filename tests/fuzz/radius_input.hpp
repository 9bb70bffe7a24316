// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <flowtap/radius/cryptography.hpp>

namespace flowtap::radius {

/// FNV-1a over as many octets as come, stretched. The fuzzer could do no more with MD5.
class weak_hash final : public keyed_hash {
public:
    explicit weak_hash(std::string_view key) : key_(key.size()) {}

    void reset() override { state_ = start + key_; }
    void update(byte_view octets) override {
        for (const std::byte octet : octets)
            state_ = (state_ ^ static_cast<std::uint64_t>(octet)) * 1099511628211U;
    }
    digest finish() override {
        digest value{};
        for (std::size_t i = 0; i < value.size(); ++i)
            value[i] = static_cast<std::byte>(state_ >> (i % 8 * 8));
        return value;
    }

private:
    static constexpr std::uint64_t start = 14695981039346656037U;

    std::uint64_t key_;
    std::uint64_t state_ = start;
};

inline cryptography weak_cryptography() {
    return {[](std::initializer_list<byte_view> pieces) {
                weak_hash hash("");
                for (const byte_view piece : pieces)
                    hash.update(piece);
                return hash.finish();
            },
            [](std::string_view key) { return std::make_unique<weak_hash>(key); },
            [](std::span<std::byte> room) {
                for (std::byte& octet : room)
                    octet = std::byte{0x42};
            }};
}

} // namespace flowtap::radius
