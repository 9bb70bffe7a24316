// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

#include <flowtap/core/result.hpp>

namespace dfcd {

/// Who dfcd runs as, and with which capabilities (capabilities(7)).
///
/// Started as root, it becomes an unprivileged user before it opens anything, with the capabilities
/// that opening may take, and keeps CAP_NET_RAW alone once everything is open. Started by a user,
/// it keeps CAP_NET_RAW, if it was given, and nothing else. Either way it gets no more by executing
/// programs, belongs to no other group, and leaves no core dump and no way in for a debugger of the
/// same user, since its memory holds keys.
///
/// Capabilities belong to threads: everything is to be done before there is a second one.
class privileges {
public:
    /// The user that root becomes if none is named and there is one of this name.
    static constexpr const char* default_user = "flowtap";

    /// Decides on the user. `asked` is `NAME` or `NAME:GROUP`, of names or numbers; none: see
    /// `default_user`; if there is no such user root stays what it is, with CAP_NET_RAW alone.
    /// Errors: `errc::no_such_user`, `errc::user_without_root`.
    static flowtap::result<privileges> plan(const std::optional<std::string>& asked);

    /// Makes the directory of a file that dfcd writes, if it is missing, and gives it to the user.
    flowtap::result<void> make_directory_of(const std::string& file) const;

    /// Becomes the user.
    flowtap::result<void> become() const;
    /// Keeps CAP_NET_RAW alone.
    flowtap::result<void> drop() const;

    /// Whether files can be made and replaced, from now on, in the directory of a file.
    /// Errors: `errc::directory_not_writable`.
    static flowtap::result<void> check_directory_of(const std::string& file);

    /// Whether root stays root although nobody asked for that.
    bool stays_root_unasked() const noexcept { return is_root_ && !user_ && !asked_; }

private:
    struct identity {
        uid_t user = 0;
        gid_t group = 0;
    };

    bool is_root_ = false;
    bool asked_ = false;
    /// None: who it is already.
    std::optional<identity> user_;
};

/// Whether the calling thread has CAP_NET_RAW.
bool has_net_raw();

} // namespace dfcd
