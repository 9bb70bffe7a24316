// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include <flowtap/filter/live_classifier.hpp>

namespace flowtap::tap {

/// As `surroundings::background`.
using background_executor = std::function<void(std::function<void()>)>;

/// Has the long work on a classifier done elsewhere: one job at a time.
///
/// A job owns all that it reads, and what is handed out owns the job. So it may run at any time and
/// on any thread, also when the merger is gone: then its outcome is dropped. It may be dropped
/// unrun, too, and the next `begin` finds work again. Everything but what is handed out is for one
/// thread.
class merger {
public:
    /// Null: no other thread is to be had.
    explicit merger(background_executor elsewhere);
    ~merger();
    merger(const merger&) = delete;
    merger& operator=(const merger&) = delete;

    /// Hands out what `of` has to do for `aim`, if it has, and nothing is under way or done. Where
    /// there is no other thread it is done at once, but only to make one whole of all, for which
    /// nobody waits.
    void begin(filter::live_classifier& of, filter::merge_aim aim);

    /// Whether a job has run that `collect` would take.
    bool is_done() const noexcept;
    /// Gives what is done to the classifier that it is from. True if that makes a new version worth
    /// publishing.
    bool collect(filter::live_classifier& into);

private:
    struct task;
    class errand;

    /// Whether a job was begun and has neither run nor been dropped.
    bool is_under_way() const noexcept;

    background_executor elsewhere_;
    /// Null when there is nothing under way or done.
    std::shared_ptr<task> task_;
};

} // namespace flowtap::tap
