// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include <flowtap/permission/login.hpp>

namespace flowtap::permission {

namespace {

/// Finds by name in a list that is in the order of names.
template <class Named>
const Named* find_by_name(const std::vector<Named>& sorted, std::string_view name) noexcept {
    const auto found = std::lower_bound(
        sorted.begin(), sorted.end(), name,
        [](const Named& entry, std::string_view wanted) { return entry.name < wanted; });
    return found != sorted.end() && found->name == name ? &*found : nullptr;
}

template <class Named>
void insert_by_name(std::vector<Named>& sorted, Named added) {
    const auto place = std::lower_bound(
        sorted.begin(), sorted.end(), added,
        [](const Named& entry, const Named& wanted) { return entry.name < wanted.name; });
    if (place != sorted.end() && place->name == added.name)
        *place = std::move(added);
    else
        sorted.insert(place, std::move(added));
}

principal with_class(principal who, const login_class* its_class) {
    if (its_class == nullptr)
        return who;
    who.permissions = its_class->permissions;
    who.idle_timeout = its_class->idle_timeout;
    return who;
}

principal local_principal(const login_directory& logins, std::string_view user_name,
                          std::optional<endpoint> peer) {
    return with_class({std::string(user_name), {}, origin::local, peer},
                      logins.class_of(user_name));
}

/// `$6$` of `$6$salt$hash`.
std::string_view scheme_of(std::string_view hash) {
    return hash.substr(0, hash.find('$', 1) + 1);
}

} // namespace

std::span<const login_class> predefined_classes() {
    static const std::array<login_class, 5> classes = {
        login_class{"operator", {bit::clear, bit::network, bit::reset, bit::trace, bit::view}},
        login_class{"read-only", {bit::view}},
        login_class{"super-user", {bit::all}},
        login_class{"superuser", {bit::all}},
        login_class{"unauthorized", {}},
    };
    return classes;
}

login_directory::login_directory()
    : classes_(predefined_classes().begin(), predefined_classes().end()) {}

void login_directory::insert(login_class added) {
    insert_by_name(classes_, std::move(added));
}

void login_directory::insert(user added) {
    insert_by_name(users_, std::move(added));
}

const login_class* login_directory::find_class(std::string_view name) const noexcept {
    return find_by_name(classes_, name);
}

const user* login_directory::find_user(std::string_view name) const noexcept {
    return find_by_name(users_, name);
}

const login_class* login_directory::class_of(std::string_view user_name) const noexcept {
    const user* found = find_user(user_name);
    return found != nullptr ? find_class(found->class_name) : nullptr;
}

permission_set login_directory::permissions_of(std::string_view user_name) const {
    const login_class* its_class = class_of(user_name);
    return its_class != nullptr ? its_class->permissions : permission_set{};
}

std::string login_directory::typical_hash() const {
    std::map<std::string_view, std::size_t> uses;
    const user* typical = nullptr;
    for (const user& candidate : users_) {
        if (!is_usable_hash(candidate.password_hash))
            continue;
        const auto scheme = scheme_of(candidate.password_hash);
        ++uses[scheme];
        if (typical == nullptr || uses[scheme] > uses[scheme_of(typical->password_hash)])
            typical = &candidate;
    }
    return typical != nullptr ? typical->password_hash : std::string();
}

std::optional<principal> authenticate_password(const login_directory& logins,
                                               const password_checker& checker,
                                               std::string_view user_name,
                                               std::string_view password,
                                               std::optional<endpoint> peer) {
    const user* found = logins.find_user(user_name);
    const std::string_view hash =
        found != nullptr ? std::string_view(found->password_hash) : std::string_view();
    if (!checker.check(password, hash))
        return std::nullopt;
    return local_principal(logins, user_name, peer);
}

std::optional<principal> authenticate_key(const login_directory& logins, std::string_view user_name,
                                          const public_key& offered, std::optional<endpoint> peer) {
    const user* found = logins.find_user(user_name);
    if (found == nullptr ||
        std::find(found->keys.begin(), found->keys.end(), offered) == found->keys.end())
        return std::nullopt;
    return local_principal(logins, user_name, peer);
}

principal radius_principal(const login_directory& logins, std::string_view user_name,
                           std::string_view permission_words, std::string_view local_user_name,
                           std::optional<endpoint> peer) {
    std::string_view chosen = local_user_name;
    if (chosen.empty())
        chosen = logins.find_user(user_name) != nullptr ? user_name : remote_template_user;
    principal who =
        with_class({std::string(user_name), {}, origin::radius, peer}, logins.class_of(chosen));
    who.permissions = merge(who.permissions, permission_words);
    return who;
}

} // namespace flowtap::permission
