// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <algorithm>
#include <utility>

#include <flowtap/dtcp/writer.hpp>

namespace flowtap::tap {

session::session(control_source& of, std::string peer, std::optional<ip_address> address)
    : source_(&of), peer_(std::move(peer)), address_(address) {}

bool session::takes_requests() const noexcept {
    return answers_.size() < answer_limit && repeated_ < repeated_limit && lists_ == 0 &&
           work_ < work_limit;
}

void session::put(answer next) {
    if (next.list)
        ++lists_;
    repeated_ += next.head.offending_line.size();
    answers_.push_back(std::move(next));
}

bool session::is_due(const answer& one, const publisher& published) const noexcept {
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

bool session::is_readable(const publisher& published) const noexcept {
    return read_ < text_.size() || (!answers_.empty() && is_due(answers_.front(), published));
}

bool session::is_waiting(const publisher& published) const noexcept {
    return read_ == text_.size() && !answers_.empty() && !is_due(answers_.front(), published);
}

bool session::render(const publisher& published, time_stamp now) {
    text_.clear();
    read_ = 0;
    if (answers_.empty() || !is_due(answers_.front(), published))
        return false;
    answer& first = answers_.front();
    if (first.list) {
        if (first.list->produce(text_))
            return true;
        --lists_;
    } else {
        if (first.until != awaited::nothing)
            first.head.timestamp = now.wall;
        dtcp::write_response(text_, first.head, *source_->hash);
    }
    repeated_ -= first.head.offending_line.size();
    answers_.pop_front();
    return true;
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

void session::fail_add(criteria_id which) {
    for (answer& one : answers_) {
        if (one.added != which)
            continue;
        one.head.status = dtcp::status_code::internal_error;
        one.head.criterion.reset();
        one.until = awaited::nothing;
        one.added.reset();
    }
}

void session::close_when_read(std::string diagnostic) {
    if (!closing_)
        closing_ = std::move(diagnostic);
}

void session::close_now(std::string diagnostic) {
    closing_ = std::move(diagnostic);
    answers_.clear();
    lists_ = 0;
    repeated_ = 0;
    text_ = {};
    read_ = 0;
}

} // namespace flowtap::tap
