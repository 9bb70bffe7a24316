// SPDX-License-Identifier: Apache-2.0
#include "watch.hpp"

#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <utility>

namespace flowtap::tools {

namespace {

using clock = std::chrono::steady_clock;

/// How exactly deadlines are kept.
constexpr timespec step{0, 50'000'000};

} // namespace

watch::watch(const end_conditions& when, const std::atomic<std::uint64_t>& copies,
             std::function<void()> on_end)
    : when_(when), copies_(copies), on_end_(std::move(on_end)) {
    sigemptyset(&signals_);
    for (const int number : {SIGINT, SIGTERM, SIGUSR1})
        sigaddset(&signals_, number);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::thread([this] { run(); });
}

watch::~watch() {
    stopping_ = true;
    thread_.join();
}

void watch::run() {
    const clock::time_point begin = clock::now();
    clock::time_point last = begin;
    std::uint64_t seen = 0;
    while (!stopping_) {
        const int number = ::sigtimedwait(&signals_, nullptr, &step);
        if (number > 0)
            handle(number);
        const clock::time_point now = clock::now();
        if (const std::uint64_t copies = copies_.load(std::memory_order_relaxed); copies != seen) {
            seen = copies;
            last = now;
        }
        const bool is_over = when_.duration.count() != 0 && now - begin >= when_.duration;
        const bool is_idle = when_.idle.count() != 0 && now - last >= when_.idle;
        if (is_over || is_idle)
            end();
    }
}

void watch::handle(int number) {
    if (number == SIGUSR1) {
        report_wanted_ = true;
        return;
    }
    if (has_ended())
        std::_Exit(128 + number);
    end();
}

void watch::end() {
    if (ended_.exchange(true, std::memory_order_acq_rel))
        return;
    on_end_();
}

} // namespace flowtap::tools
