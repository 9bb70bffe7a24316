// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

#ifdef __linux__
#include <linux/filter.h>
#include <sys/socket.h>
#endif

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/kernel_filter.hpp>

namespace flowtap::capture {

namespace {

result<void> too_long(std::size_t instructions) {
    return fail(errc::filter_not_in_kernel, std::to_string(instructions) + " instructions");
}

#ifdef __linux__

constexpr std::uint32_t whole_packet = 0xFFFF'FFFF;

/// Gives a socket `front`, followed by `program`, in place of what it has.
result<void> attach(int socket, std::span<const bpf_instruction> front,
                    std::span<const bpf_instruction> program) {
    std::vector<sock_filter> all;
    all.reserve(front.size() + program.size() + 1);
    for (const auto part : {front, program})
        for (const bpf_instruction& each : part)
            all.push_back({each.code, each.jump_true, each.jump_false, each.operand});
    if (program.empty())
        all.push_back({BPF_RET | BPF_K, 0, 0, whole_packet});
    if (all.size() > BPF_MAXINSNS)
        return too_long(all.size());
    const sock_fprog wanted{static_cast<unsigned short>(all.size()), all.data()};
    if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &wanted, sizeof wanted) != 0)
        return fail(errc::filter_not_in_kernel,
                    std::error_code(errno, std::system_category()).message());
    return {};
}

#else

result<void> attach(int, std::span<const bpf_instruction> front,
                    std::span<const bpf_instruction> program) {
    if (front.empty() && program.empty())
        return {};
    return fail(errc::filter_not_in_kernel);
}

#endif

} // namespace

struct kernel_filter::state {
    struct socket {
        int number;
        std::vector<bpf_instruction> front;
    };

    result<void> attach_to_all(std::span<const bpf_instruction> wanted) const;

    mutable std::mutex guard;
    std::vector<bpf_instruction> program;
    std::vector<socket> sockets;
};

result<void> kernel_filter::state::attach_to_all(std::span<const bpf_instruction> wanted) const {
    result<void> outcome;
    for (const socket& each : sockets)
        if (auto attached = attach(each.number, each.front, wanted); !attached && outcome)
            outcome = std::move(attached);
    return outcome;
}

kernel_filter::kernel_filter() : state_(std::make_unique<state>()) {}
kernel_filter::~kernel_filter() = default;

result<void> kernel_filter::replace(std::span<const bpf_instruction> program) {
    state& s = *state_;
    const std::lock_guard held(s.guard);
    result<void> outcome =
        program.size() > max_instructions ? too_long(program.size()) : s.attach_to_all(program);
    if (outcome) {
        s.program.assign(program.begin(), program.end());
    } else {
        s.program.clear();
        [[maybe_unused]] const auto opened = s.attach_to_all({});
    }
    return outcome;
}

result<void> kernel_filter::add(int socket, std::vector<bpf_instruction> front) {
    state& s = *state_;
    const std::lock_guard held(s.guard);
    if (auto attached = attach(socket, front, s.program); !attached)
        return attached;
    s.sockets.push_back({socket, std::move(front)});
    return {};
}

void kernel_filter::remove(int socket) noexcept {
    const std::lock_guard held(state_->guard);
    std::erase_if(state_->sockets,
                  [socket](const state::socket& each) { return each.number == socket; });
}

std::size_t kernel_filter::sockets() const noexcept {
    const std::lock_guard held(state_->guard);
    return state_->sockets.size();
}

} // namespace flowtap::capture
