// SPDX-License-Identifier: Apache-2.0
#include "login_recorder.hpp"

namespace dfcd {

using flowtap::permission::principal;
using flowtap::permission::public_key;
using flowtap::transport::login_attempt;

std::optional<principal> login_recorder::check_password(const login_attempt& attempt,
                                                        std::string_view password) {
    auto known = decides_.check_password(attempt, password);
    if (!known)
        refused_(attempt);
    return known;
}

bool login_recorder::accepts_key(const login_attempt& attempt, const public_key& key) {
    return decides_.accepts_key(attempt, key);
}

std::optional<principal> login_recorder::check_key(const login_attempt& attempt,
                                                   const public_key& key) {
    auto known = decides_.check_key(attempt, key);
    if (!known)
        refused_(attempt);
    return known;
}

} // namespace dfcd
