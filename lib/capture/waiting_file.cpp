// SPDX-License-Identifier: Apache-2.0
#include "waiting_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace flowtap::capture::detail {

std::unique_ptr<waiting_file> waiting_file::make(descriptor file) {
    descriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake)
        return nullptr;
    return std::unique_ptr<waiting_file>(new waiting_file(std::move(file), std::move(wake)));
}

waiting_file::waiting_file(descriptor file, descriptor wake) noexcept
    : file_(std::move(file)), wake_(std::move(wake)) {}

std::FILE* waiting_file::stream() {
    cookie_io_functions_t functions{};
    functions.read = &waiting_file::read_for;
    std::FILE* made = ::fopencookie(this, "rb", functions);
    // What is read ahead is kept here, where has_octets() sees it.
    if (made != nullptr)
        std::setvbuf(made, nullptr, _IONBF, 0);
    return made;
}

bool waiting_file::has_octets() const noexcept {
    if (begin_ != end_)
        return true;
    pollfd asked{file_.number(), POLLIN, 0};
    return ::poll(&asked, 1, 0) > 0;
}

void waiting_file::interrupt() noexcept {
    interrupted_.store(true, std::memory_order_relaxed);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(wake_.number(), &one, sizeof one);
}

ssize_t waiting_file::read_for(void* self, char* into, std::size_t room) {
    return static_cast<waiting_file*>(self)->read(into, room);
}

ssize_t waiting_file::read(char* into, std::size_t room) noexcept {
    if (begin_ == end_) {
        const ssize_t count = refill();
        if (count <= 0)
            return count;
    }
    const std::size_t count = std::min(room, end_ - begin_);
    std::memcpy(into, buffer_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
}

/// Waits for octets. 0 at the end and when interrupted, -1 with `errno` for an error.
ssize_t waiting_file::refill() noexcept {
    for (;;) {
        std::array<pollfd, 2> asked{{{file_.number(), POLLIN, 0}, {wake_.number(), POLLIN, 0}}};
        const int ready = ::poll(asked.data(), asked.size(), -1);
        if (is_interrupted())
            return 0;
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready <= 0 || asked[0].revents == 0)
            continue;
        const ssize_t count = ::read(file_.number(), buffer_.data(), buffer_.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        begin_ = 0;
        end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
        return count;
    }
}

} // namespace flowtap::capture::detail
