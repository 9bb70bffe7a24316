// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <flowtap/core/api.hpp>

namespace flowtap {

/// Where in a text input something was found. Lines and columns count from 1; 0 means unknown.
/// A column counts octets, not characters.
struct text_position {
    std::size_t line = 0;
    std::size_t column = 0;

    friend bool operator==(const text_position&, const text_position&) = default;
};

/// What went wrong: a code, where in the input it was found, and the piece of input it is about.
///
/// Every module has one `enum class errc` with one sentence per code, reached through
/// `code.message()`. Nothing in an error has been escaped: whoever shows `subject` escapes it
/// (see `escape_text`).
struct error {
    std::error_code code;
    text_position where = {};
    /// The offending piece as received: a line, a name, a file; may be empty.
    std::string subject = {};

    error() = default;
    error(std::error_code error_code) : code(error_code) {}
    error(std::error_code error_code, text_position position, std::string about)
        : code(error_code), where(position), subject(std::move(about)) {}
    error(std::error_code error_code, std::string about)
        : code(error_code), subject(std::move(about)) {}

    /// One line for a person: `3:14: the address is not valid: "10.0.0.256"`.
    /// The position is left out when unknown, the subject when empty; the subject is escaped.
    FLOWTAP_CORE_API std::string message() const;
};

/// `text` with each control octet, backslash, double quote and non-ASCII octet as `\ddd` (decimal),
/// so that it can be logged or shown.
FLOWTAP_CORE_API std::string escape_text(std::string_view text);

/// What can be wrong with the values core itself reads from text and bytes.
enum class errc {
    truncated = 1,   ///< the input ends too early
    invalid_address, ///< the address is not a valid IPv4 or IPv6 address
    invalid_prefix,  ///< the prefix length is not valid for the address
    invalid_number,  ///< the number is not valid
    out_of_range,    ///< the number is out of range
    mixed_families,  ///< IPv4 and IPv6 stand side by side where one family is required
};

/// The category of `flowtap::errc`, named "flowtap".
FLOWTAP_CORE_API const std::error_category& core_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), core_category()};
}

} // namespace flowtap

template <>
struct std::is_error_code_enum<flowtap::errc> : std::true_type {};
