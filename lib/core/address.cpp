// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <optional>

#include <flowtap/core/address.hpp>

namespace flowtap {

namespace {

/// The low `count` bits set, for a count of 0 to 64.
constexpr std::uint64_t low_bits(unsigned count) noexcept {
    return count >= 64 ? ~0ULL : (1ULL << count) - 1;
}

/// The bits of an address that a prefix leaves open.
constexpr address_bits host_mask(family of, unsigned length) noexcept {
    const unsigned width = of == family::inet ? 32 : 128;
    const unsigned open = length >= width ? 0 : width - length;
    return {open > 64 ? low_bits(open - 64) : 0, low_bits(open)};
}

/// Four numbers of an octet with dots between them, without leading zeros: what inet_pton takes.
std::optional<std::uint32_t> parse_dotted_quad(std::string_view text) noexcept {
    constexpr std::uint32_t highest = 255;
    std::uint32_t address = 0;
    std::uint32_t octet = 0;
    int dots = 0;
    std::size_t digits = 0;
    for (const char letter : text) {
        if (letter == '.' && digits != 0 && dots != 3) {
            address = address << 8 | octet;
            ++dots;
            octet = 0;
            digits = 0;
            continue;
        }
        if (letter < '0' || letter > '9' || (digits != 0 && octet == 0))
            return std::nullopt;
        octet = octet * 10 + static_cast<std::uint32_t>(letter - '0');
        ++digits;
        if (octet > highest)
            return std::nullopt;
    }
    if (dots != 3 || digits == 0)
        return std::nullopt;
    return address << 8 | octet;
}

/// The value of a hexadecimal digit; 16 for any other letter.
constexpr unsigned digit_value(char letter) noexcept {
    if (letter >= '0' && letter <= '9')
        return static_cast<unsigned>(letter - '0');
    const char lower = static_cast<char>(letter | 0x20);
    return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a' + 10) : 16;
}

/// Groups of up to four hexadecimal digits with colons between them, eight of them or fewer around
/// one `::`. What has an IPv4 address at its end is left to inet_pton.
std::optional<address_bits> parse_groups(std::string_view text) noexcept {
    constexpr std::size_t group_count = 8;
    std::array<std::uint16_t, group_count> groups{};
    std::size_t count = 0;
    std::size_t gap = group_count + 1; ///< how many groups stand before the `::`
    std::size_t at = 0;
    while (at < text.size()) {
        if (text.substr(at).starts_with("::")) {
            if (gap <= group_count)
                return std::nullopt;
            gap = count;
            at += 2;
            continue;
        }
        if (count == group_count)
            return std::nullopt;
        const bool is_after_group = at != 0 && text[at - 1] != ':';
        if (is_after_group && text[at++] != ':')
            return std::nullopt;
        const std::size_t begin = at;
        unsigned value = 0;
        for (; at < text.size() && digit_value(text[at]) < 16; ++at)
            value = value << 4 | digit_value(text[at]);
        if (at == begin || at - begin > 4)
            return std::nullopt;
        groups[count++] = static_cast<std::uint16_t>(value);
    }
    if (gap > group_count ? count != group_count : count == group_count)
        return std::nullopt;
    address_bits bits;
    for (std::size_t place = 0; place < group_count; ++place) {
        const std::size_t zeros = group_count - count;
        std::uint64_t group = 0;
        if (place < gap && place < count)
            group = groups[place];
        else if (place >= gap + zeros)
            group = groups[place - zeros];
        std::uint64_t& half = place < group_count / 2 ? bits.high : bits.low;
        half = half << 16 | group;
    }
    return bits;
}

} // namespace

std::array<std::byte, 16> ip_address::bytes() const noexcept {
    std::array<std::byte, 16> octets{};
    if (family_ == family::inet) {
        store_big_endian(std::span(octets).first<4>(), static_cast<std::uint32_t>(bits_.low));
    } else {
        store_big_endian(std::span(octets).first<8>(), bits_.high);
        store_big_endian(std::span(octets).last<8>(), bits_.low);
    }
    return octets;
}

bool ip_address::is_loopback() const noexcept {
    if (family_ == family::inet)
        return (bits_.low >> 24) == 127;
    return bits_.high == 0 && bits_.low == 1;
}

bool ip_address::is_multicast() const noexcept {
    if (family_ == family::inet)
        return (bits_.low >> 28) == 0xE;
    return (bits_.high >> 56) == 0xFF;
}

bool ip_address::is_unspecified() const noexcept {
    return bits_ == address_bits{};
}

bool ip_address::is_unicast() const noexcept {
    if (is_unspecified() || is_multicast())
        return false;
    return family_ == family::inet6 || ((bits_.low >> 28) != 0xF && (bits_.low >> 24) != 0);
}

result<ip_address> parse_ip_address(std::string_view text) {
    if (const auto quad = parse_dotted_quad(text))
        return ip_address(family::inet, {0, *quad});
    if (const auto groups = parse_groups(text))
        return ip_address(family::inet6, *groups);
    // inet_pton wants a terminated string; nothing valid is longer than this.
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos)
        return fail(errc::invalid_address, std::string(text));
    std::memcpy(terminated.data(), text.data(), text.size());

    std::array<std::byte, 16> octets{};
    if (inet_pton(AF_INET6, terminated.data(), octets.data()) == 1)
        return ip_address::from_bytes(octets);
    return fail(errc::invalid_address, std::string(text));
}

std::string to_string(const ip_address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto octets = address.bytes();
    inet_ntop(address.ip_family() == family::inet ? AF_INET : AF_INET6, octets.data(), text.data(),
              text.size());
    return text.data();
}

ip_address ip_prefix::first() const noexcept {
    const address_bits open = host_mask(address.ip_family(), length);
    return {address.ip_family(),
            {address.bits().high & ~open.high, address.bits().low & ~open.low}};
}

ip_address ip_prefix::last() const noexcept {
    const address_bits open = host_mask(address.ip_family(), length);
    return {address.ip_family(), {address.bits().high | open.high, address.bits().low | open.low}};
}

bool ip_prefix::contains(const ip_address& candidate) const noexcept {
    return candidate.ip_family() == address.ip_family() && first().bits() <= candidate.bits() &&
           candidate.bits() <= last().bits();
}

result<ip_prefix> parse_ip_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    if (!address)
        return fail(address.error());
    const unsigned width = address->ip_family() == family::inet ? 32 : 128;
    if (slash == std::string_view::npos)
        return ip_prefix{*address, static_cast<std::uint8_t>(width)};

    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (problem != std::errc{} || end != digits.data() + digits.size() || length > width)
        return fail(errc::invalid_prefix, std::string(text));
    return ip_prefix{*address, static_cast<std::uint8_t>(length)};
}

std::string to_string(const ip_prefix& prefix) {
    return to_string(prefix.address) + '/' + std::to_string(prefix.length);
}

std::string to_string(const endpoint& point) {
    const std::string address = to_string(point.address);
    const std::string port = std::to_string(point.port);
    return point.address.ip_family() == family::inet ? address + ':' + port
                                                     : '[' + address + "]:" + port;
}

} // namespace flowtap
