// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/radius/cryptography.hpp>

namespace flowtap::radius {

keyed_hash::~keyed_hash() = default;

shared_secret::shared_secret(secret text, const cryptography& with)
    : text_(std::move(text)), md5_(with.md5), hash_(with.hmac_md5(text_.view())) {}

digest shared_secret::hmac_md5(std::initializer_list<byte_view> pieces) {
    hash_->reset();
    for (const byte_view piece : pieces)
        hash_->update(piece);
    return hash_->finish();
}

} // namespace flowtap::radius
