// SPDX-License-Identifier: Apache-2.0
#include "decompressing_stream.hpp"

#include <utility>

#include <flowtap/capture/error.hpp>

namespace flowtap::capture::detail {

decompressing_stream::decompressing_stream(std::unique_ptr<octet_stream> from,
                                           std::unique_ptr<decoder> with, compression kind,
                                           std::string path) noexcept
    : from_(std::move(from)), decoder_(std::move(with)), kind_(kind), path_(std::move(path)) {}

stream_read decompressing_stream::read(std::span<std::byte> into, patience how) noexcept {
    std::size_t count = 0;
    while (count < into.size() && now_ == stream_state::ready) {
        if (has_work()) {
            count += decode(into.subspan(count));
            continue;
        }
        if (now_ != stream_state::ready)
            break;
        // What there is already is not held back for what may come.
        const stream_state got = refill(count == 0 ? how : patience::none);
        if (got == stream_state::would_wait)
            return {count, count == 0 ? got : stream_state::ready};
        now_ = got;
    }
    return {count, count == 0 ? now_ : stream_state::ready};
}

/// Returns the octets that were put into `into`.
std::size_t decompressing_stream::decode(std::span<std::byte> into) noexcept {
    const byte_view input = std::span(input_).subspan(begin_, end_ - begin_);
    const decoding done = decoder_->decode(input, into);
    begin_ += done.taken;
    taken_ += done.taken;
    is_full_ = done.made == into.size() && done.now == decoding::state::more;
    if (done.now == decoding::state::failed)
        fail_for(done.reason);
    else if (done.taken == 0 && done.made == 0 && !input.empty())
        fail_for("the decoder takes no more input");
    is_between_ = done.now == decoding::state::ended;
    return done.made;
}

/// Whether there is something to decompress. Where another compressed stream begins, the decoder is
/// made ready for it.
bool decompressing_stream::has_work() noexcept {
    if (is_between_) {
        while (begin_ != end_ && input_[begin_] == std::byte{0}) {
            ++begin_;
            ++taken_;
        }
        is_between_ = begin_ == end_;
        if (!is_between_ && !decoder_->restart()) {
            fail_for("out of memory");
            return false;
        }
    }
    return begin_ != end_ || is_full_;
}

/// Gets input where there is none. `ready` if there is some now.
stream_state decompressing_stream::refill(patience how) noexcept {
    const stream_read got = from_->read(input_, how);
    begin_ = 0;
    end_ = got.count;
    if (got.state == stream_state::ended && !is_between_) {
        fail_for("it ends in the middle of the compressed data");
        return now_;
    }
    return got.state;
}

void decompressing_stream::fail_for(const char* reason) noexcept {
    now_ = stream_state::failed;
    reason_ = reason;
}

error decompressing_stream::failure() const {
    if (now_ != stream_state::failed)
        return {};
    if (reason_ == nullptr)
        return from_->failure();
    return error(errc::damaged_compression, path_ + ": " + std::string(name_of(kind_)) +
                                                ", after " + std::to_string(taken_) +
                                                " octets: " + reason_);
}

} // namespace flowtap::capture::detail
