// SPDX-License-Identifier: Apache-2.0
#include "merger.hpp"

namespace flowtap::tap {

void merger::begin(filter::live_classifier& of, filter::merge_aim aim) {
    if (jobs_.is_begun() || (!jobs_.is_elsewhere() && aim != filter::merge_aim::whole))
        return;
    if (auto job = of.begin_merge(aim))
        jobs_.begin(*std::move(job));
}

bool merger::collect(filter::live_classifier& into) {
    // What was dropped unrun goes back, too: the classifier gives out one job at a time.
    auto job = jobs_.collect();
    return job && into.finish(*std::move(job));
}

} // namespace flowtap::tap
