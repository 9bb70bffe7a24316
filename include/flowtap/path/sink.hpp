// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/packet/encapsulation.hpp>
#include <flowtap/path/api.hpp>

namespace flowtap::path {

/// Names an egress binding: a device or a pool member that copies leave through. Zero is "as the
/// routing table says".
using egress_id = strong_id<struct egress_id_tag, std::uint32_t>;

/// For which criterion a copy was made: the first that asked for its stream, and the number of the
/// snapshot that the packet was matched with.
struct copy_origin {
    slot_id slot;
    std::uint64_t matched_with = 0;
};

/// One copy on its way out. Everything it points to is valid during the call only.
struct copy {
    const packet::header_template* header = nullptr;
    /// The packet from its IP header on, or with family ccc the whole frame, byte for byte.
    byte_view packet;
    stream_id stream;
    egress_id egress;
    /// For the identification field of an IPv4 outer header; not 0, in the place of which a kernel
    /// puts a number of its own.
    std::uint16_t identification = 0;
    /// When the packet was captured.
    wall_time time;
    copy_origin origin;
};

/// Says which of the copies that a sink has queued are still asked for.
class FLOWTAP_PATH_API copy_review {
public:
    copy_review() = default;
    copy_review(const copy_review&) = delete;
    copy_review& operator=(const copy_review&) = delete;

    virtual bool wants(const copy_origin& from, stream_id stream) const noexcept = 0;

protected:
    ~copy_review();
};

/// Why a copy was not delivered.
enum class drop_cause : std::uint8_t {
    sink_full,   ///< the sink had no room and the source could not wait
    too_long,    ///< longer than IP allows, or than the egress takes
    unreachable, ///< no route, no neighbour, link down, or the destination refused
    send_error,  ///< any other error of the operating system
    stopped,     ///< the access point was stopping
    withdrawn,   ///< its criterion was deleted while the copy waited in front of a sink or in it
    looped,      ///< it was of a flow that grew out of copies (see lib/path/README.md)
};
inline constexpr std::size_t drop_cause_count = 7;

/// Copies that one content destination of a criterion did not get, and their octets.
struct target_drops {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
};

/// What became of copies: of all that a sink was given, or of those of one stream. Octets are those
/// of the copied packets, without the headers around them.
///
/// copies = delivered + the sum of dropped + queued, and the same of their octets.
struct delivery_counters {
    /// Taken by the sink, or dropped before one took them. Counted by a worker: zero for a sink
    /// that has none.
    std::uint64_t copies = 0;
    std::uint64_t copies_octets = 0;
    std::uint64_t delivered = 0;
    std::uint64_t delivered_octets = 0;
    /// Waiting in the sink for their next hop.
    std::uint64_t queued = 0;
    std::uint64_t queued_octets = 0;
    /// By `drop_cause`.
    std::array<std::uint64_t, drop_cause_count> dropped{};
    std::array<std::uint64_t, drop_cause_count> dropped_octets{};

    FLOWTAP_PATH_API delivery_counters& operator+=(const delivery_counters& other) noexcept;
    friend bool operator==(const delivery_counters&, const delivery_counters&) = default;
};

class delivery_ledger;

/// Where copies go: sockets, a file, a product's own egress. Used by one worker's thread at a time;
/// `counters` may be read by any thread.
class FLOWTAP_PATH_API sink {
public:
    sink();
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink();

    /// Takes copies from the front of `copies` and says how many: those it delivered, those it
    /// dropped, and those it queued. What became of each it tells `ledger()`. Fewer than all means
    /// that it is full for now, at least for the stream of the first that it did not take. Never
    /// blocks, allocates nothing.
    ///
    /// A copy taken has left, or is dropped, when the call returns or the next one of `flush` does,
    /// so that nothing of a criterion leaves after its workers have passed a batch boundary. A sink
    /// may queue a bounded number of copies whose next hop is being resolved, with all that they
    /// point to; they leave in calls of `consume` and `advance` only, before which the worker has
    /// withdrawn what is no longer asked for.
    virtual std::size_t consume(std::span<const copy> copies) noexcept = 0;

    /// Whether copies are collected, for `flush` to write them out with one call of the system.
    virtual bool has_collected() const noexcept { return false; }

    /// Writes out what is collected. Called before the worker passes a batch boundary, or waits.
    virtual void flush() noexcept {}

    /// How many copies are queued.
    virtual std::size_t queued() const noexcept { return 0; }

    /// Sends the queued copies that can be sent by now, and drops those that have waited too long.
    /// Called every 10 ms at least while there are any. Never blocks.
    virtual void advance() noexcept {}

    /// Drops the queued copies that `review` does not want, for `cause`.
    virtual void withdraw(const copy_review& review, drop_cause cause) noexcept;

    /// Waits until there may be room again, or something to do for queued copies, at most `limit`.
    virtual void wait(std::chrono::milliseconds limit) noexcept = 0;

    /// From now on `ledger` is told what becomes of copies; it must outlive the sink's use. Called
    /// before the first copy, if at all. A sink made of others passes it on to them.
    virtual void report_to(delivery_ledger& ledger) noexcept { ledger_ = &ledger; }

    /// All copies taken so far. Any thread; exact when nothing is collected, between two calls of
    /// `consume`.
    delivery_counters counters() const noexcept;

protected:
    /// Where to tell what became of each copy: that of the worker, or one of the sink's own until
    /// there is a worker.
    delivery_ledger& ledger() noexcept { return *ledger_; }

private:
    std::unique_ptr<delivery_ledger> own_;
    delivery_ledger* ledger_;
};

} // namespace flowtap::path
