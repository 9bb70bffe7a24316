// SPDX-License-Identifier: Apache-2.0
#include "outbox.hpp"

namespace flowtap::path::detail {

outbox::outbox(std::size_t room) : copies_(room), packets_(room) {}

void outbox::taken(std::size_t count) noexcept {
    begin_ += count;
    if (begin_ == end_)
        clear();
}

} // namespace flowtap::path::detail
