// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/deliver/socket_options.hpp>

#include "route_table.hpp"

namespace flowtap::deliver::detail {

/// A route table on the sockets of this system, for several threads.
class route_watch_state final : private network_view {
public:
    static result<std::unique_ptr<route_watch_state>> open(const socket_options& options);

    /// Reads what the system has told, if that is due and no other thread is at it.
    void poll(steady_time now) noexcept;
    /// The same, in any case.
    void poll_now(steady_time now) noexcept;
    egress_plan look_up(const ip_address& to, steady_time now) noexcept;
    /// Any thread, without a lock.
    std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_relaxed); }
    std::uint64_t overruns() const noexcept { return overruns_.load(std::memory_order_relaxed); }
    bool can_resolve() const noexcept { return static_cast<bool>(solicitors_[0].socket); }

    /// Waits until there is something to read, at most `limit`.
    void wait(std::chrono::milliseconds limit) noexcept;

private:
    /// A packet socket that asks, and receives answers while there are questions.
    struct solicitor {
        descriptor socket;
        std::uint16_t ethertype = 0;
        bool listening = false;
    };

    explicit route_watch_state(const socket_options& options)
        : mark_(options.mark.value_or(0)), device_name_(options.device), table_(*this) {}

    result<void> open_sockets(const socket_options& options);
    void open_solicitor(solicitor& its, std::uint16_t ethertype, const socket_options& options);
    void read_all(steady_time now) noexcept;
    void read_events(steady_time now) noexcept;
    void read_answers(solicitor& its, steady_time now) noexcept;
    void listen(solicitor& its, bool wanted) noexcept;
    void show() noexcept;

    bool find_device() noexcept;
    route_state route_to(const ip_address& to) noexcept override;
    link_state link(unsigned index) noexcept override;
    neighbour_state neighbour(unsigned device, const ip_address& address) noexcept override;
    std::size_t socket_mtu(const ip_address& to) noexcept override;
    void send(unsigned device, const solicitation& frame) noexcept override;

    /// The answer to a request; none when the system refuses. Valid until the next call.
    std::optional<netlink_message> answer_to(const netlink_request& request) noexcept;

    const std::uint32_t mark_;
    const std::string device_name_; ///< the only device that routes may lead out of; empty: any
    std::mutex guard_;
    std::atomic<std::int64_t> due_{INT64_MIN}; ///< when to read next, as the steady clock counts
    std::atomic<std::uint64_t> version_{1};
    std::atomic<std::uint64_t> changes_{0};
    std::atomic<std::uint64_t> overruns_{0};

    // All else is guarded.
    unsigned device_ = 0; ///< the number that the device had last
    descriptor events_;
    descriptor questions_;
    std::uint32_t sequence_ = 0;
    std::array<descriptor, 2> plain_; ///< ordinary sockets, IPv4 and IPv6, that send nothing
    std::array<solicitor, 2> solicitors_;
    steady_time tick_due_;
    route_table table_;
    std::array<std::byte, 32768> told_;
    std::array<std::byte, 8192> answer_;
};

} // namespace flowtap::deliver::detail
