// SPDX-License-Identifier: Apache-2.0
#include "configuration_store.hpp"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <flowtap/config/error.hpp>

#include "state_files.hpp"

namespace dfcd {

namespace config = flowtap::config;

namespace {

constexpr unsigned most_versions = 49;

} // namespace

configuration_store::configuration_store(std::string path, config::tree in_force)
    : path_(std::move(path)), in_force_(std::make_shared<config::tree>(std::move(in_force))) {}

std::string configuration_store::version_path(unsigned number) const {
    return path_ + '.' + std::to_string(number);
}

flowtap::result<config::tree> configuration_store::earlier(unsigned number) const {
    std::ifstream file(version_path(number), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto parsed = config::parse_tree(text);
    if (!file.is_open() || file.bad() || !parsed.errors.empty())
        return flowtap::fail(config::errc::unreadable_file, version_path(number));
    return std::move(parsed.statements);
}

flowtap::result<void> configuration_store::put(const config::tree& next) {
    // The new file is made first: what most often fails leaves everything as it was.
    const auto made = prepare_file(path_, to_text(next));
    if (!made)
        return flowtap::fail(made.error());
    for (unsigned number = most_versions; number > 1; --number)
        std::rename(version_path(number - 1).c_str(), version_path(number).c_str());
    // One more name of the file, so that it is there all the time.
    const std::string before = version_path(1);
    ::unlink(before.c_str());
    if (::link(path_.c_str(), before.c_str()) == 0)
        ::chmod(before.c_str(), S_IRUSR | S_IWUSR);
    if (const auto put = put_file(path_); !put)
        return put;
    in_force_ = std::make_shared<config::tree>(next);
    return {};
}

void configuration_store::adopt(config::tree found) {
    in_force_ = std::make_shared<config::tree>(std::move(found));
}

} // namespace dfcd
