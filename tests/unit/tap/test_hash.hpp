// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include <openssl/evp.h>

#include <flowtap/dtcp/authentication.hpp>

namespace flowtap::tap::test {

/// HMAC-SHA1 in the plainest way, for keys of at most 64 octets.
class test_hash final : public dtcp::keyed_hash {
public:
    explicit test_hash(std::string_view key) {
        for (std::size_t i = 0; i < key.size(); ++i)
            key_[i] = static_cast<unsigned char>(key[i]);
    }

    void reset() override { start(0x36); }

    void update(byte_view octets) override {
        EVP_DigestUpdate(state_.get(), octets.data(), octets.size());
    }

    dtcp::digest finish() override {
        const dtcp::digest inner = digest();
        start(0x5C);
        update(inner);
        return digest();
    }

private:
    void start(unsigned char pad) {
        std::array<std::byte, 64> block{};
        for (std::size_t i = 0; i < block.size(); ++i)
            block[i] = static_cast<std::byte>(key_[i] ^ pad);
        EVP_DigestInit_ex(state_.get(), EVP_sha1(), nullptr);
        update(block);
    }

    dtcp::digest digest() {
        std::array<unsigned char, 20> made{};
        EVP_DigestFinal_ex(state_.get(), made.data(), nullptr);
        dtcp::digest value{};
        for (std::size_t i = 0; i < value.size(); ++i)
            value[i] = static_cast<std::byte>(made[i]);
        return value;
    }

    std::array<unsigned char, 64> key_{};
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> state_{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

inline std::unique_ptr<dtcp::keyed_hash> make_test_hash(std::string_view key) {
    return std::make_unique<test_hash>(key);
}

} // namespace flowtap::tap::test
