// SPDX-License-Identifier: Apache-2.0
#include "state_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dfcd {

namespace {

void give_to_owner(const flowtap::descriptor& made, const std::string& directory) {
    struct stat owner {};
    if (::geteuid() != 0 || ::stat(directory.c_str(), &owner) != 0 || owner.st_uid == 0)
        return;
    // Where this fails, opening it says so to whom it matters.
    [[maybe_unused]] const int given = ::fchown(made.number(), owner.st_uid, owner.st_gid);
}

flowtap::unexpected<flowtap::error> system_failure(const std::string& subject) {
    return flowtap::fail(flowtap::error({errno, std::system_category()}, subject));
}

std::string new_path_of(const std::string& path) {
    return path + ".new";
}

/// Writes all of `text` to the disk.
bool write_out(const flowtap::descriptor& to, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(to.number(), text.data(), text.size());
        if (written < 0 && errno != EINTR)
            return false;
        text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return ::fsync(to.number()) == 0;
}

} // namespace

std::string directory_of(const std::string& file) {
    const std::filesystem::path directory = std::filesystem::path(file).parent_path();
    return directory.empty() ? "." : directory.string();
}

flowtap::result<void> make_directory_of(const std::string& file) {
    const std::filesystem::path directory = std::filesystem::path(file).parent_path();
    std::error_code problem;
    if (!directory.empty() && !std::filesystem::exists(directory)) {
        std::filesystem::create_directories(directory, problem);
        if (!problem)
            std::filesystem::permissions(directory, std::filesystem::perms::owner_all, problem);
    }
    if (problem)
        return flowtap::fail(flowtap::error(problem, directory.string()));
    return {};
}

flowtap::descriptor make_state_file(const std::string& path) {
    flowtap::descriptor made(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (made)
        give_to_owner(made, directory_of(path));
    return made;
}

flowtap::result<void> prepare_file(const std::string& path, std::string_view text) {
    const std::string made_path = new_path_of(path);
    // One may be left over from a crash.
    if (::unlink(made_path.c_str()) != 0 && errno != ENOENT)
        return system_failure(made_path);
    const flowtap::descriptor made = make_state_file(made_path);
    if (!made || !write_out(made, text))
        return system_failure(made_path);
    return {};
}

flowtap::result<void> put_file(const std::string& path) {
    const std::string directory = directory_of(path);
    const flowtap::descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!parent)
        return system_failure(directory);
    if (::rename(new_path_of(path).c_str(), path.c_str()) != 0)
        return system_failure(path);
    // The new name must be on the disk, too.
    if (::fsync(parent.number()) != 0)
        return system_failure(directory);
    return {};
}

} // namespace dfcd
