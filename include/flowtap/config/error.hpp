// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>

namespace flowtap::config {

/// What can be wrong with the text of a configuration and with the values in it.
enum class errc {
    text_too_long = 1,    ///< the text is longer than the limit
    too_deep,             ///< blocks are nested deeper than the limit
    control_octet,        ///< a control character stands in the text
    unexpected_octet,     ///< a character that must stand in quotes
    unfinished_string,    ///< a string does not end on its line
    unfinished_comment,   ///< a comment does not end
    unfinished_list,      ///< a list does not end
    unfinished_block,     ///< a block does not end
    missing_semicolon,    ///< a statement does not end
    unexpected_semicolon, ///< a `;` without a statement
    unexpected_brace,     ///< a `}` without a block, or a `{` without a name
    unexpected_bracket,   ///< a `[` or `]` where no list can stand
    invalid_name,         ///< not a name
    invalid_value,        ///< not one of the values there are
    out_of_range,         ///< a number outside its range
    not_a_number,         ///< not a number
    invalid_address,      ///< not an address of the kind that is needed
    invalid_prefix,       ///< not an address block
    invalid_interface,    ///< not the name of an interface
    channelized,          ///< the name of a channelized interface
    unit_in_name,         ///< a unit where a physical interface is named
    invalid_secret,       ///< a `$9$` secret that cannot be decoded
    too_long,             ///< too long
    empty_value,          ///< empty where something is needed
    unreadable_file,      ///< the file cannot be read
};

/// The category of `flowtap::config::errc`, named "flowtap.config".
const std::error_category& config_category() noexcept;

inline std::error_code make_error_code(errc code) noexcept {
    return {static_cast<int>(code), config_category()};
}

} // namespace flowtap::config

template <>
struct std::is_error_code_enum<flowtap::config::errc> : std::true_type {};
