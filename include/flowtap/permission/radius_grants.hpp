// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <flowtap/permission/api.hpp>
#include <flowtap/permission/login.hpp>

namespace flowtap::permission {

/// What RADIUS granted to whom when it last accepted a login, so that a change of the configuration
/// shows in what its users may do: their permissions are partly those of local classes.
///
/// A value; one thread at a time changes it. Its memory grows with the logins that RADIUS has
/// accepted. Look-ups take logarithmic time, `compare` linear.
class radius_grants {
public:
    /// What going from one configuration to another means for the users of RADIUS.
    struct changes {
        /// Whose permissions are others, or who cannot log in any more: their sessions end.
        std::vector<std::string> logins_changed;
        /// Who could tap and cannot now: their criteria go. They are in `logins_changed`, too.
        std::vector<std::string> tapping_ended;
    };

    /// RADIUS accepted the login, with these words and the local user whose class applies, empty
    /// for the usual one (`radius_principal`).
    FLOWTAP_PERMISSION_API void remember(std::string_view user_name,
                                         std::string_view permission_words,
                                         std::string_view local_user_name);

    /// Its permissions by a configuration; none if RADIUS has accepted no such login.
    FLOWTAP_PERMISSION_API std::optional<permission_set>
    permissions_of(std::string_view user_name, const login_directory& logins) const;

    /// What a change of classes and users means. Who may tap by the configuration alone goes on.
    /// The lists are in the order of names.
    FLOWTAP_PERMISSION_API changes compare(const login_directory& old,
                                           const login_directory& next) const;

    /// RADIUS is not asked any more: everybody whom it accepted is forgotten. What that means, as
    /// above.
    FLOWTAP_PERMISSION_API changes withdraw_all(const login_directory& old,
                                                const login_directory& next);

private:
    struct grant {
        std::string words;
        std::string local_user;
    };

    std::map<std::string, grant, std::less<>> grants_;
};

} // namespace flowtap::permission
