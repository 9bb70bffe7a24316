// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <flowtap/filter/live_classifier.hpp>

#include "background_work.hpp"

namespace flowtap::tap {

/// Has the long work on a classifier done elsewhere: one job at a time. What is dropped unrun is
/// found again by the next `begin`.
class merger {
public:
    /// Null: no other thread is to be had.
    explicit merger(background_executor elsewhere) : jobs_(std::move(elsewhere)) {}

    /// Hands out what `of` has to do for `aim`, if it has, and nothing is under way or done. Where
    /// there is no other thread it is done at once, but only to make one whole of all, for which
    /// nobody waits.
    void begin(filter::live_classifier& of, filter::merge_aim aim);

    /// Whether a job has run that `collect` would take.
    bool is_done() const noexcept { return jobs_.is_done(); }
    /// Gives what is done to the classifier that it is from. True if that makes a new version worth
    /// publishing.
    bool collect(filter::live_classifier& into);

private:
    background_work<filter::merge_job> jobs_;
};

} // namespace flowtap::tap
