// SPDX-License-Identifier: Apache-2.0
#include <flowtap/subscriber/session.hpp>

#include <algorithm>

namespace flowtap::subscriber {

namespace {

std::optional<unsigned> digit_of(char letter, unsigned base) {
    unsigned value = base;
    if (letter >= '0' && letter <= '9')
        value = static_cast<unsigned>(letter - '0');
    else if (letter >= 'a' && letter <= 'f')
        value = static_cast<unsigned>(letter - 'a') + 10;
    else if (letter >= 'A' && letter <= 'F')
        value = static_cast<unsigned>(letter - 'A') + 10;
    if (value >= base)
        return std::nullopt;
    return value;
}

/// The low 32 bits of a number of any length.
std::optional<std::uint32_t> read_number(std::string_view digits, unsigned base) {
    if (digits.empty())
        return std::nullopt;
    std::uint32_t number = 0;
    for (const char letter : digits) {
        const auto digit = digit_of(letter, base);
        if (!digit)
            return std::nullopt;
        number = number * base + *digit;
    }
    return number;
}

} // namespace

std::optional<std::uint32_t> session_number(std::string_view accounting_session) {
    const std::size_t colon = accounting_session.rfind(':');
    if (colon != std::string_view::npos)
        return read_number(accounting_session.substr(colon + 1), 10);
    if (const auto decimal = read_number(accounting_session, 10))
        return decimal;
    return read_number(accounting_session, 16);
}

} // namespace flowtap::subscriber
