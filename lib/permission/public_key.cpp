// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <flowtap/permission/public_key.hpp>

namespace flowtap::permission {

namespace {

constexpr std::array<std::string_view, 5> accepted_algorithms = {
    "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"};

/// Algorithms OpenSSH has, which are not accepted here: told apart from options before a key.
constexpr std::array<std::string_view, 3> refused_algorithms = {
    "ssh-dss", "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"};

/// No key of an accepted algorithm is longer (RSA with 16384 bits takes about 2800 characters).
constexpr std::size_t max_base64_length = 8192;

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <class Names>
bool holds(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// RFC 4648, section 4, with its padding and nothing else.
bool decode_base64(std::string_view text, std::vector<std::byte>& octets) {
    if (text.empty() || text.size() % 4 != 0 || text.size() > max_base64_length)
        return false;
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (const char letter : text) {
        const std::size_t value = base64_letters.find(letter);
        if (value == std::string_view::npos)
            return false;
        held = (held << 6U | static_cast<std::uint32_t>(value)) & 0xFFFFFFU;
        held_bits += 6;
        if (held_bits >= 8) {
            held_bits -= 8;
            octets.push_back(static_cast<std::byte>(held >> held_bits & 0xFFU));
        }
    }
    // Bits that stand for nothing are zero, so that a key has one form only.
    return (held & ((1U << held_bits) - 1U)) == 0;
}

std::string encode_base64(byte_view octets) {
    std::string text;
    for (std::size_t at = 0; at < octets.size(); at += 3) {
        std::uint32_t group = 0;
        const std::size_t count = std::min<std::size_t>(3, octets.size() - at);
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8U | (i < count ? std::to_integer<std::uint32_t>(octets[at + i]) : 0U);
        for (std::size_t i = 0; i < 4; ++i)
            text += i <= count ? base64_letters[group >> (18U - 6U * i) & 0x3FU] : '=';
    }
    return text;
}

/// The next word of a line, which is taken off it.
std::string_view take_word(std::string_view& line) {
    constexpr std::string_view blanks = " \t\r\n";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

/// Takes a length-prefixed text (RFC 4251, section 5).
std::string_view take_text(byte_cursor& cursor) {
    const byte_view text = cursor.take(cursor.u32());
    return {reinterpret_cast<const char*>(text.data()), text.size()};
}

/// The wire form is made of whole fields to its end: the algorithm's name, then the key (RFC 8709:
/// one field; RFC 4253: two numbers; RFC 5656: curve and point).
bool is_whole(std::string_view algorithm, byte_view blob) {
    byte_cursor cursor(blob);
    std::size_t fields = 0;
    while (cursor.good() && cursor.remaining() > 0) {
        take_text(cursor);
        ++fields;
    }
    return cursor.good() && fields == (algorithm == "ssh-ed25519" ? 2U : 3U);
}

} // namespace

result<public_key> make_public_key(std::string_view algorithm, std::string_view base64) {
    if (!holds(accepted_algorithms, algorithm))
        return fail(errc::unsupported_key_algorithm);
    public_key key{std::string(algorithm), {}, {}};
    if (!decode_base64(base64, key.blob))
        return fail(errc::invalid_public_key);
    byte_cursor cursor(key.blob);
    const std::string_view named = take_text(cursor);
    if (cursor.good() && named != algorithm)
        return fail(errc::key_algorithm_mismatch);
    if (!is_whole(algorithm, key.blob))
        return fail(errc::invalid_public_key);
    return key;
}

result<public_key> parse_public_key(std::string_view line) {
    const std::string_view algorithm = take_word(line);
    const std::string_view base64 = take_word(line);
    if (!holds(accepted_algorithms, algorithm) && !holds(refused_algorithms, algorithm)) {
        // Options stand before a word that is an algorithm; anything else is no key at all.
        const bool options = line.find("ssh-") != std::string_view::npos ||
                             line.find("ecdsa-") != std::string_view::npos ||
                             holds(accepted_algorithms, base64) ||
                             holds(refused_algorithms, base64);
        return fail(options ? errc::key_options_refused : errc::invalid_public_key);
    }
    auto key = make_public_key(algorithm, base64);
    if (!key)
        return key;
    const std::size_t start = line.find_first_not_of(" \t");
    if (start != std::string_view::npos) {
        line.remove_prefix(start);
        key->comment = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
    }
    return key;
}

std::string to_string(const public_key& key) {
    std::string line = key.algorithm + ' ' + encode_base64(key.blob);
    if (!key.comment.empty())
        line += ' ' + key.comment;
    return line;
}

} // namespace flowtap::permission
