// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace flowtap::transport {

/// The threads for what takes long before a session is served: key exchange, password hashes,
/// questions to other servers. Each connection has at most one job here, so the queue is no longer
/// than there are connections.
class login_pool {
public:
    /// So many at most. They start when there is a job and all others are busy, and so with the
    /// rights that the program has by then.
    explicit login_pool(std::size_t threads);
    ~login_pool();

    /// Runs `job`, which must not throw, on one of the threads. For one thread.
    void submit(std::function<void()> job);

    /// Waits for the jobs that run and drops those that wait. Nothing runs after this.
    void join();

private:
    void start_one();
    void work();

    const std::size_t most_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> jobs_;
    /// Threads that wait for a job.
    std::size_t idle_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace flowtap::transport
