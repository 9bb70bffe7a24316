// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <flowtap/core/ids.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/api.hpp>
#include <flowtap/path/sink.hpp>
#include <flowtap/path/snapshot.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::path {

/// Numbers the snapshots in the order of their publication, from 1.
using generation = strong_id<struct generation_tag, std::uint64_t>;

/// What one criterion has matched, over all workers.
struct slot_counters {
    std::uint64_t packets = 0;
    /// Octets of the original IP packets.
    std::uint64_t octets = 0;
};

/// What became of the packets and copies of one worker, or of all of them.
///
/// seen = the sum of decoded; copies = delivered + the sum of dropped, at a batch boundary.
struct path_counters {
    std::uint64_t seen = 0;
    std::uint64_t seen_octets = 0;
    /// By `packet::verdict`.
    std::array<std::uint64_t, packet::verdict_count> decoded{};
    /// Packets that at least one criterion matched.
    std::uint64_t tapped = 0;
    std::uint64_t copies = 0;
    std::uint64_t delivered = 0;
    /// By `drop_cause`.
    std::array<std::uint64_t, drop_cause_count> dropped{};
    /// Lost before they could be read.
    std::uint64_t lost = 0;
};

class worker;

struct data_path_options {
    /// Slots that can be in use; counters are allocated as slots come into use.
    std::size_t slots = 131'072;
};

/// The data path as the control side sees it: publishes snapshots to the workers, knows when all of
/// them have passed on, and keeps what hangs off the slots.
///
/// All members are for one thread, the control side's, unless they say otherwise.
class FLOWTAP_PATH_API data_path {
public:
    explicit data_path(data_path_options options = {});
    ~data_path();

    /// Adds a worker, offline until it runs. Its reference is valid until the data path ends.
    worker& add_worker(std::unique_ptr<source> from, std::unique_ptr<sink> to);

    /// Makes `what` the snapshot that every worker uses from its next batch on. One atomic store for
    /// the workers. While the snapshot before the current one is still in use, the new one waits
    /// for it, so that at most two are alive: `settled()` tells. Returns its number.
    generation publish(snapshot what);

    /// The newest generation that workers can see.
    generation in_force() const noexcept;

    /// The newest generation of which it is certain that no worker uses, or will use, an older one.
    /// A worker that waits or has ended counts as having passed on. Frees what nobody uses.
    generation settled() noexcept;

    /// `what` is called, from any thread, once after `settled()` fell behind `in_force()` and may
    /// have caught up. It must not block: typically it writes to an eventfd.
    void on_settled(std::function<void()> what);

    /// A slot that no worker remembers, with counters at zero. Nothing when all are in use.
    /// The slot counts as in use until `release` and one more settled generation.
    bool acquire(slot_id& slot);
    /// Gives a slot back: it is free again when the snapshot published next has settled.
    void release(slot_id slot);

    /// Switches a criterion off at once, before any snapshot without it is published.
    void stop(slot_id slot) noexcept;

    slot_counters counters(slot_id slot) const noexcept;
    /// The sum over all workers. Any thread.
    path_counters counters() const noexcept;

private:
    friend class worker;
    struct state;
    std::unique_ptr<state> state_;
};

/// One thread's share of the data path: reads batches from a source, decodes, matches, and hands the
/// copies to a sink. Make it with `data_path::add_worker`, then call `run` on a thread of your own.
class FLOWTAP_PATH_API worker {
public:
    ~worker();

    /// How `run` ended.
    enum class outcome : std::uint8_t { finished, failed, stopped };

    /// Works until the source ends or `request_stop` is called. Packets read before the stop are
    /// handed over, for at most `stop_limit`; what could not be is counted as `drop_cause::stopped`.
    outcome run();

    /// One batch, for tests and for products with a loop of their own. Returns what the source said.
    source_state run_once() noexcept;

    /// Makes `run` return soon. Any thread.
    void request_stop() noexcept;

    /// Any thread.
    path_counters counters() const noexcept;

    const source& packets() const noexcept;

private:
    friend class data_path;
    struct state;
    explicit worker(std::unique_ptr<state> with);
    std::unique_ptr<state> state_;
};

} // namespace flowtap::path
