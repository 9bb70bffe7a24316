// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include <flowtap/dtcp/error.hpp>
#include <flowtap/dtcp/timestamp.hpp>

namespace flowtap::dtcp {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;

/// The shape of a timestamp: a digit stands where a `0` is.
constexpr std::string_view shape = "0000-00-00 00:00:00.000";

bool has_shape(std::string_view text) noexcept {
    if (text.size() != shape.size())
        return false;
    for (std::size_t at = 0; at < shape.size(); ++at) {
        const bool is_digit = text[at] >= '0' && text[at] <= '9';
        if (shape[at] == '0' ? !is_digit : text[at] != shape[at])
            return false;
    }
    return true;
}

unsigned number_at(std::string_view text, std::size_t at, std::size_t digits) noexcept {
    unsigned value = 0;
    for (const char digit : text.substr(at, digits))
        value = value * 10 + static_cast<unsigned>(digit - '0');
    return value;
}

/// Writes the last `digits` digits of `value` over those at `at`.
void put_number(std::string& text, std::size_t at, std::size_t digits, unsigned value) noexcept {
    for (std::size_t left = digits; left-- > 0; value /= 10)
        text[at + left] = static_cast<char>('0' + value % 10);
}

} // namespace

std::string format_timestamp(wall_time moment) {
    const auto day = floor<days>(moment);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(floor<milliseconds>(moment - day));

    // Nanoseconds in 64 bits reach from 1677 to 2262, so a year has four digits.
    std::string text(shape);
    put_number(text, 0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
    put_number(text, 5, 2, static_cast<unsigned>(date.month()));
    put_number(text, 8, 2, static_cast<unsigned>(date.day()));
    put_number(text, 11, 2, static_cast<unsigned>(time.hours().count()));
    put_number(text, 14, 2, static_cast<unsigned>(time.minutes().count()));
    put_number(text, 17, 2, static_cast<unsigned>(time.seconds().count()));
    put_number(text, 20, 3, static_cast<unsigned>(time.subseconds().count()));
    return text;
}

result<wall_time> parse_timestamp(std::string_view text) {
    if (!has_shape(text))
        return fail(errc::invalid_value, std::string(text));
    const std::chrono::year_month_day date(
        std::chrono::year(static_cast<int>(number_at(text, 0, 4))),
        std::chrono::month(number_at(text, 5, 2)), std::chrono::day(number_at(text, 8, 2)));
    const unsigned hours = number_at(text, 11, 2);
    const unsigned minutes = number_at(text, 14, 2);
    const unsigned seconds = number_at(text, 17, 2);
    // Nanoseconds in 64 bits reach from 1677 to 2262.
    const bool is_representable =
        date.year() > std::chrono::year(1677) && date.year() < std::chrono::year(2262);
    if (!date.ok() || !is_representable || hours > 23 || minutes > 59 || seconds > 59)
        return fail(errc::invalid_value, std::string(text));
    return wall_time(std::chrono::sys_days(date)) + std::chrono::hours(hours) +
           std::chrono::minutes(minutes) + std::chrono::seconds(seconds) +
           milliseconds(number_at(text, 20, 3));
}

} // namespace flowtap::dtcp
