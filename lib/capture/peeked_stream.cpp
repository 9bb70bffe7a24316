// SPDX-License-Identifier: Apache-2.0
#include "peeked_stream.hpp"

#include <algorithm>
#include <cstring>

namespace flowtap::capture::detail {

byte_view peeked_stream::peek(std::size_t count) noexcept {
    count = std::min(count, most);
    state_ = stream_state::ready;
    while (end_ < count && state_ == stream_state::ready) {
        const stream_read got =
            from_->read(std::span(kept_).subspan(end_, count - end_), patience::wait);
        end_ += got.count;
        state_ = got.state;
    }
    return std::span(kept_).first(std::min(count, end_));
}

stream_read peeked_stream::read(std::span<std::byte> into, patience how) noexcept {
    if (begin_ == end_)
        return from_->read(into, how);
    const std::size_t count = std::min(into.size(), end_ - begin_);
    std::memcpy(into.data(), &kept_[begin_], count);
    begin_ += count;
    return {count, stream_state::ready};
}

} // namespace flowtap::capture::detail
