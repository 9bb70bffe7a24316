// SPDX-License-Identifier: Apache-2.0
#include <flowtap/permission/radius_grants.hpp>

#include <flowtap/permission/decide.hpp>

namespace flowtap::permission {

namespace {

bool may_tap(const permission_set& permissions) {
    return allowed(permissions, operation::use, target::flow_tap_service);
}

} // namespace

void radius_grants::remember(std::string_view user_name, std::string_view permission_words,
                             std::string_view local_user_name) {
    grants_.insert_or_assign(std::string(user_name),
                             grant{std::string(permission_words), std::string(local_user_name)});
}

std::optional<permission_set> radius_grants::permissions_of(std::string_view user_name,
                                                            const login_directory& logins) const {
    const auto found = grants_.find(user_name);
    if (found == grants_.end())
        return std::nullopt;
    return radius_principal(logins, user_name, found->second.words, found->second.local_user)
        .permissions;
}

radius_grants::changes radius_grants::compare(const login_directory& old,
                                              const login_directory& next) const {
    changes found;
    for (const auto& [name, granted] : grants_) {
        const permission_set before = *permissions_of(name, old);
        const permission_set after = *permissions_of(name, next);
        if (before != after)
            found.logins_changed.push_back(name);
        if (may_tap(before) && !may_tap(after) && !may_tap(next.permissions_of(name)))
            found.tapping_ended.push_back(name);
    }
    return found;
}

radius_grants::changes radius_grants::withdraw_all(const login_directory& old,
                                                   const login_directory& next) {
    changes found;
    for (const auto& [name, granted] : grants_) {
        found.logins_changed.push_back(name);
        if (may_tap(*permissions_of(name, old)) && !may_tap(next.permissions_of(name)))
            found.tapping_ended.push_back(name);
    }
    grants_.clear();
    return found;
}

} // namespace flowtap::permission
