// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/api.hpp>
#include <flowtap/path/fragments.hpp>
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
    /// What a drop policy kept back: packets that the criterion asks for, and that count neither as
    /// matched nor for its budget.
    target_drops withheld;
    /// What limits on duplicates kept from each, in the order of `action::targets`.
    std::array<target_drops, max_targets> dropped{};
    /// When a worker began the batch with the newest match, by `data_path_options::clock`; none
    /// before the first.
    std::optional<steady_time> last_match;
};

/// How much more a criterion may match, over all workers together. None is without end.
struct match_budget {
    std::optional<std::uint64_t> packets;
    /// Octets of the original IP packets. A packet that is longer than what is left is not
    /// matched, and uses the rest up.
    std::optional<std::uint64_t> octets;

    friend bool operator==(const match_budget&, const match_budget&) = default;
};

/// What became of the packets and copies of one worker, or of all of them.
///
///     seen       = filtered + sampled_out + the sum of decoded
///     decoded ip + fragments followed = tapped - frames_alone + untapped + own + abandoned +
///     pending copies     = delivered + the sum of dropped + queued
///
/// (With `cut_short_packets::send` packets that are cut short stand beside `decoded ip`.) The same
/// holds of their octets, but for packets that were filtered, of which the octets are not known.
/// What is read is always the state of a batch boundary, or of a moment at which the worker waits
/// for its sink, never of the middle of a batch.
///
/// Octets of packets are those on the wire; those of copies are of the IP packets in them. Every
/// member but `pending` and `queued` only grows.
struct path_counters : delivery_counters {
    /// Packets that passed the interface or stood in the file.
    std::uint64_t seen = 0;
    std::uint64_t seen_octets = 0; ///< without `filtered`
    /// Packets that a filter in front of the source kept back, since no criterion matches them.
    std::uint64_t filtered = 0;
    /// Packets that were not decoded since they came faster than their input may.
    std::uint64_t sampled_out = 0;
    std::uint64_t sampled_out_octets = 0;
    /// By `packet::verdict`.
    std::array<std::uint64_t, packet::verdict_count> decoded{};
    std::array<std::uint64_t, packet::verdict_count> decoded_octets{};
    /// Packets that at least one criterion matched, each once.
    std::uint64_t tapped = 0;
    std::uint64_t tapped_octets = 0;
    /// Of these, the ones that only criteria of family ccc matched, as whole frames.
    std::uint64_t frames_alone = 0;
    std::uint64_t frames_alone_octets = 0;
    /// Packets that filters looked at and that were tapped for none.
    std::uint64_t untapped = 0;
    std::uint64_t untapped_octets = 0;
    /// Of these, the ones that criteria asked for, and that drop policies kept from all of them.
    std::uint64_t withheld = 0;
    std::uint64_t withheld_octets = 0;
    /// IP packets from or to the access point's own services, which are never tapped.
    std::uint64_t own = 0;
    std::uint64_t own_octets = 0;
    /// IP packets that were read and that no filter looked at, since the worker had to stop.
    std::uint64_t abandoned = 0;
    std::uint64_t abandoned_octets = 0;
    /// Packets that wait while the worker waits for its sink; none at a batch boundary.
    std::uint64_t pending = 0;
    std::uint64_t pending_octets = 0;
    /// Lost before they could be read, not among those `seen`.
    std::uint64_t lost = 0;
    fragment_counters fragments;

    FLOWTAP_PATH_API path_counters& operator+=(const path_counters& other) noexcept;
    friend bool operator==(const path_counters&, const path_counters&) = default;
};

/// Everything that is counted of a data path, but for criteria. It names nothing: workers and
/// streams are ordinals.
struct path_statistics {
    /// In the order in which the workers were added.
    std::vector<path_counters> workers;
    /// By stream, over all workers: of every content destination that the number was given to, one
    /// after the other. So the streams together are what the workers counted.
    std::vector<delivery_counters> streams;
};

class worker;

inline constexpr std::size_t default_slots = 131'072;
inline constexpr std::size_t default_streams = 262'144;

struct data_path_options {
    /// Slots that can be in use; counters are allocated as slots come into use.
    std::size_t slots = default_slots;
    /// Stream ids are below this.
    std::size_t streams = default_streams;
    /// The time, read by every worker once a batch. Any thread calls it.
    std::function<steady_time()> clock = std::chrono::steady_clock::now;
    fragment_options fragments;
    /// The time as the system stamps packets with it, read while a flow is looked at more closely.
    std::function<wall_time()> wall_clock = std::chrono::system_clock::now;
    /// Lets so much time pass, 10 ms at most.
    std::function<void(std::chrono::nanoseconds)> pause =
        std::this_thread::sleep_for<std::int64_t, std::nano>;
};

/// What is done with packets of which the capture holds only a part.
enum class cut_short_packets : std::uint8_t {
    count, ///< counted, not matched and not sent
    send,  ///< matched as far as they go, and what there is of them is sent
};

struct worker_options {
    /// Packets in a batch, at least 1.
    std::size_t batch = 256;
    cut_short_packets cut_short = cut_short_packets::count;
    /// How long copies that are made may take to be handed over after `request_stop`.
    std::chrono::milliseconds stop_limit{1000};
    /// Finds flows that grow out of copies, and does not copy them, at the cost of moments in which
    /// no worker reads: see lib/path/README.md. For sources that cannot wait only.
    bool loop_brake = false;
};

