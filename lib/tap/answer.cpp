// SPDX-License-Identifier: Apache-2.0
#include "answer.hpp"

namespace flowtap::tap {

bool is_due(const answer& one, const publisher& published) noexcept {
    switch (one.until) {
    case awaited::nothing:
        break;
    case awaited::in_force:
        return one.number <= published.in_force();
    case awaited::settled:
        return one.number <= published.settled();
    }
    return true;
}

} // namespace flowtap::tap
