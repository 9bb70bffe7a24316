// SPDX-License-Identifier: Apache-2.0
#include "state_files.hpp"

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

} // namespace dfcd