/// The data path as the control side sees it: publishes snapshots to the workers, knows when all of
/// them have passed on, and keeps what hangs off the slots.
///
/// All members are for one thread, the control side's, unless they say otherwise.
class FLOWTAP_PATH_API data_path {
public:
    explicit data_path(data_path_options options = {});
    ~data_path();

    data_path(const data_path&) = delete;
    data_path& operator=(const data_path&) = delete;

    /// Adds a worker, offline until it runs. Its reference is valid until the data path ends, and
    /// its `run` must have returned before that.
    worker& add_worker(std::unique_ptr<source> from, std::unique_ptr<sink> to,
                       worker_options options = {});

    /// Makes `what` the snapshot that every worker uses from its next batch on. One atomic store
    /// for the workers. While the snapshot before the current one is still in use, the new one
    /// waits for it (and takes the place of one that waits already), so that workers know at most
    /// two: it comes into force in a later call of `settled()` or `publish`. Returns its number.
    /// The slots in it were acquired and not released; its streams are below
    /// `data_path_options::streams`, else std::length_error is thrown.
    generation publish(snapshot what);

    /// The newest generation that workers can see.
    generation in_force() const noexcept;

    /// The newest generation of which it is certain that no worker uses, or will use, an older one.
    /// A worker that waits or has ended counts as having passed on. Frees what nobody uses, and
    /// puts a waiting snapshot in force.
    generation settled();

    /// `what` is called, from a worker's thread, when there is something to look at: once after
    /// `publish` or `settled()` left a generation unsettled and it may have settled since (call
    /// `settled()`), and when budgets were used up (call `next_exhausted()`); for those that
    /// `grant` and `refill` find used up, from there. It must not block: typically it writes to an
    /// eventfd. To be set before workers run.
    void on_news(std::function<void()> what);

    /// A slot that no worker remembers, with counters at zero. Nothing when all are in use.
    /// The slot counts as in use until `release` and one more settled generation.
    bool acquire(slot_id& slot);
    /// Stops a slot and gives it back: it is free again when the snapshot published next, which
    /// must be without it, has settled. A slot that was acquired after the last publication, and
    /// not stopped, is free at once.
    void release(slot_id slot);

    /// Switches a criterion off at once, before any snapshot without it is published. A batch that
    /// a worker has begun may still copy for it: only `settled()` says that nothing more leaves.
    void stop(slot_id slot) noexcept;

    /// Gives a slot that was acquired since the last publication a budget; without this it has
    /// none and matches without end. A budget of zero packets or octets is used up at once.
    void grant(slot_id slot, const match_budget& what);
    /// Replaces what is left of each part that is given; the other part stays as it is. False, and
    /// nothing is done, when the criterion has ended already or the other part is used up: it is
    /// told by `next_exhausted`, then or soon. Workers may be matching meanwhile: no packet is
    /// taken from both what was left of a part and what replaces it. More packets than 2^48 - 2 are
    /// taken for that many.
    bool refill(slot_id slot, const match_budget& what);
    /// What is left.
    match_budget remaining(slot_id slot) const noexcept;
    /// A slot whose budget is used up, each once: it matches nothing any more, and every copy that
    /// its budget allowed has been handed to a sink, or dropped by a live worker whose sink was
    /// full. None when there is none (more). For each worker in the order of the batches in
    /// which it used them up. A slot that was released is not told.
    std::optional<slot_id> next_exhausted();

    slot_counters counters(slot_id slot) const noexcept;
    /// What a stream did not get of the copies that were made for this criterion first: dropped by
    /// a sink or in front of one, for any cause but `stopped` and `withdrawn`. Counted from the
    /// first snapshot with limits on copies on; else zero.
    target_drops undelivered(slot_id slot, stream_id stream) const noexcept;
    /// The sum over all workers. Any thread.
    path_counters counters() const noexcept;
    /// That of one stream. Any thread.
    delivery_counters counters(stream_id stream) const noexcept;
    /// Each worker's and each stream's counters. The sums of each worker close, and those of each
    /// stream; while workers run, streams can be a batch ahead of workers. Any thread.
    path_statistics statistics() const;

private:
    friend class worker;
    struct state;
    std::unique_ptr<state> state_;
};

/// One thread's share of the data path: reads batches from a source, decodes, matches, and hands
/// the copies to a sink. Make it with `data_path::add_worker`, then call `run` on a thread of your
/// own.
class FLOWTAP_PATH_API worker {
public:
    ~worker();

    /// How `run` ended.
    enum class outcome : std::uint8_t { finished, failed, stopped };

    /// Works until the source ends or `request_stop` is called. No copy is made after the stop;
    /// those made before are handed over, for at most `stop_limit`, and what could not be is
    /// counted as `drop_cause::stopped`. When it returns, the sink has queued nothing.
    outcome run();

    /// One batch, for tests and for products with a loop of their own. Returns what the source
    /// said. Between two calls the worker counts as offline. While `counters().queued` is not zero,
    /// call it again within 10 ms. Allocates nothing, takes no lock.
    source_state run_once() noexcept;

    /// Makes `run` return soon. Any thread.
    void request_stop() noexcept;

    /// Any thread.
    path_counters counters() const noexcept;
    /// Its part of one stream. Any thread.
    delivery_counters counters(stream_id stream) const noexcept;

    /// The worker's source: for the worker's thread, or when `run` has returned.
    const source& packets() const noexcept;
    /// The worker's sink: its counters for any thread, the rest when `run` has returned.
    const sink& copies() const noexcept;

private:
    friend class data_path;
    struct state;
    explicit worker(std::unique_ptr<state> with);
    outcome work() noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::path
