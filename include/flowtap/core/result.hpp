// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include <flowtap/core/error.hpp>

namespace flowtap {

/// Wraps an error on its way into a `result`, as `std::unexpected` does.
template <class Error = error>
class unexpected {
public:
    constexpr explicit unexpected(Error value) : error_(std::move(value)) {}

    constexpr const Error& error() const& noexcept { return error_; }
    constexpr Error&& error() && noexcept { return std::move(error_); }

private:
    Error error_;
};

/// Makes the failure that goes with `code`: `return fail(errc::truncated);`
template <class Code, class... Rest>
requires std::is_error_code_enum_v<Code> unexpected<error> fail(Code code, Rest&&... rest) {
    return unexpected<error>(error(make_error_code(code), std::forward<Rest>(rest)...));
}

/// Passes the error of another result on: `return fail(other.error());`
inline unexpected<error> fail(error reason) {
    return unexpected<error>(std::move(reason));
}

/// A value or the reason why there is none. Spelled like `std::expected` (C++23), of which it
/// implements the part that this project uses, so that it can become an alias of it.
///
/// Reading the value of a failure, or the error of a success, is a bug and asserts.
/// A `result` is as thread-safe as the value in it.
template <class T, class Error = error>
class [[nodiscard]] result {
public:
    using value_type = T;
    using error_type = Error;

    constexpr result() requires std::default_initializable<T> : state_(std::in_place_index<0>) {}

    template <class U = T>
    requires(!std::same_as<std::remove_cvref_t<U>, result> &&
             std::constructible_from<T, U>) constexpr result(U&& value)
        : state_(std::in_place_index<0>, std::forward<U>(value)) {}

    constexpr result(unexpected<Error> failure)
        : state_(std::in_place_index<1>, std::move(failure).error()) {}

    constexpr bool has_value() const noexcept { return state_.index() == 0; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    constexpr T& value() & noexcept { return checked(state_); }
    constexpr const T& value() const& noexcept { return checked(state_); }
    constexpr T&& value() && noexcept { return std::move(checked(state_)); }

    constexpr T& operator*() & noexcept { return checked(state_); }
    constexpr const T& operator*() const& noexcept { return checked(state_); }
    constexpr T&& operator*() && noexcept { return std::move(checked(state_)); }
    constexpr T* operator->() noexcept { return &checked(state_); }
    constexpr const T* operator->() const noexcept { return &checked(state_); }

    constexpr const Error& error() const& noexcept {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }
    constexpr Error&& error() && noexcept {
        assert(!has_value());
        return std::move(*std::get_if<1>(&state_));
    }

    template <class U>
    constexpr T value_or(U&& fallback) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
    }

private:
    template <class State>
    static constexpr auto& checked(State& state) noexcept {
        assert(state.index() == 0);
        return *std::get_if<0>(&state);
    }

    std::variant<T, Error> state_;
};

/// Success without a value, or the reason why not.
template <class Error>
class [[nodiscard]] result<void, Error> {
public:
    using value_type = void;
    using error_type = Error;

    constexpr result() = default;
    constexpr result(unexpected<Error> failure)
        : state_(std::in_place_index<1>, std::move(failure).error()) {}

    constexpr bool has_value() const noexcept { return state_.index() == 0; }
    constexpr explicit operator bool() const noexcept { return has_value(); }

    constexpr const Error& error() const& noexcept {
        assert(!has_value());
        return *std::get_if<1>(&state_);
    }

private:
    std::variant<std::monostate, Error> state_;
};

} // namespace flowtap
