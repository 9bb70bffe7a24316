// SPDX-License-Identifier: Apache-2.0
#include "engine_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/crypto/digest.hpp>

#include "error.hpp"
#include "state_files.hpp"

namespace dfcd {

namespace {

constexpr std::string_view first_line = "flowtap-snmp-engine 1\n";
constexpr std::array<std::uint8_t, 5> beginning{0x80, 0x00, 0x1F, 0x88, 0x05};
/// RFC 3414, section 2.2.2: from here on an engine is none any more.
constexpr std::uint32_t most_boots = 2147483647;
/// No file of dfcd's is as long.
constexpr std::size_t room = 256;

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error({errno, std::generic_category()}, subject));
}

snmp_engine new_engine() {
    snmp_engine made;
    std::ranges::copy(beginning, made.id.begin());
    flowtap::crypto::fill_random(
        std::as_writable_bytes(std::span(made.id).subspan(beginning.size())));
    return made;
}

std::string text_of(const snmp_engine& which) {
    return fmt::format("{}{} {}\n", first_line, to_string(which), which.boots);
}

template <class Number>
bool read_number(std::string_view text, int base, Number& into) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), into, base);
    return problem == std::errc{} && end == text.data() + text.size();
}

std::optional<snmp_engine> engine_in(std::string_view text) {
    constexpr std::size_t digits_at = first_line.size() + 2;
    constexpr std::size_t boots_at = digits_at + 2 * snmp_engine::id_size + 1;
    if (text.size() <= boots_at)
        return {};
    snmp_engine read;
    for (std::size_t i = 0; i < read.id.size(); ++i)
        if (!read_number(text.substr(digits_at + 2 * i, 2), 16, read.id[i]))
            return {};
    if (!read_number(text.substr(boots_at, text.size() - boots_at - 1), 10, read.boots))
        return {};
    // What is not written here alone is not what was written.
    return text == text_of(read) && read.boots <= most_boots ? std::optional(read) : std::nullopt;
}

/// None where there is no file.
flowtap::result<std::optional<snmp_engine>> read_engine(const std::string& path) {
    // A pipe would keep whoever opens it waiting.
    const flowtap::descriptor file(
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT)
        return std::optional<snmp_engine>();
    std::array<char, room> text{};
    const ssize_t count = file ? ::read(file.number(), text.data(), text.size()) : -1;
    if (count < 0)
        return system_failure(path);
    const auto read = engine_in({text.data(), static_cast<std::size_t>(count)});
    if (!read)
        return flowtap::fail(errc::damaged_engine_file, path);
    return read;
}

} // namespace

std::string to_string(const snmp_engine& which) {
    std::string made = "0x";
    for (const std::uint8_t octet : which.id)
        made += fmt::format("{:02x}", octet);
    return made;
}

flowtap::result<snmp_engine> boot_engine(const std::string& path) {
    const auto stored = read_engine(path);
    if (!stored)
        return flowtap::fail(stored.error());
    snmp_engine now = *stored && (*stored)->boots < most_boots - 1 ? **stored : new_engine();
    ++now.boots;
    if (const auto made = prepare_file(path, text_of(now)); !made)
        return flowtap::fail(made.error());
    if (const auto put = put_file(path); !put)
        return flowtap::fail(put.error());
    return now;
}

} // namespace dfcd
