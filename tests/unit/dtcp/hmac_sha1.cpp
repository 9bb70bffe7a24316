// SPDX-License-Identifier: Apache-2.0
#include "hmac_sha1.hpp"

#include <bit>

namespace flowtap::dtcp::test {

namespace {

using octets = std::vector<std::uint8_t>;

constexpr std::size_t block_size = 64;

/// FIPS 180-1, section 5: the message with its padding.
octets padded(octets text) {
    const std::uint64_t bits = text.size() * 8;
    text.push_back(0x80);
    while (text.size() % block_size != block_size - 8)
        text.push_back(0);
    for (int shift = 56; shift >= 0; shift -= 8)
        text.push_back(static_cast<std::uint8_t>(bits >> shift));
    return text;
}

std::uint32_t word_at(const octets& text, std::size_t at) {
    return std::uint32_t{text[at]} << 24 | std::uint32_t{text[at + 1]} << 16 |
           std::uint32_t{text[at + 2]} << 8 | text[at + 3];
}

/// FIPS 180-1, section 7: one block.
void mix(std::uint32_t (&state)[5], const octets& text, std::size_t block) {
    std::uint32_t words[80];
    for (std::size_t t = 0; t < 16; ++t)
        words[t] = word_at(text, block + 4 * t);
    for (std::size_t t = 16; t < 80; ++t)
        words[t] = std::rotl(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);

    auto [a, b, c, d, e] = state;
    for (std::size_t t = 0; t < 80; ++t) {
        std::uint32_t mixed = b ^ c ^ d;
        std::uint32_t constant = t < 40 ? 0x6ED9EBA1 : 0xCA62C1D6;
        if (t < 20) {
            mixed = (b & c) | (~b & d);
            constant = 0x5A827999;
        } else if (t >= 40 && t < 60) {
            mixed = (b & c) | (b & d) | (c & d);
            constant = 0x8F1BBCDC;
        }
        const std::uint32_t next = std::rotl(a, 5) + mixed + e + words[t] + constant;
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    }
    const std::uint32_t added[] = {a, b, c, d, e};
    for (std::size_t i = 0; i < 5; ++i)
        state[i] += added[i];
}

octets sha1(const octets& text) {
    std::uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const octets message = padded(text);
    for (std::size_t block = 0; block < message.size(); block += block_size)
        mix(state, message, block);
    octets hash;
    for (const std::uint32_t word : state)
        for (int shift = 24; shift >= 0; shift -= 8)
            hash.push_back(static_cast<std::uint8_t>(word >> shift));
    return hash;
}

octets masked(octets block, std::uint8_t mask) {
    for (std::uint8_t& octet : block)
        octet ^= mask;
    return block;
}

octets joined(octets first, const octets& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

} // namespace

hmac_sha1::hmac_sha1(std::string_view key) : key_block_(key.begin(), key.end()) {
    if (key_block_.size() > block_size)
        key_block_ = sha1(key_block_);
    key_block_.resize(block_size);
}

void hmac_sha1::reset() {
    text_.clear();
}

void hmac_sha1::update(byte_view more) {
    for (const std::byte octet : more)
        text_.push_back(std::to_integer<std::uint8_t>(octet));
}

digest hmac_sha1::finish() {
    const octets inner = sha1(joined(masked(key_block_, 0x36), text_));
    const octets outer = sha1(joined(masked(key_block_, 0x5C), inner));
    digest value{};
    for (std::size_t at = 0; at < value.size(); ++at)
        value[at] = std::byte{outer[at]};
    return value;
}

} // namespace flowtap::dtcp::test
