// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <flowtap/capture/kernel_filter.hpp>

namespace flowtap::capture::detail {

/// Which ways of a device a socket captures.
enum class socket_ways : std::uint8_t { both, incoming, outgoing };

/// Instructions that return 0 for packets with the socket mark `excluded_mark` and for those of a
/// way that is not wanted, and fall through otherwise. They look at nothing in the packet, so the
/// link type does not matter. Only the Linux kernel knows their loads.
std::vector<bpf_instruction> socket_front(std::optional<std::uint32_t> excluded_mark,
                                          socket_ways ways);

/// A socket's place in a kernel filter, given up at the end: before the socket is closed.
class socket_filter {
public:
    socket_filter() = default;
    static result<socket_filter> add(std::shared_ptr<kernel_filter> to, int socket,
                                     std::vector<bpf_instruction> front) {
        if (auto added = to->add(socket, std::move(front)); !added)
            return fail(added.error());
        return socket_filter(std::move(to), socket);
    }
    socket_filter(socket_filter&& other) noexcept
        : of_(std::move(other.of_)), socket_(other.socket_) {}
    socket_filter& operator=(socket_filter&& other) noexcept {
        std::swap(of_, other.of_);
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~socket_filter() {
        if (of_)
            of_->remove(socket_);
    }

private:
    socket_filter(std::shared_ptr<kernel_filter> of, int socket) noexcept
        : of_(std::move(of)), socket_(socket) {}

    std::shared_ptr<kernel_filter> of_;
    int socket_ = -1;
};

} // namespace flowtap::capture::detail
