// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/range_list.hpp>
#include <flowtap/dtcp/authentication.hpp>
#include <flowtap/dtcp/parameter.hpp>
#include <flowtap/dtcp/request.hpp>
#include <flowtap/dtcp/version.hpp>

namespace flowtap::dtcp {

/// How a line writer spells names: servers write upper case, clients the usual one.
using spelling = std::string_view (*)(parameter) noexcept;

/// Appends lines to a text.
class line_writer {
public:
    line_writer(std::string& out, spelling names) : out_(&out), names_(names) {}

    /// `Name: value`, the value as it is.
    void line(parameter name, std::string_view value);
    void number(parameter name, std::uint64_t value);

    /// These write nothing for what is not there.
    template <std::unsigned_integral Number>
    void number(parameter name, const std::optional<Number>& value) {
        if (value)
            number(name, std::uint64_t{*value});
    }
    void number(parameter name, const std::optional<std::chrono::seconds>& value);
    /// One value, escaped.
    void token(parameter name, const std::optional<std::string>& value);
    /// A list of values, each escaped.
    void tokens(parameter name, const std::vector<std::string>& values);
    void timestamp(parameter name, wall_time moment);
    void limits(const timeouts& values);

private:
    std::string* out_;
    spelling names_;
};

void append_number(std::string& out, std::uint64_t value);
void append_version(std::string& out, version spoken);

/// A list of numbers: `6`, `!6`, `1024-65535`, with `*` for the wildcard.
template <class Number>
std::string format_ranges(const range_list<Number>& list) {
    if (list.is_wildcard())
        return "*";
    std::string text;
    for (const auto& entry : list.entries) {
        if (!text.empty())
            text += ',';
        if (entry.negated)
            text += '!';
        append_number(text, entry.first);
        if (entry.first != entry.last) {
            text += '-';
            append_number(text, entry.last);
        }
    }
    return text;
}

/// Ends a message: Authentication-Info, from a hash that was fed with all before, and the empty
/// line.
void append_signature(std::string& out, keyed_hash& hash, spelling names);

} // namespace flowtap::dtcp
