// SPDX-License-Identifier: Apache-2.0
#include "refusal_log.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace flowtap::tap {

namespace {

constexpr std::chrono::seconds period{1};

} // namespace

void refusal_log::write(std::string_view principal, std::string_view peer, audit_note note,
                        time_stamp now) {
    flush(now);
    if (now.steady >= begun_ + period) {
        begun_ = now.steady;
        written_ = 0;
    }
    if (written_ == records) {
        ++left_out_[note.status];
        return;
    }
    ++written_;
    write_audit(*audit_, principal, peer, std::move(note), now.wall);
}

void refusal_log::flush(time_stamp now) {
    const auto due = deadline();
    if (!due || now.steady < *due)
        return;
    audit_note note{audit_event::refusal};
    for (const auto& [status, number] : left_out_) {
        note.detail += note.detail.empty() ? "datagrams without a record: " : ", ";
        note.detail += std::to_string(number);
        if (status != dtcp::status_code{})
            note.detail += " of " + std::to_string(static_cast<unsigned>(status));
        else
            note.detail += " dropped";
        note.count += number;
    }
    left_out_.clear();
    write_audit(*audit_, "", "", std::move(note), now.wall);
}

std::optional<steady_time> refusal_log::deadline() const {
    if (left_out_.empty())
        return std::nullopt;
    return begun_ + period;
}

} // namespace flowtap::tap
