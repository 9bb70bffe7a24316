// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <sys/types.h>

#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/result.hpp>

namespace dfcd {

/// A listening socket in the file system, of mode 0600 from its first moment on. Its name goes with
/// it.
class local_listener {
public:
    /// Takes the place of a socket that nobody listens at any more; anything else that stands there
    /// is left alone. Errors: `errc::metrics_socket_in_use`, `errc::metrics_socket_is_file`, those
    /// of the operating system.
    static flowtap::result<local_listener> open(const std::string& path, flowtap::opener& via);
    ~local_listener();
    local_listener(local_listener&& other) noexcept = default;
    local_listener& operator=(local_listener&&) = delete;

    int number() const noexcept { return socket_.number(); }

private:
    local_listener(flowtap::descriptor socket, std::string path);

    flowtap::descriptor socket_;
    std::string path_;
    /// What was made, so that nothing else is removed.
    dev_t device_ = 0;
    ino_t node_ = 0;
};

} // namespace dfcd
