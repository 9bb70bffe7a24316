// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include <flowtap/capture/device_meter.hpp>

#include "watched_source.hpp"

namespace flowtap::capture {

/// What the sources of one device share.
struct device_meter::state {
    static constexpr std::chrono::seconds interval{1};

    state(count of, std::function<steady_time()> time)
        : device(std::move(of)), clock(std::move(time)), looked_at(clock()) {
        if (const auto there = device())
            last = *there;
    }

    /// Looks at the device if it is time to.
    void look() noexcept;

    const count device;
    const std::function<steady_time()> clock;
    /// Handed over, and lost, by all sources.
    std::atomic<std::uint64_t> arrived{0};
    std::atomic<std::uint64_t> filtered{0};

    std::mutex guard;
    steady_time looked_at;
    /// What the device counted when it was looked at.
    std::uint64_t last = 0;
    std::uint64_t passed = 0;
};

void device_meter::state::look() noexcept {
    const std::unique_lock held(guard, std::try_to_lock);
    if (!held)
        return;
    const steady_time now = clock();
    if (now - looked_at < interval)
        return;
    looked_at = now;
    // What had passed at the last look has arrived by now if it arrives at all, and does not wait
    // in a socket's buffer.
    const std::uint64_t most = arrived.load(std::memory_order_relaxed);
    if (passed > most + filtered.load(std::memory_order_relaxed))
        filtered.store(passed - most, std::memory_order_relaxed);
    const auto there = device();
    if (!there)
        return;
    // A device that came anew began at zero.
    passed += *there < last ? *there : *there - last;
    last = *there;
}

namespace {

/// Counts what another source hands over.
template <class Shared>
class metered_source final : public detail::watched_source {
public:
    /// `counts`: whether it is the one that tells what was filtered.
    metered_source(std::unique_ptr<path::source> what, std::shared_ptr<Shared> with, bool counts)
        : what_(std::move(what)), with_(std::move(with)), counts_(counts) {}

    path::read_result read(std::span<path::captured_packet> packets) noexcept override {
        const path::read_result got = what_->read(packets);
        note(got.count);
        if (++reads_ % reads_per_look == 0)
            with_->look();
        return got;
    }
    void wait(std::chrono::milliseconds limit) noexcept override {
        what_->wait(limit);
        note(0);
        with_->look();
    }
    void interrupt() noexcept override { what_->interrupt(); }
    path::backpressure when_full() const noexcept override { return what_->when_full(); }
    std::uint64_t lost() const noexcept override { return what_->lost(); }
    std::uint64_t filtered() const noexcept override {
        return counts_ ? with_->filtered.load(std::memory_order_relaxed) : 0;
    }
    error failure() const override { return what_->failure(); }
    const path::source& watched() const noexcept override { return *what_; }

private:
    static constexpr unsigned reads_per_look = 256;

    void note(std::uint64_t count) noexcept {
        const std::uint64_t lost = what_->lost();
        count += lost - std::exchange(lost_, lost);
        if (count != 0)
            with_->arrived.fetch_add(count, std::memory_order_relaxed);
    }

    const std::unique_ptr<path::source> what_;
    const std::shared_ptr<Shared> with_;
    const bool counts_;
    std::uint64_t lost_ = 0;
    unsigned reads_ = 0;
};

} // namespace

device_meter::device_meter(count of, std::function<steady_time()> clock)
    : state_(std::make_shared<state>(std::move(of), std::move(clock))) {}
device_meter::~device_meter() = default;

std::unique_ptr<path::source> device_meter::watch(std::unique_ptr<path::source> what) {
    // Whoever comes first tells for all.
    const bool counts = state_.use_count() == 1;
    return std::make_unique<metered_source<state>>(std::move(what), state_, counts);
}

} // namespace flowtap::capture
