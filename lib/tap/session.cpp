// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/dtcp/writer.hpp>

namespace flowtap::tap {

session::session(control_source& of, std::string peer, std::optional<ip_address> address)
    : source_(&of), peer_(std::move(peer)), address_(address) {}

bool session::takes_requests() const noexcept {
    return outputs_.size() - notices_ < answer_limit && repeated_ < repeated_limit && lists_ == 0 &&
           work_ < work_limit;
}

void session::put(answer next) {
    if (next.list)
        ++lists_;
    repeated_ += next.head.offending_line.size();
    outputs_.emplace_back(std::move(next));
}

bool session::tell(notice what) {
    if (notices_ == notification_limit)
        return false;
    ++notices_;
    outputs_.emplace_back(std::move(what));
    return true;
}

bool session::is_due(const output& one, const publisher& published) const noexcept {
    const auto* given = std::get_if<answer>(&one);
    return given == nullptr || tap::is_due(*given, published);
}

bool session::is_readable(const publisher& published) const noexcept {
    return read_ < text_.size() || (!outputs_.empty() && is_due(outputs_.front(), published));
}

bool session::is_waiting(const publisher& published) const noexcept {
    return read_ == text_.size() && !outputs_.empty() && !is_due(outputs_.front(), published);
}

bool session::render(const publisher& published, time_stamp now) {
    text_.clear();
    read_ = 0;
    if (outputs_.empty() || !is_due(outputs_.front(), published))
        return false;
    const bool more = std::visit([&](auto& next) { return render(next, now); }, outputs_.front());
    if (!more)
        outputs_.pop_front();
    return true;
}

bool session::render(answer& next, time_stamp now) {
    if (next.list) {
        if (next.list->produce(text_))
            return true;
        --lists_;
    } else {
        if (next.until != awaited::nothing)
            next.head.timestamp = now.wall;
        dtcp::write_response(text_, next.head, *source_->hash);
    }
    repeated_ -= next.head.offending_line.size();
    return false;
}

bool session::render(const notice& next, time_stamp now) {
    dtcp::notification sent = *next;
    sent.timestamp = now.wall;
    dtcp::write_notification(text_, sent, *source_->hash);
    --notices_;
    return false;
}

std::size_t session::read(std::span<char> room, const publisher& published, time_stamp now) {
    work_ = 0;
    std::size_t moved = 0;
    while (moved < room.size()) {
        if (read_ == text_.size() && !render(published, now))
            break;
        const std::size_t count = std::min(room.size() - moved, text_.size() - read_);
        std::copy_n(text_.data() + read_, count, room.data() + moved);
        moved += count;
        read_ += count;
    }
    if (is_drained()) {
        text_ = {};
        read_ = 0;
    }
    return moved;
}

void session::close_when_read(std::string diagnostic) {
    if (!closing_)
        closing_ = std::move(diagnostic);
}

void session::close_now(std::string diagnostic) {
    closing_ = std::move(diagnostic);
    outputs_.clear();
    notices_ = 0;
    lists_ = 0;
    repeated_ = 0;
    text_ = {};
    read_ = 0;
}

} // namespace flowtap::tap
