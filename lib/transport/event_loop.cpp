// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <flowtap/transport/event_loop.hpp>

#include "asio.hpp"

namespace flowtap::transport {

namespace asio = boost::asio;

struct event_loop::implementation {
    explicit implementation(asio::io_context* theirs) {
        if (theirs == nullptr)
            context = &own.emplace(1);
        else
            context = theirs;
    }

    std::optional<asio::io_context> own;
    asio::io_context* context = nullptr;

    struct signal_watch {
        signal_watch(asio::io_context& on, int number, std::function<void()> call)
            : set(on, number), what(std::move(call)) {}
        asio::signal_set set;
        std::function<void()> what;
    };
    std::vector<std::shared_ptr<signal_watch>> signals;

    static void watch(const std::shared_ptr<signal_watch>& one) {
        one->set.async_wait([one](const boost::system::error_code& failure, int) {
            if (failure)
                return;
            one->what();
            watch(one);
        });
    }
};

event_loop::event_loop() : implementation_(std::make_unique<implementation>(nullptr)) {}

event_loop::event_loop(asio::io_context& theirs)
    : implementation_(std::make_unique<implementation>(&theirs)) {}

event_loop::~event_loop() {
    for (const auto& one : implementation_->signals)
        one->set.cancel();
}

void event_loop::run() {
    const auto keep_running = asio::make_work_guard(*implementation_->context);
    implementation_->context->restart();
    implementation_->context->run();
}

std::size_t event_loop::poll() {
    implementation_->context->restart();
    return implementation_->context->poll();
}

void event_loop::stop() {
    // A stop that comes before `run` must not be forgotten by its restart.
    asio::post(*implementation_->context,
               [context = implementation_->context] { context->stop(); });
}

void event_loop::post(std::function<void()> what) {
    asio::post(*implementation_->context, std::move(what));
}

void event_loop::on_signal(int number, std::function<void()> what) {
    auto one = std::make_shared<implementation::signal_watch>(*implementation_->context, number,
                                                              std::move(what));
    implementation_->signals.push_back(one);
    implementation::watch(one);
}

time_stamp event_loop::now() const {
    return {
        std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now()),
        std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now())};
}

asio::io_context& event_loop::context() noexcept {
    return *implementation_->context;
}

struct loop_timer::implementation {
    explicit implementation(asio::io_context& context) : timer(context) {}

    asio::steady_timer timer;
    std::function<void()> what;
    /// Counts what was planned, so that a call already on its way can be recognised as cancelled.
    std::uint64_t planned = 0;
};

loop_timer::loop_timer(event_loop& loop)
    : implementation_(std::make_shared<implementation>(loop.context())) {}

loop_timer::~loop_timer() {
    cancel();
}

void loop_timer::call_at(steady_time when, std::function<void()> what) {
    implementation_->what = std::move(what);
    const std::uint64_t number = ++implementation_->planned;
    implementation_->timer.expires_at(
        std::chrono::time_point_cast<std::chrono::steady_clock::duration>(when));
    implementation_->timer.async_wait(
        [state = implementation_, number](const boost::system::error_code& failure) {
            if (failure || state->planned != number)
                return;
            // What is called may plan anew, so it must not stand where it is replaced.
            const std::function<void()> due = std::move(state->what);
            state->what = nullptr;
            due();
        });
}

void loop_timer::cancel() {
    ++implementation_->planned;
    implementation_->what = nullptr;
    implementation_->timer.cancel();
}

} // namespace flowtap::transport
