// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include <flowtap/radius/hidden.hpp>

namespace flowtap::radius {

namespace {

constexpr std::size_t block = sizeof(digest);
constexpr std::size_t salt_size = 2;
/// A hidden value with its salt fits into a vendor's attribute, in whole blocks.
constexpr std::size_t longest_salted = (longest_vendor_value - salt_size) / block * block;

using key_stream = digest;

void combine(std::span<std::byte> octets, const key_stream& stream) {
    std::transform(octets.begin(), octets.end(), stream.begin(), octets.begin(),
                   [](std::byte a, std::byte b) { return a ^ b; });
}

/// Octets, in whole blocks, in which everything but the first block depends on what is hidden of
/// the block before.
void hide(std::span<std::byte> octets, key_stream stream, const shared_secret& key) {
    for (std::size_t at = 0; at < octets.size(); at += block) {
        combine(octets.subspan(at, block), stream);
        stream = key.md5({key.octets(), octets.subspan(at, block)});
    }
}

void reveal(std::span<std::byte> octets, key_stream stream, const shared_secret& key) {
    for (std::size_t at = 0; at < octets.size(); at += block) {
        const key_stream next = key.md5({key.octets(), octets.subspan(at, block)});
        combine(octets.subspan(at, block), stream);
        stream = next;
    }
}

constexpr std::size_t whole_blocks(std::size_t size) {
    return (size + block - 1) / block * block;
}

bool is_whole_blocks(std::size_t size) {
    return size > 0 && size % block == 0;
}

} // namespace

result<void> check_password(std::string_view password) {
    if (password.empty() || password.size() > longest_password ||
        password.find('\0') != std::string_view::npos)
        return fail(errc::invalid_password);
    return {};
}

result<std::vector<std::byte>> hide_password(std::string_view password, const shared_secret& key,
                                             const authenticator& request) {
    if (auto checked = check_password(password); !checked)
        return fail(checked.error());
    std::vector<std::byte> octets(whole_blocks(password.size()));
    std::ranges::copy(as_byte_view(password), octets.begin());
    hide(octets, key.md5({key.octets(), request}), key);
    return octets;
}

result<secret> reveal_password(byte_view hidden, const shared_secret& key,
                               const authenticator& request) {
    if (!is_whole_blocks(hidden.size()) || hidden.size() > longest_password)
        return fail(errc::malformed_hidden_value);
    std::array<std::byte, longest_password> room{};
    const std::span octets = std::span(room).first(hidden.size());
    std::ranges::copy(hidden, octets.begin());
    reveal(octets, key.md5({key.octets(), request}), key);
    const auto end = std::ranges::find(octets, std::byte{0});
    const auto* const text = static_cast<const char*>(static_cast<const void*>(octets.data()));
    secret password(std::string_view(text, static_cast<std::size_t>(end - octets.begin())));
    wipe(octets);
    return password;
}

result<std::vector<std::byte>> hide_with_salt(byte_view value, std::uint16_t salt,
                                              const shared_secret& key,
                                              const authenticator& request) {
    if (1 + value.size() > longest_salted)
        return fail(errc::value_too_long);
    std::vector<std::byte> octets(salt_size + whole_blocks(1 + value.size()));
    store_big_endian(std::span(octets), static_cast<std::uint16_t>(salt | 0x8000U));
    octets[salt_size] = static_cast<std::byte>(value.size());
    std::ranges::copy(value, octets.begin() + salt_size + 1);
    const byte_view salted = byte_view(octets).first(salt_size);
    hide(std::span(octets).subspan(salt_size), key.md5({key.octets(), request, salted}), key);
    return octets;
}

result<std::vector<std::byte>> reveal_with_salt(byte_view hidden, const shared_secret& key,
                                                const authenticator& request) {
    if (hidden.size() < salt_size || !is_whole_blocks(hidden.size() - salt_size))
        return fail(errc::malformed_hidden_value);
    const byte_view salt = hidden.first(salt_size);
    std::vector<std::byte> octets(hidden.begin() + salt_size, hidden.end());
    reveal(octets, key.md5({key.octets(), request, salt}), key);
    const auto size = std::to_integer<std::size_t>(octets.front());
    if (size >= octets.size()) {
        wipe(octets);
        return fail(errc::malformed_hidden_value);
    }
    octets.erase(octets.begin());
    octets.resize(size);
    return octets;
}

} // namespace flowtap::radius
