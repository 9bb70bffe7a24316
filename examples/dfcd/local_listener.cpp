// SPDX-License-Identifier: Apache-2.0
#include "local_listener.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.hpp"

namespace dfcd {

namespace {

flowtap::unexpected<flowtap::error> system_failure(const std::string& path) {
    return flowtap::fail(flowtap::error(std::error_code(errno, std::generic_category()), path));
}

/// `path` is short enough: the option's check has seen to it.
sockaddr_un address_of(const std::string& path) {
    sockaddr_un made{};
    made.sun_family = AF_UNIX;
    std::copy_n(path.begin(), std::min(path.size(), sizeof made.sun_path - 1), made.sun_path);
    return made;
}

/// Whether somebody listens at a socket; one whose queue is full, too.
bool is_served(const std::string& path) {
    const flowtap::descriptor asking(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const sockaddr_un to = address_of(path);
    return ::connect(asking.number(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ||
           errno != ECONNREFUSED;
}

/// Removes a socket that was left behind.
flowtap::result<void> make_place(const std::string& path) {
    struct stat there {};
    if (::lstat(path.c_str(), &there) != 0) {
        if (errno == ENOENT)
            return {};
        return system_failure(path);
    }
    if (!S_ISSOCK(there.st_mode))
        return flowtap::fail(errc::metrics_socket_is_file, path);
    if (is_served(path))
        return flowtap::fail(errc::metrics_socket_in_use, path);
    if (::unlink(path.c_str()) != 0)
        return system_failure(path);
    return {};
}

} // namespace

local_listener::local_listener(flowtap::descriptor socket, std::string path)
    : socket_(std::move(socket)), path_(std::move(path)) {}

flowtap::result<local_listener> local_listener::open(const std::string& path,
                                                     flowtap::opener& via) {
    if (const auto free = make_place(path); !free)
        return flowtap::fail(free.error());
    auto made = via.local_listener(path);
    if (!made)
        return flowtap::fail(made.error());
    local_listener listening(std::move(*made), path);
    struct stat there {};
    if (::lstat(path.c_str(), &there) == 0) {
        listening.device_ = there.st_dev;
        listening.node_ = there.st_ino;
    }
    return listening;
}

local_listener::~local_listener() {
    struct stat there {};
    if (socket_ && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ &&
        there.st_ino == node_)
        ::unlink(path_.c_str());
}

} // namespace dfcd
