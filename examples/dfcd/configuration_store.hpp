// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include <flowtap/config/tree.hpp>
#include <flowtap/core/result.hpp>

namespace dfcd {

/// The configuration in force, its file, and the versions before it: `FILE.1` is the one before,
/// up to `FILE.49`. All of them have mode 0600.
class configuration_store {
public:
    configuration_store(std::string path, flowtap::config::tree in_force);

    std::shared_ptr<const flowtap::config::tree> in_force() const noexcept { return in_force_; }

    /// Errors: `config::errc::unreadable_file`.
    flowtap::result<flowtap::config::tree> earlier(unsigned number) const;

    /// Puts a version in the place of the one in force, which becomes `FILE.1`. The file is
    /// replaced as a whole: whatever happens it holds the one or the other. When this fails the one
    /// in force stays. Errors: those of the operating system.
    flowtap::result<void> put(const flowtap::config::tree& next);

    /// The file holds this one already.
    void adopt(flowtap::config::tree found);

private:
    std::string version_path(unsigned number) const;

    std::string path_;
    std::shared_ptr<const flowtap::config::tree> in_force_;
};

} // namespace dfcd
