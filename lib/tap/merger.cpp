// SPDX-License-Identifier: Apache-2.0
#include "merger.hpp"

#include <atomic>
#include <utility>

namespace flowtap::tap {

/// A job and how far it is. Whoever executes has the job until the state says otherwise.
struct merger::task {
    enum class state { under_way, done, dropped };

    explicit task(filter::merge_job what) : job(std::move(what)) {}

    filter::merge_job job;
    std::atomic<state> now{state::under_way};
};

/// What an executor holds: copies of one function share it, and the last one to go tells whether
/// it was called.
class merger::errand {
public:
    explicit errand(std::shared_ptr<task> what) : task_(std::move(what)) {}
    errand(const errand&) = delete;
    errand& operator=(const errand&) = delete;
    ~errand() {
        if (!has_run_)
            task_->now.store(task::state::dropped, std::memory_order_release);
    }

    void run() {
        if (std::exchange(has_run_, true))
            return;
        task_->job.run();
        task_->now.store(task::state::done, std::memory_order_release);
    }

private:
    std::shared_ptr<task> task_;
    bool has_run_ = false;
};

merger::merger(background_executor elsewhere) : elsewhere_(std::move(elsewhere)) {}
merger::~merger() = default;

void merger::begin(filter::live_classifier& of, filter::merge_aim aim) {
    if (task_ || (!elsewhere_ && aim != filter::merge_aim::whole))
        return;
    auto job = of.begin_merge(aim);
    if (!job)
        return;
    auto begun = std::make_shared<task>(std::move(*job));
    auto handed_out = std::make_shared<errand>(begun);
    task_ = std::move(begun);
    if (elsewhere_)
        elsewhere_([what = std::move(handed_out)] { what->run(); });
    else
        handed_out->run();
}

bool merger::is_under_way() const noexcept {
    return task_ && task_->now.load(std::memory_order_acquire) == task::state::under_way;
}

bool merger::is_done() const noexcept {
    return task_ && task_->now.load(std::memory_order_acquire) == task::state::done;
}

bool merger::collect(filter::live_classifier& into) {
    if (!task_ || is_under_way())
        return false;
    // What was dropped unrun goes back, too: the classifier gives out one job at a time.
    const bool is_new = into.finish(std::move(task_->job));
    task_.reset();
    return is_new;
}

} // namespace flowtap::tap
