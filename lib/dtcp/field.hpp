// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/core/range_list.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/dtcp/envelope.hpp>
#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/parameter.hpp>
#include <flowtap/dtcp/parser.hpp>

#include "range_grammar.hpp"
#include "text.hpp"

namespace flowtap::dtcp {

/// An error about a place in a line's value; `offset` counts from 0 within the value.
unexpected<error> fail_at(errc code, const header_line& line, std::size_t offset = 0);

/// An error about a parameter that is not there.
unexpected<error> fail_missing(errc code, parameter missing);

/// True for a parameter whose name begins with `X-`, of the known ones.
constexpr bool is_extension(parameter known) noexcept {
    return (known >= parameter::x_jtap_cdest_dest_address && known <= parameter::x_drop_policy) ||
           known == parameter::x_offending_line;
}

/// The first line of each parameter.
class field_table {
public:
    /// In dynamic flow capture, parameters of flow-tap are as unknown `X-` parameters: not there.
    field_table(const envelope& message, service_kind service);

    /// The first line of a parameter, or null.
    const header_line* find(parameter wanted) const noexcept {
        return lines_[static_cast<std::size_t>(wanted)];
    }

private:
    std::array<const header_line*, static_cast<std::size_t>(parameter::authentication_info) + 1>
        lines_{};
};

/// A value in which escapes of letters, digits, dots and colons are resolved, for the grammars of
/// numbers and addresses. Any other escape stays as it stands, and the grammars refuse its
/// backslash: an escape is never a delimiter, a wildcard or a negation.
class plain_value {
public:
    explicit plain_value(std::string_view value);
    plain_value(const plain_value&) = delete;
    plain_value& operator=(const plain_value&) = delete;

    std::string_view text() const noexcept { return text_; }
    /// Where in the value as it stands a place in `text` is.
    std::size_t original_offset(std::size_t offset) const noexcept {
        return offsets_.empty() ? offset : offsets_[offset];
    }

private:
    std::string resolved_;
    std::vector<std::size_t> offsets_;
    std::string_view text_;
};

/// The numbers a field admits, and how its list was written.
template <class Number>
struct number_field {
    range_list<Number> ranges;
    /// How many entries stand in the list, before a list of plain `*` became the wildcard.
    std::size_t entries = 0;
};

/// Reads a list of numbers in a filter. Instantiated for std::uint8_t and uint16_t.
template <std::unsigned_integral Number>
result<number_field<Number>> read_numbers(const header_line& line);

/// Reads the Criteria-ID of a request that selects.
result<criteria_selection> read_selection(const header_line& line);

/// Reads a single number of at most `highest`.
result<std::uint64_t> read_number(const header_line& line, std::uint64_t highest, errc failure);

/// Reads a single address.
result<ip_address> read_address(const header_line& line, errc failure);

/// Reads one token: not empty, no raw blank, only printable ASCII once its escapes are resolved.
result<std::string> read_token(const header_line& line, errc failure);

/// Reads a list of such tokens, separated by commas with optional blanks around them.
result<std::vector<std::string>> read_tokens(const header_line& line, errc failure);

/// Hands each comma-separated piece of a line's value, without the blanks around it, to `visit`, as
/// a line of its own, so that errors point to the piece. Stops at the first failure.
template <class Visit>
result<void> for_each_piece(const header_line& line, Visit visit) {
    std::string_view rest = line.value;
    for (bool more = true; more;) {
        const std::size_t comma = rest.find(',');
        more = comma != std::string_view::npos;
        header_line piece = line;
        piece.value = trim_end(trim_start(rest.substr(0, comma)));
        piece.column += static_cast<std::size_t>(piece.value.data() - line.value.data());
        if (result<void> visited = visit(piece); !visited)
            return visited;
        rest.remove_prefix(more ? comma + 1 : rest.size());
    }
    return {};
}

} // namespace flowtap::dtcp
