// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <flowtap/capture/error.hpp>
#include <flowtap/capture/ring_source.hpp>
#include <flowtap/packet/segmentation.hpp>

#include "device.hpp"
#include "fanout.hpp"
#include "packet_arena.hpp"
#include "packet_unloader.hpp"
#include "ring_socket.hpp"

namespace flowtap::capture {

namespace {

/// How often a busy source asks the kernel what was lost.
constexpr unsigned reads_per_statistics = 32;
/// How often a source looks for its device when the system does not tell of it.
constexpr std::chrono::milliseconds look_again{500};
/// Longer than the kernel holds packets back in a block that is not full.
constexpr int quiet_time = 20;

} // namespace

struct ring_source::state {
    state(std::string name, live_options with, opener& through)
        : device(std::move(name)), options(std::move(with)), opening(&through) {}

    result<void> open();
    void update_lost() noexcept;
    void look_at_device() noexcept;
    void look_for_device() noexcept;
    bool replace_socket() noexcept;
    bool has_leftovers() const noexcept;
    void enter(device_state next) noexcept;
    void sleep(std::chrono::milliseconds limit) noexcept;

    const std::string device;
    const live_options options;
    opener* const opening;
    std::shared_ptr<detail::fanout_group> group; ///< null for a source that shares with no other
    descriptor wake;
    std::optional<detail::ring_socket> socket;
    detail::packet_unloader unload;
    /// Only while the device is down or gone.
    std::optional<detail::device_news> news;
    device_state now = device_state::up;
    unsigned reads = 0;
    std::uint64_t lost = 0;
    bool failed = false;
    std::string reason;
};

result<void> ring_source::state::open() {
    auto opened = detail::ring_socket::open(device, options, group.get(), *opening);
    if (!opened)
        return fail(opened.error());
    socket.emplace(std::move(*opened));
    unload.begin(options.port, socket->device().link.value());
    wake = descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake)
        return fail(error(std::error_code(errno, std::system_category()), device));
    if (!socket->device().is_up)
        enter(device_state::down);
    return {};
}

void ring_source::state::update_lost() noexcept {
    reads = 0;
    lost += socket->take_lost();
}

void ring_source::state::enter(device_state next) noexcept {
    if (next == now)
        return;
    now = next;
    if (next == device_state::up)
        news.reset();
    else if (!news)
        news.emplace(detail::device_news::subscribe());
    if (options.on_change)
        options.on_change(next);
}

/// Finds out what an error of the socket is about.
void ring_source::state::look_at_device() noexcept {
    switch (socket->check(reason)) {
    case detail::ring_socket::condition::fine:
        return;
    case detail::ring_socket::condition::broken:
        failed = true;
        return;
    case detail::ring_socket::condition::device_changed:
        // It may be up again already; what was missed is told all the same.
        enter(socket->has_device() ? device_state::down : device_state::gone);
        look_for_device();
    }
}

/// Looks whether a device that was down is up, or one that was gone is there again.
void ring_source::state::look_for_device() noexcept {
    if (news)
        news->drain();
    if (now == device_state::down && !socket->has_device())
        enter(device_state::gone);
    if (now == device_state::gone && !replace_socket())
        return;
    const auto found = detail::look_up(socket->number(), device);
    const bool same = found && found->index == socket->device().index;
    if (same && found->is_up)
        enter(device_state::up);
}

/// Captures the device that has the name now. False when there is none, when packets of the one
/// before are still to be read, or when it cannot be done for now.
bool ring_source::state::replace_socket() noexcept {
    try {
        if (!detail::look_up(socket->number(), device) || has_leftovers())
            return false;
        auto opened = detail::ring_socket::open(device, options, group.get(), *opening);
        if (!opened)
            return false;
        update_lost();
        socket.emplace(std::move(*opened));
    } catch (const std::bad_alloc&) {
        return false;
    }
    unload.begin(options.port, socket->device().link.value());
    now = device_state::down;
    return true;
}

bool ring_source::state::has_leftovers() const noexcept {
    pollfd asked{socket->number(), POLLIN, 0};
    return ::poll(&asked, 1, quiet_time) > 0 && (asked.revents & POLLIN) != 0;
}

void ring_source::state::sleep(std::chrono::milliseconds limit) noexcept {
    std::array<pollfd, 3> asked{{{socket->number(), POLLIN, 0},
                                 {wake.number(), POLLIN, 0},
                                 {news ? news->number() : -1, POLLIN, 0}}};
    if (now != device_state::up)
        limit = std::min(limit, look_again);
    if (::poll(asked.data(), asked.size(), static_cast<int>(limit.count())) < 0)
        return;
    if ((asked[1].revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto taken = ::read(wake.number(), &count, sizeof count);
    }
    if ((asked[0].revents & POLLERR) != 0)
        look_at_device();
    else if (now != device_state::up && (asked[0].revents & POLLIN) == 0)
        look_for_device();
}

result<std::unique_ptr<ring_source>> ring_source::open(const std::string& device,
                                                       const live_options& options, opener& with) {
    auto opened = open_shared(device, 1, options, with);
    if (!opened)
        return fail(opened.error());
    return std::move(opened->front());
}

result<std::vector<std::unique_ptr<ring_source>>>
ring_source::open_shared(const std::string& device, std::size_t count, const live_options& options,
                         opener& with) {
    if (!options.filter.empty())
        return fail(errc::invalid_filter, options.filter);
    const auto group = count > 1 ? std::make_shared<detail::fanout_group>() : nullptr;
    std::vector<std::unique_ptr<ring_source>> made;
    live_options each = options;
    for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) {
        auto one = std::make_unique<state>(device, each, with);
        one->group = group;
        if (auto opened = one->open(); !opened)
            return fail(opened.error());
        made.push_back(std::unique_ptr<ring_source>(new ring_source(std::move(one))));
        each.on_change = nullptr;
    }
    return made;
}

ring_source::ring_source(std::unique_ptr<state> with) noexcept : state_(std::move(with)) {}
ring_source::~ring_source() = default;

path::read_result ring_source::read(std::span<path::captured_packet> packets) noexcept {
    state& s = *state_;
    const std::size_t count = s.unload.read(s.socket->ring(), packets);
    // Before the caller goes to sleep, so that the count is right when all is quiet.
    if (count == 0 || ++s.reads >= reads_per_statistics)
        s.update_lost();
    if (s.failed)
        return {count, path::source_state::failed};
    return {count, count == 0 ? path::source_state::idle : path::source_state::ready};
}

void ring_source::wait(std::chrono::milliseconds limit) noexcept {
    state_->sleep(limit);
}

void ring_source::interrupt() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(state_->wake.number(), &one, sizeof one);
}

path::backpressure ring_source::when_full() const noexcept {
    return path::backpressure::drop;
}

std::uint64_t ring_source::lost() const noexcept {
    return state_->lost;
}

error ring_source::failure() const {
    if (!state_->failed)
        return {};
    return error(errc::device_failed, state_->device + ": " + state_->reason);
}

packet::link_type ring_source::link() const noexcept {
    return state_->socket->device().link.value();
}

ring_counters ring_source::counters() const noexcept {
    return state_->unload.counters();
}

} // namespace flowtap::capture
