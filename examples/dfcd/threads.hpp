// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace dfcd {

/// A thread that no signal is delivered to: they are all for the main thread.
std::thread start_thread(std::function<void()> what);

/// One thread for work that can wait: it has the lowest priority (nice 19), so that where cores are
/// short it takes next to nothing from the workers and the control side, and still gets on.
class background_thread {
public:
    /// `after` is called from the thread after each piece of work.
    explicit background_thread(std::function<void()> after);
    /// Drops what has not begun, and waits for what has.
    ~background_thread();
    background_thread(const background_thread&) = delete;
    background_thread& operator=(const background_thread&) = delete;

    /// Calls `what` soon, after everything that came before it. Any thread; does not block.
    void run(std::function<void()> what);

private:
    void work();

    std::function<void()> after_;
    std::mutex guard_;
    std::condition_variable news_;
    std::deque<std::function<void()>> waiting_;
    bool ended_ = false;
    std::thread thread_;
};

} // namespace dfcd
