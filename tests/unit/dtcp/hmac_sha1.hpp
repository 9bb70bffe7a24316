// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <flowtap/dtcp/authentication.hpp>

namespace flowtap::dtcp::test {

/// HMAC-SHA1 in the plainest form, so that module dtcp is tested without any library of
/// cryptography. Not for use outside tests.
class hmac_sha1 final : public keyed_hash {
public:
    explicit hmac_sha1(std::string_view key);

    void reset() override;
    void update(byte_view octets) override;
    digest finish() override;

private:
    std::vector<std::uint8_t> key_block_;
    std::vector<std::uint8_t> text_;
};

} // namespace flowtap::dtcp::test
