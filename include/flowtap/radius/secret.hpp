// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <flowtap/radius/api.hpp>

namespace flowtap::radius {

/// A password or shared secret. It stands at one place in memory, which is wiped when it goes;
/// moving it makes no copy. Never a part of an error or a log line.
class FLOWTAP_RADIUS_API secret {
public:
    secret() = default;
    explicit secret(std::string_view text);
    secret(const secret& other);
    secret(secret&& other) noexcept;
    secret& operator=(secret other) noexcept;
    ~secret();

    /// Valid as long as the secret.
    std::string_view view() const noexcept { return {octets_.get(), size_}; }
    bool empty() const noexcept { return size_ == 0; }

private:
    std::unique_ptr<char[]> octets_;
    std::size_t size_ = 0;
};

/// Overwrites octets so that the compiler does not leave it out.
FLOWTAP_RADIUS_API void wipe(std::span<std::byte> octets) noexcept;

} // namespace flowtap::radius
