// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <new>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <flowtap/crypto/hmac.hpp>

namespace flowtap::crypto::detail {

namespace {

struct free_mac {
    void operator()(EVP_MAC* mac) const noexcept { EVP_MAC_free(mac); }
};
struct free_context {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

// Fetching an algorithm costs more than a whole HMAC, so it is done once.
EVP_MAC* fetched_hmac() {
    static const std::unique_ptr<EVP_MAC, free_mac> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    return mac.get();
}

const char* name_of(keyed_context::hash function) {
    switch (function) {
    case keyed_context::hash::md5:
        return "MD5";
    case keyed_context::hash::sha1:
        return "SHA1";
    case keyed_context::hash::sha256:
        return "SHA256";
    }
    return "";
}

void require(bool success) {
    if (!success)
        throw std::bad_alloc();
}

void set_key(EVP_MAC_CTX* context, std::string_view key, const OSSL_PARAM* settings) {
    // A null key means "the same key as before" to libcrypto: an empty key must not be null.
    const std::string_view non_null = key.empty() ? std::string_view("") : key;
    const byte_view octets = as_byte_view(non_null);
    const void* const raw = octets.data();
    require(EVP_MAC_init(context, static_cast<const unsigned char*>(raw), octets.size(),
                         settings) == 1);
}

} // namespace

struct keyed_context::implementation {
    std::unique_ptr<EVP_MAC_CTX, free_context> context;
};

keyed_context::keyed_context(hash function, std::string_view key)
    : implementation_(std::make_unique<implementation>()) {
    EVP_MAC* const mac = fetched_hmac();
    require(mac != nullptr);
    implementation_->context.reset(EVP_MAC_CTX_new(mac));
    require(implementation_->context != nullptr);

    // OSSL_PARAM takes a mutable pointer, although it does not write to it.
    std::array<char, 8> name{};
    std::string_view(name_of(function)).copy(name.data(), name.size() - 1);
    const std::array<OSSL_PARAM, 2> settings{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    set_key(implementation_->context.get(), key, settings.data());
}

keyed_context::~keyed_context() = default;

void keyed_context::rewind() {
    require(EVP_MAC_init(implementation_->context.get(), nullptr, 0, nullptr) == 1);
}

void keyed_context::rewind(std::string_view key) {
    set_key(implementation_->context.get(), key, nullptr);
}

void keyed_context::update(byte_view octets) {
    const void* const raw = octets.data();
    require(EVP_MAC_update(implementation_->context.get(), static_cast<const unsigned char*>(raw),
                           octets.size()) == 1);
}

void keyed_context::finish(std::span<std::byte> out) {
    void* const raw = out.data();
    std::size_t length = 0;
    require(EVP_MAC_final(implementation_->context.get(), static_cast<unsigned char*>(raw), &length,
                          out.size()) == 1);
}

} // namespace flowtap::crypto::detail
