// SPDX-License-Identifier: Apache-2.0
#include "threads.hpp"

#include <csignal>
#include <utility>

#include <sys/resource.h>

namespace dfcd {

namespace {

constexpr int lowest_priority = 19;

/// No signal is delivered to this thread as long as this lives. A new thread begins with the mask
/// of the one that makes it.
class signals_held_back {
public:
    signals_held_back() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~signals_held_back() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    signals_held_back(const signals_held_back&) = delete;
    signals_held_back& operator=(const signals_held_back&) = delete;

private:
    sigset_t before_;
};

} // namespace

std::thread start_thread(std::function<void()> what) {
    const signals_held_back while_it_starts;
    return std::thread(std::move(what));
}

background_thread::background_thread(std::function<void()> after)
    : after_(std::move(after)), thread_(start_thread([this] { work(); })) {}

background_thread::~background_thread() {
    {
        const std::lock_guard held(guard_);
        ended_ = true;
    }
    news_.notify_one();
    thread_.join();
}

void background_thread::run(std::function<void()> what) {
    {
        const std::lock_guard held(guard_);
        waiting_.push_back(std::move(what));
    }
    news_.notify_one();
}

void background_thread::work() {
    // On Linux this is about the calling thread only.
    setpriority(PRIO_PROCESS, 0, lowest_priority);
    std::unique_lock held(guard_);
    for (;;) {
        news_.wait(held, [this] { return ended_ || !waiting_.empty(); });
        if (ended_)
            return;
        auto next = std::move(waiting_.front());
        waiting_.pop_front();
        held.unlock();
        next();
        next = nullptr;
        after_();
        held.lock();
    }
}

} // namespace dfcd
