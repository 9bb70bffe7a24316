// SPDX-License-Identifier: Apache-2.0
//
// The part of the daemon that has inputs run: devices from the start, capture files when it is
// time.
#include <chrono>
#include <memory>
#include <optional>

#include <flowtap/capture/pcap_file_source.hpp>

#include "daemon.hpp"
#include "log.hpp"

namespace dfcd {

namespace capture = flowtap::capture;
namespace path = flowtap::path;
namespace transport = flowtap::transport;

namespace {

/// How often the progress of a replay is shown.
constexpr std::chrono::milliseconds progress_interval{500};

} // namespace

void daemon::start_line(line& started) {
    started.thread = start_thread([this, &started] {
        const path::worker::outcome how = started.worker->run();
        loop_.post([this, &started, how] { on_line_ended(started, how); });
    });
}

void daemon::start_devices() {
    for (const auto& each : lines_)
        if (each->input.from.from == input::kind::device)
            start_line(*each);
}

void daemon::start_files_when_due() {
    const bool may_come =
        (server_ || datagrams_) && point_->state().criteria < options_.start_after;
    if (replaying_ || files_ == 0 || may_come)
        return;
    replaying_ = true;
    log("the replay begins");
    if (progress_.is_on()) {
        progress_.begin(replayed());
        progress_timer_ = std::make_unique<transport::loop_timer>(loop_);
        progress_timer_->call_at(loop_.now().steady + progress_interval,
                                 [this] { show_progress(); });
    }
    for (const auto& each : lines_)
        if (each->input.from.from == input::kind::file)
            start_line(*each);
}

replay_state daemon::replayed() const {
    replay_state now;
    now.when = loop_.now().steady;
    now.size = 0;
    for (const auto& each : lines_) {
        const auto* file = dynamic_cast<const capture::pcap_file_source*>(&each->worker->packets());
        if (file == nullptr)
            continue;
        const capture::file_position where = file->position();
        now.packets += each->worker->counters().seen;
        now.octets += where.read;
        now.size = now.size && where.size ? std::optional(*now.size + *where.size) : std::nullopt;
    }
    return now;
}

void daemon::show_progress() {
    progress_.show(replayed());
    progress_timer_->call_at(loop_.now().steady + progress_interval, [this] { show_progress(); });
}

void daemon::end_progress() {
    if (!progress_timer_)
        return;
    progress_timer_ = nullptr;
    progress_.end(replayed());
}

void daemon::on_line_ended(line& ended, path::worker::outcome how) {
    ended.ended = true;
    if (how == path::worker::outcome::failed) {
        broken_ = true;
        log("an input broke off: {}", ended.worker->packets().failure().message());
    }
    if (ended.input.from.from != input::kind::file)
        return;
    if (++files_ended_ == files_) {
        end_progress();
        log("the replay has ended");
        if (options_.once)
            stop();
    }
}

} // namespace dfcd
