// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/config/error.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/permission/decide.hpp>

namespace flowtap::config {

/// What kind of statement a row of the schema describes.
enum class statement_kind : std::uint8_t {
    hierarchy, ///< `services { ... }`
    entry,     ///< `user NAME { ... }`: one of many, told apart by its key
    value,     ///< `port 1812;`
    list,      ///< `permissions [ a b ];`
    flag,      ///< `notify;`
    open,      ///< a hierarchy in which statements unknown to the schema are accepted and ignored
};

/// What the key of an entry, a value or the members of a list look like.
enum class value_type : std::uint8_t {
    none,
    name,    ///< letters, digits, `-`, `_`, `.`; at most 64
    text,    ///< anything
    number,  ///< between `least` and `most`
    port,    ///< of TCP or UDP: 1 to 65535
    choice,  ///< one of `choices`
    address, ///< IPv4 or IPv6
    ipv4_address,
    prefix,         ///< address or address/length
    interface_name, ///< physical: `ge-0/0/0`
    unit_name,      ///< logical: `ge-0/0/0.100`; without unit means unit 0
    device_name,    ///< of the operating system: `eth0`
    secret,         ///< in clear or `$9$...`
    password_hash,  ///< as crypt(3) makes it
    public_key,     ///< as OpenSSH writes it
    bandwidth,      ///< bit/s, with `k`, `m`, `g`
    permission,     ///< a permission word
    version,        ///< 0.5 to 0.8
};

/// Who has to do with a statement's value being shown.
enum class visibility : std::uint8_t { plain, secret };

/// One statement of the configuration. All statements there are stand in one table, from which
/// checks, completion, help and permissions come.
struct schema_row {
    /// The words from the top, `*` for a key: `system login user * uid`.
    std::string_view path;
    statement_kind kind;
    value_type type;
    /// Of a number: its range. Of a secret or password hash: its length in octets. `least` of 1 on
    /// a hierarchy: it is nothing unless something stands in it. `most` of an entry or a list: how
    /// many there may be, 0 for any number.
    std::uint64_t least;
    std::uint64_t most;
    /// For `value_type::choice`: the possible values, separated by blanks.
    std::string_view choices;
    /// One line for `?`.
    std::string_view help;
    /// To what the statement belongs when `permission::allowed` is asked about viewing and
    /// changing.
    permission::target belongs_to;
    visibility shown;
};

/// All rows, parents before children.
std::span<const schema_row> schema() noexcept;

/// The row with exactly this path; null when there is none.
const schema_row* find_row(std::string_view path) noexcept;

/// The rows that can stand directly below a row, in alphabetical order; null is the top.
std::span<const schema_row* const> children_of(const schema_row* parent);

/// The word that a row's statement starts with: `user` of `system login user *`; empty when the key
/// comes first, as in `interfaces *`.
std::string_view keyword_of(const schema_row& row);

/// The row directly below `parent` with this keyword; empty for the one whose key comes first. Null
/// when there is none.
const schema_row* child_named(const schema_row* parent, std::string_view keyword);

/// Checks a value (or key) against a row. Errors: `errc::invalid_value` and its like; the subject
/// says what would be possible (`1-250`, `pairs product`) and never holds the value.
result<void> check_value(const schema_row& row, std::string_view value);

/// Reads a number as the schema means it: decimal digits only. Errors: `not_a_number`.
result<std::uint64_t> parse_number(std::string_view text);

/// Reads a bandwidth in bit/s: digits and `k`, `m` or `g`. Errors: `not_a_number`.
result<std::uint64_t> parse_bandwidth(std::string_view text);

} // namespace flowtap::config
