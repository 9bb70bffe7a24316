// SPDX-License-Identifier: Apache-2.0
#include "login_pool.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using flowtap::transport::login_pool;

namespace {

/// Counts who is there, and lets them wait for others: for a minute if these never come.
class meeting {
public:
    /// False if there never were as many at a time.
    bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        ++here_;
        most_ = std::max(most_, here_);
        changed_.notify_all();
        const bool met = changed_.wait_for(lock, 60s, [&] { return most_ >= count; });
        --here_;
        ++gone_;
        changed_.notify_all();
        return met;
    }

    bool wait_until_gone(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, 60s, [&] { return gone_ >= count; });
    }

    std::size_t most() const { return most_; }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t here_ = 0;
    std::size_t most_ = 0;
    std::size_t gone_ = 0;
};

} // namespace

TEST_CASE("a job does not wait for others as long as there may be more threads") {
    login_pool pool(3);
    meeting jobs;
    for (int number = 0; number < 3; ++number)
        pool.submit([&] { jobs.wait_for(3); });
    CHECK(jobs.wait_until_gone(3));
    CHECK(jobs.most() == 3);
    pool.join();
}

TEST_CASE("there are no more threads than there may be") {
    login_pool pool(2);
    meeting jobs;
    for (int number = 0; number < 50; ++number)
        pool.submit([&] { jobs.wait_for(1); });
    CHECK(jobs.wait_until_gone(50));
    CHECK(jobs.most() <= 2);
    pool.join();
}
