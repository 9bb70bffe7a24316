// SPDX-License-Identifier: Apache-2.0
#include "board.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace traffic {

static_assert(board::word::is_always_lock_free && sizeof(board::word) == 8);

void unmap_board::operator()(board* mapped) const noexcept {
    ::munmap(mapped, board_size);
}

mapped_board map_board(const std::string& file) {
    const int opened = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    if (opened < 0)
        throw std::system_error(errno, std::system_category(), file);
    void* const mapped = ::mmap(nullptr, board_size, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
    const int problem = errno;
    ::close(opened);
    if (mapped == MAP_FAILED)
        throw std::system_error(problem, std::system_category(), file);
    return mapped_board(static_cast<board*>(mapped));
}

} // namespace traffic
