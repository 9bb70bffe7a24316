// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include <flowtap/crypto/digest.hpp>
#include <flowtap/crypto/hmac.hpp>
#include <flowtap/radius/cryptography.hpp>

namespace dfcd {

/// What RADIUS needs of OpenSSL.
inline flowtap::radius::cryptography radius_cryptography() {
    using hash =
        flowtap::crypto::keyed_hash_as<flowtap::radius::keyed_hash, flowtap::crypto::hmac_md5>;
    return {flowtap::crypto::md5, [](std::string_view key) { return std::make_unique<hash>(key); },
            flowtap::crypto::fill_random};
}

} // namespace dfcd
