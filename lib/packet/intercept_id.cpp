// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <string>

#include <flowtap/packet/error.hpp>
#include <flowtap/packet/intercept_id.hpp>

namespace flowtap::packet {

namespace {

constexpr std::uint32_t form_bits = 0xC000'0000U;
constexpr std::uint32_t four_octet_form = 0x4000'0000U;

} // namespace

result<mirror_id> read_intercept_id(byte_view octets) {
    if (octets.size() != 4 && octets.size() != 8)
        return fail(errc::invalid_intercept_id);
    const auto first = load_big_endian<std::uint32_t>(octets);
    const std::uint32_t form = octets.size() == 4 ? four_octet_form : 0;
    if ((first & form_bits) != form)
        return fail(errc::invalid_intercept_id);
    mirror_id id{first & ~form_bits, {}};
    if (octets.size() == 8)
        id.session_id = load_big_endian<std::uint32_t>(octets.subspan(4));
    return id;
}

result<mirror_id> parse_intercept_id(std::string_view hex) {
    std::string_view digits = hex;
    if (digits.starts_with("0x") || digits.starts_with("0X"))
        digits.remove_prefix(2);
    std::uint64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, problem] = std::from_chars(digits.data(), end, number, 16);
    const bool is_number = problem == std::errc{} && stop == end;
    if (!is_number || (digits.size() != 8 && digits.size() != 16))
        return fail(errc::invalid_intercept_id, std::string(hex));

    std::array<std::byte, 8> octets{};
    store_big_endian(std::span<std::byte>(octets), number);
    auto id = read_intercept_id(byte_view(octets).last(digits.size() / 2));
    if (!id)
        return fail(errc::invalid_intercept_id, std::string(hex));
    return id;
}

} // namespace flowtap::packet
