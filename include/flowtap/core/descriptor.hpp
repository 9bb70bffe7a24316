// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <flowtap/core/api.hpp>

namespace flowtap {

/// Owns a file descriptor of the operating system, or none.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(other.release()) {}
    descriptor& operator=(descriptor&& other) noexcept {
        reset(other.release());
        return *this;
    }
    ~descriptor() { reset(); }

    explicit operator bool() const noexcept { return number_ >= 0; }
    /// -1 if there is none.
    int number() const noexcept { return number_; }

    /// Gives the descriptor away.
    int release() noexcept { return std::exchange(number_, -1); }
    /// Closes the descriptor, and owns another from here on.
    FLOWTAP_CORE_API void reset(int number = -1) noexcept;

private:
    int number_ = -1;
};

} // namespace flowtap
