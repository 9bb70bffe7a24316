// SPDX-License-Identifier: Apache-2.0
#include "file_stream.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace flowtap::capture::detail {

file_stream::file_stream(descriptor file, descriptor wake, std::string path) noexcept
    : file_(std::move(file)), wake_(std::move(wake)), path_(std::move(path)) {}

result<std::unique_ptr<file_stream>> file_stream::make(descriptor file, std::string path) {
    struct stat about {};
    const bool is_regular = ::fstat(file.number(), &about) == 0 && S_ISREG(about.st_mode);
    descriptor wake;
    if (!is_regular)
        wake = descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!is_regular && !wake)
        return fail(error(std::error_code(errno, std::system_category()), std::move(path)));
    std::unique_ptr<file_stream> made(
        new file_stream(std::move(file), std::move(wake), std::move(path)));
    if (is_regular) {
        // Standard input may stand anywhere in a file.
        const off_t begin = ::lseek(made->file_.number(), 0, SEEK_CUR);
        made->size_ = static_cast<std::uint64_t>(about.st_size - (begin > 0 ? begin : 0));
        ::posix_fadvise(made->file_.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return made;
}

void file_stream::interrupt() noexcept {
    interrupted_.store(true, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    if (wake_)
        static_cast<void>(::write(wake_.number(), &one, sizeof one) == sizeof one);
}

/// Of a regular file there are octets, if only the end.
stream_state file_stream::wait_for_octets(patience how) noexcept {
    while (wake_) {
        std::array<pollfd, 2> asked{{{file_.number(), POLLIN, 0}, {wake_.number(), POLLIN, 0}}};
        const int ready = ::poll(asked.data(), asked.size(), how == patience::wait ? -1 : 0);
        if (interrupted_.load(std::memory_order_relaxed))
            return stream_state::interrupted;
        if (ready < 0 && errno != EINTR) {
            failure_ = errno;
            return stream_state::failed;
        }
        if (ready > 0 && asked[0].revents != 0)
            return stream_state::ready;
        if (ready == 0)
            return stream_state::would_wait;
    }
    return interrupted_.load(std::memory_order_relaxed) ? stream_state::interrupted
                                                        : stream_state::ready;
}

stream_read file_stream::read(std::span<std::byte> into, patience how) noexcept {
    while (failure_ == 0) {
        if (const stream_state state = wait_for_octets(how); state != stream_state::ready)
            return {0, state};
        const ssize_t count = ::read(file_.number(), into.data(), into.size());
        if (count > 0) {
            const auto octets = static_cast<std::size_t>(count);
            position_.store(position() + octets, std::memory_order_relaxed);
            return {octets, stream_state::ready};
        }
        if (count == 0)
            return {0, stream_state::ended};
        // Another reader of the same pipe may have been faster.
        if (errno != EINTR && errno != EAGAIN)
            failure_ = errno;
    }
    return {0, stream_state::failed};
}

error file_stream::failure() const {
    if (failure_ == 0)
        return {};
    return error(std::error_code(failure_, std::system_category()), path_);
}

} // namespace flowtap::capture::detail
