// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace flowtap::tap {

/// As `surroundings::background`.
using background_executor = std::function<void(std::function<void()>)>;

/// Long work that is done elsewhere, one piece at a time. `Work` is moved and has `void run()
/// noexcept`.
///
/// A piece owns all that it reads, and what is handed out owns the piece. So it may run at any time
/// and on any thread, also when this is gone: then its outcome is dropped. It may be dropped unrun,
/// too. Everything but what is handed out is for one thread.
template <class Work>
class background_work {
public:
    /// Null: no other thread is to be had, and `begin` does the work itself.
    explicit background_work(background_executor elsewhere) : elsewhere_(std::move(elsewhere)) {}

    bool is_elsewhere() const noexcept { return elsewhere_ != nullptr; }

    /// Hands `what` out. Nothing must be begun that was not collected.
    void begin(Work what) {
        auto begun = std::make_shared<task>(std::move(what));
        auto handed_out = std::make_shared<errand>(begun);
        task_ = std::move(begun);
        if (elsewhere_)
            elsewhere_([errand = std::move(handed_out)] { errand->run(); });
        else
            handed_out->run();
    }

    /// Whether something was begun and not collected.
    bool is_begun() const noexcept { return task_ != nullptr; }
    /// Whether something has run that `collect` would take.
    bool is_done() const noexcept { return has(state::done); }

    /// What was begun, when it has run or was dropped; none until then.
    std::optional<Work> collect() {
        if (!task_ || has(state::under_way))
            return std::nullopt;
        std::optional<Work> what(std::move(task_->what));
        task_.reset();
        return what;
    }

private:
    enum class state { under_way, done, dropped };

    /// A piece and how far it is. Whoever executes has it until the state says otherwise.
    struct task {
        explicit task(Work work) : what(std::move(work)) {}
        Work what;
        std::atomic<state> now{state::under_way};
    };

    /// What an executor holds: copies of one function share it, and the last one to go tells
    /// whether it was called.
    class errand {
    public:
        explicit errand(std::shared_ptr<task> what) : task_(std::move(what)) {}
        errand(const errand&) = delete;
        errand& operator=(const errand&) = delete;
        ~errand() {
            if (!has_run_)
                task_->now.store(state::dropped, std::memory_order_release);
        }

        void run() {
            if (std::exchange(has_run_, true))
                return;
            task_->what.run();
            task_->now.store(state::done, std::memory_order_release);
        }

    private:
        std::shared_ptr<task> task_;
        bool has_run_ = false;
    };

    bool has(state wanted) const noexcept {
        return task_ && task_->now.load(std::memory_order_acquire) == wanted;
    }

    background_executor elsewhere_;
    /// Null when there is nothing to collect.
    std::shared_ptr<task> task_;
};

} // namespace flowtap::tap
