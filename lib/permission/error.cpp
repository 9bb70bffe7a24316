// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <flowtap/permission/error.hpp>

namespace flowtap::permission {

namespace {

class permission_error_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "flowtap.permission"; }

    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::invalid_public_key:
            return "this is not a public key as OpenSSH writes it (algorithm, base64, comment)";
        case errc::unsupported_key_algorithm:
            return "keys of this algorithm are not accepted";
        case errc::key_options_refused:
            return "options before the key are not supported";
        case errc::key_algorithm_mismatch:
            return "the key holds another algorithm than its line says";
        case errc::unusable_password_hash:
            return "this is not a password hash of a scheme that is accepted";
        case errc::password_too_long:
            return "the password is too long";
        case errc::unknown_hash_scheme:
            return "there is no such hash scheme";
        }
        return "unknown error";
    }
};

} // namespace

const std::error_category& permission_category() noexcept {
    static const permission_error_category category;
    return category;
}

} // namespace flowtap::permission
