// SPDX-License-Identifier: Apache-2.0
#include "login_pool.hpp"

#include <algorithm>
#include <pthread.h>
#include <signal.h>
#include <utility>

namespace flowtap::transport {

login_pool::login_pool(std::size_t threads) : most_(std::max<std::size_t>(threads, 1)) {}

void login_pool::start_one() {
    // Signals are for the program's own threads.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    threads_.emplace_back([this] { work(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

login_pool::~login_pool() {
    join();
}

void login_pool::submit(std::function<void()> job) {
    bool is_short = false;
    {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        is_short = !stopping_ && idle_ < jobs_.size() && threads_.size() < most_;
    }
    if (is_short)
        start_one();
    changed_.notify_one();
}

void login_pool::join() {
    std::deque<std::function<void()>> dropped;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        dropped.swap(jobs_);
    }
    changed_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

void login_pool::work() {
    for (;;) {
        std::function<void()> job;
        {
            std::unique_lock lock(mutex_);
            ++idle_;
            changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            --idle_;
            if (stopping_)
                return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        job();
    }
}

} // namespace flowtap::transport
