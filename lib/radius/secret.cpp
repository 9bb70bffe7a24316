// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include <flowtap/radius/secret.hpp>

namespace flowtap::radius {

secret::secret(std::string_view text)
    : octets_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    text.copy(octets_.get(), size_);
}

secret::secret(const secret& other) : secret(other.view()) {}

secret::secret(secret&& other) noexcept
    : octets_(std::move(other.octets_)), size_(std::exchange(other.size_, 0)) {}

secret& secret::operator=(secret other) noexcept {
    std::swap(octets_, other.octets_);
    std::swap(size_, other.size_);
    return *this;
}

secret::~secret() {
    if (octets_)
        explicit_bzero(octets_.get(), size_);
}

void wipe(std::span<std::byte> octets) noexcept {
    explicit_bzero(octets.data(), octets.size());
}

} // namespace flowtap::radius
