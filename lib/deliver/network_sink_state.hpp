// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/descriptor.hpp>
#include <flowtap/deliver/network_sink.hpp>
#include <flowtap/path/delivery_ledger.hpp>

#include "destination_table.hpp"
#include "frame_batch.hpp"
#include "pending_copies.hpp"
#include "route_watch_state.hpp"
#include "sockets.hpp"

namespace flowtap::deliver {

struct network_sink::state {
    /// Copies that are looked at before what was made of them is sent.
    static constexpr std::size_t scan_limit = 256;

    state(const network_options& with, detail::route_watch_state* known)
        : options(with), routes(known), udp(with) {}

    std::size_t take(std::span<const path::copy> copies) noexcept;
    std::size_t take_frames(std::span<const path::copy> copies) noexcept;
    std::size_t take_by_system(std::span<const path::copy> copies) noexcept;

    /// What is to be done with a copy that was looked at.
    enum class step : std::uint8_t { next, by_system, full };
    step scan(const path::copy& what, std::size_t number) noexcept;
    step put_frames(const path::copy& what, std::size_t number,
                    const detail::egress_plan& plan) noexcept;
    step note(std::size_t number, path::drop_cause cause) noexcept;
    std::size_t send_frames(std::span<const path::copy> copies, std::size_t scanned) noexcept;
    std::size_t on_refusal(std::span<const path::copy> copies, std::size_t number,
                           int reason) noexcept;
    void settle(std::span<const path::copy> copies, std::size_t done) noexcept;
    void report_to(path::delivery_ledger& to) noexcept {
        ledger = &to;
        udp.report_to(to);
        if (raw != nullptr)
            raw->report_to(to);
    }

    detail::destination* destination_of(const path::copy& what) noexcept {
        return destinations.find(what.header->parameters().destination.address, now);
    }
    detail::egress_plan::way way_of(detail::destination& its) noexcept;
    void look_up(detail::destination& its) noexcept;
    bool make_room_for(const path::copy& what) noexcept;
    path::sink* system_sink_for(const path::copy& what) noexcept;
    bool system_is_busy() const noexcept;
    void flush(detail::destination& its) noexcept;
    bool send_first(detail::destination& its) noexcept;
    void tell_end_of(const path::copy& what, const path::delivery_counters& before,
                     const path::delivery_counters& after) noexcept;
    void start() noexcept {
        now = std::chrono::steady_clock::now();
        if (routes != nullptr)
            routes->poll(now);
        version = routes == nullptr ? 0 : routes->version();
    }

    const network_options options;
    detail::route_watch_state* const routes; ///< owned by `options`
    udp_sink udp;
    std::unique_ptr<raw_ip_sink> raw;
    descriptor frame_socket; ///< none where copies do not leave as frames
    detail::destination_table destinations;
    detail::pending_copies pending;
    detail::frame_batch frames;
    path::delivery_ledger* ledger = nullptr;
    /// What becomes of a copy that was queued, and so is in `ledger` already.
    path::delivery_ledger second_count;

    /// What was found for a copy of those at hand that is no frame: it is dropped, or was queued.
    struct finding {
        std::size_t number;
        detail::destination* queued_for; ///< null: dropped
        path::drop_cause cause;
    };
    std::array<finding, scan_limit> findings;
    std::size_t finding_count = 0;
    std::size_t settled = 0; ///< copies at the front that the ledger was told of

    steady_time now;
    std::uint64_t version = 0;
    path::sink* full_sink = nullptr; ///< the one of the system's that had no room
    int full_error = 0;              ///< why a frame had none; 0: it was not a frame
};

} // namespace flowtap::deliver
