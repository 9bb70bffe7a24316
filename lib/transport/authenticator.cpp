// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <flowtap/transport/authenticator.hpp>

#include "admission.hpp"

namespace flowtap::transport {

authenticator::~authenticator() = default;

struct local_authenticator::users {
    explicit users(permission::login_directory with)
        : logins(std::move(with)), checker(logins.typical_hash()) {}

    permission::login_directory logins;
    permission::password_checker checker;
};

local_authenticator::local_authenticator(permission::login_directory logins) {
    replace(std::move(logins));
}

void local_authenticator::replace(permission::login_directory logins) {
    auto fresh = std::make_shared<const users>(std::move(logins));
    const std::lock_guard lock(mutex_);
    users_ = std::move(fresh);
}

std::shared_ptr<const local_authenticator::users> local_authenticator::current() const {
    const std::lock_guard lock(mutex_);
    return users_;
}

std::optional<permission::principal>
local_authenticator::check_password(const login_attempt& attempt, std::string_view password) {
    const auto known = current();
    return admit(permission::authenticate_password(known->logins, known->checker, attempt.user,
                                                   password, attempt.peer));
}

bool local_authenticator::accepts_key(const login_attempt& attempt,
                                      const permission::public_key& key) {
    return check_key(attempt, key).has_value();
}

std::optional<permission::principal>
local_authenticator::check_key(const login_attempt& attempt, const permission::public_key& key) {
    return admit(permission::authenticate_key(current()->logins, attempt.user, key, attempt.peer));
}

} // namespace flowtap::transport
