// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <flowtap/core/clock.hpp>
#include <flowtap/transport/api.hpp>

namespace boost::asio {
class io_context;
}

namespace flowtap::transport {

/// The loop on which everything of the control side runs, one thread at a time: sessions, timers,
/// signals, and what other threads post.
///
/// It is an `io_context` of Boost.Asio, its own or one that the program already has. A program
/// needs Asio's headers only for the latter. `post` and `stop` may be called from any thread;
/// everything else belongs to the thread that runs the loop (or, before that, to the one that
/// prepares it).
class FLOWTAP_TRANSPORT_API event_loop {
public:
    event_loop();
    /// Uses `theirs`, which must outlive the loop and be run by one thread.
    explicit event_loop(boost::asio::io_context& theirs);
    ~event_loop();
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;

    /// Runs until `stop` is called. Can be called again after that.
    void run();

    /// Does what is ready without waiting, and returns how many things that were.
    std::size_t poll();

    /// Makes `run` return once the handler it is in returns.
    void stop();

    /// Calls `what` from the loop, after everything that was posted before it.
    void post(std::function<void()> what);

    /// Calls `what` from the loop whenever the process gets the signal `number`. The signal is
    /// handled so from now on for the whole process.
    void on_signal(int number, std::function<void()> what);

    /// The time now.
    time_stamp now() const;

    boost::asio::io_context& context() noexcept;

private:
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

/// Calls something once at a given time, from the loop. Destroying the timer cancels it.
class FLOWTAP_TRANSPORT_API loop_timer {
public:
    explicit loop_timer(event_loop& loop);
    ~loop_timer();
    loop_timer(const loop_timer&) = delete;
    loop_timer& operator=(const loop_timer&) = delete;

    /// Calls `what` at `when`, or soon when that is past. Replaces what was planned before.
    void call_at(steady_time when, std::function<void()> what);
    /// After this returns nothing is called any more.
    void cancel();

private:
    struct implementation;
    std::shared_ptr<implementation> implementation_;
};

} // namespace flowtap::transport
