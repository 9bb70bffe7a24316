// SPDX-License-Identifier: Apache-2.0
#include <flowtap/cli/environment.hpp>

namespace flowtap::cli {

environment::~environment() = default;

std::unique_ptr<candidate_place> candidate_place::take(environment& of) {
    if (of.candidates_ >= environment::most_candidates)
        return nullptr;
    return std::unique_ptr<candidate_place>(new candidate_place(of));
}

} // namespace flowtap::cli
