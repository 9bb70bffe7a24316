// SPDX-License-Identifier: Apache-2.0
#include "output_directory.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <utility>

namespace flowtap::tools {

namespace {

/// Their buffers are what bounds the memory for files.
constexpr std::size_t open_files = 256;

unexpected<error> system_failure(const std::string& subject) {
    return fail(error(std::error_code(errno, std::system_category()), subject));
}

bool holds_captures(const std::string& path) {
    std::error_code unknown;
    for (const auto& entry : std::filesystem::directory_iterator(path, unknown))
        if (entry.path().extension() == ".pcap")
            return true;
    return false;
}

} // namespace

result<output_directory> output_directory::open(const std::string& path, packet::link_type link,
                                                existing_files found) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return system_failure(path);
    output_directory made;
    made.directory_.reset(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!made.directory_)
        return system_failure(path);
    if (found == existing_files::keep && holds_captures(path))
        return fail(error(std::make_error_code(std::errc::file_exists), path));
    made.path_ = path;
    made.link_ = link;
    made.found_ = found;
    return made;
}

result<capture_writer> output_directory::open_writer(const intercept_file& file) const {
    const std::string path = path_ + '/' + file.name;
    int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    if (!file.begun_)
        flags |= O_CREAT | (found_ == existing_files::keep ? O_EXCL : O_TRUNC);
    descriptor opened(::openat(directory_.number(), file.name.c_str(), flags, 0600));
    if (!opened)
        return system_failure(path);
    if (file.begun_)
        return capture_writer::resume(std::move(opened), path);
    return capture_writer::begin(std::move(opened), path, link_);
}

/// Whether `file` is open, which it is afterwards if that is possible.
bool output_directory::ready(intercept_file& file) {
    if (file.writer_) {
        open_.splice(open_.begin(), open_, file.place_);
        return true;
    }
    if (file.broken_)
        return false;
    if (open_.size() == open_files)
        close_oldest();
    auto opened = open_writer(file);
    if (!opened) {
        failure_ = opened.error();
        file.broken_ = true;
        return false;
    }
    file.writer_.emplace(std::move(*opened));
    file.begun_ = true;
    file.place_ = open_.insert(open_.begin(), &file);
    return true;
}

void output_directory::write(intercept_file& to, byte_view packet, wall_time time) {
    if (ready(to))
        to.writer_->write(packet, static_cast<std::uint32_t>(packet.size()), time);
    else
        ++to.unwritten;
}

void output_directory::settle(intercept_file& file) {
    if (auto closed = file.writer_->close(); !closed)
        failure_ = closed.error();
    file.unwritten += file.writer_->unwritten();
    file.writer_.reset();
}

void output_directory::close_oldest() {
    settle(*open_.back());
    open_.pop_back();
}

void output_directory::flush() {
    for (intercept_file* const file : open_) {
        file->writer_->flush();
        if (error reason = file->writer_->failure(); reason.code)
            failure_ = std::move(reason);
    }
}

void output_directory::close() {
    while (!open_.empty())
        close_oldest();
}

} // namespace flowtap::tools
