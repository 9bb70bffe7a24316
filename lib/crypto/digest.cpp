// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <new>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <flowtap/crypto/digest.hpp>

namespace flowtap::crypto {

namespace {

struct free_context {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

struct free_digest {
    void operator()(EVP_MD* function) const noexcept { EVP_MD_free(function); }
};

// Fetching it anew costs more than a digest of something short.
const EVP_MD* fetched_sha256() {
    static const std::unique_ptr<EVP_MD, free_digest> function(
        EVP_MD_fetch(nullptr, "SHA256", nullptr));
    return function.get();
}

void compute(const EVP_MD* function, std::initializer_list<byte_view> pieces,
             std::span<std::byte> out) {
    const std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
    bool good = context != nullptr && function != nullptr &&
                EVP_DigestInit_ex(context.get(), function, nullptr) == 1;
    for (const byte_view piece : pieces)
        good = good && EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1;
    void* const raw = out.data();
    if (!good || EVP_DigestFinal_ex(context.get(), static_cast<unsigned char*>(raw), nullptr) != 1)
        throw std::bad_alloc();
}

} // namespace

std::array<std::byte, 16> md5(std::initializer_list<byte_view> pieces) {
    std::array<std::byte, 16> digest;
    compute(EVP_md5(), pieces, digest);
    return digest;
}

std::array<std::byte, 32> sha256(std::initializer_list<byte_view> pieces) {
    std::array<std::byte, 32> digest;
    compute(fetched_sha256(), pieces, digest);
    return digest;
}

bool equal_in_constant_time(byte_view a, byte_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void fill_random(std::span<std::byte> room) {
    void* const raw = room.data();
    if (RAND_bytes(static_cast<unsigned char*>(raw), static_cast<int>(room.size())) != 1)
        throw std::runtime_error("the system gives no random octets");
}

void wipe(std::span<std::byte> secret) noexcept {
    OPENSSL_cleanse(secret.data(), secret.size());
}

} // namespace flowtap::crypto
