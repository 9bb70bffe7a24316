// SPDX-License-Identifier: Apache-2.0
#include <flowtap/dtcp/authentication.hpp>

#include <flowtap/core/constant_time.hpp>

namespace flowtap::dtcp {

namespace {

int nibble_of(char digit) noexcept {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

} // namespace

std::optional<digest> parse_digest(std::string_view text) noexcept {
    digest value{};
    if (text.size() != 2 * value.size())
        return std::nullopt;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const int high = nibble_of(text[2 * at]);
        const int low = nibble_of(text[2 * at + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        value[at] = static_cast<std::byte>(high * 16 + low);
    }
    return value;
}

keyed_hash::~keyed_hash() = default;

std::string to_hex(const digest& value) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(2 * value.size(), '0');
    for (std::size_t at = 0; at < value.size(); ++at) {
        text[2 * at] = digits[std::to_integer<std::size_t>(value[at] >> 4)];
        text[2 * at + 1] = digits[std::to_integer<std::size_t>(value[at] & std::byte{0x0F})];
    }
    return text;
}

bool equal_in_constant_time(const digest& a, const digest& b) noexcept {
    return flowtap::equal_in_constant_time(byte_view(a), byte_view(b));
}

result<void> verify(const envelope& message, keyed_hash& hash) {
    if (!message.authentication_info)
        return fail(errc::missing_authentication);
    const std::optional<digest> claimed = parse_digest(*message.authentication_info);
    if (!claimed)
        return fail(errc::malformed_authentication);
    hash.reset();
    hash.update(as_byte_view(message.signed_octets));
    if (!equal_in_constant_time(hash.finish(), *claimed))
        return fail(errc::authentication_failed);
    return {};
}

std::string sign(std::string_view signed_text, keyed_hash& hash) {
    hash.reset();
    hash.update(as_byte_view(signed_text));
    return to_hex(hash.finish());
}

} // namespace flowtap::dtcp
