// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include <flowtap/core/bytes.hpp>
#include <flowtap/core/clock.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/api.hpp>

namespace flowtap::path {

/// One packet as a source hands it over. The octets stay valid until the source is read again.
struct captured_packet {
    byte_view frame;
    /// The frame's length on the wire, in octets; more than `frame.size()` if a snap length cut it.
    std::uint32_t wire_length = 0;
    packet::link_type link = packet::link_type::ethernet;
    port_id port;
    direction way = direction::ingress;
    wall_time time;
};

/// What a source says when it was read.
enum class source_state : std::uint8_t {
    ready,    ///< there may be more at once
    idle,     ///< nothing more for now: wait
    finished, ///< nothing more, ever
    failed,   ///< broken off: `failure` says why; what came before is whole
};

struct read_result {
    std::size_t count = 0;
    source_state state = source_state::ready;
};

/// What a source does when a sink is full.
enum class backpressure : std::uint8_t {
    wait, ///< it can wait: a file
    drop, ///< it cannot: the wire
};

/// Where packets come from: a capture file, a live interface, a product's own data plane.
/// Used by one worker's thread at a time.
class FLOWTAP_PATH_API source {
public:
    source() = default;
    source(const source&) = delete;
    source& operator=(const source&) = delete;
    virtual ~source();

    /// Puts up to `packets.size()` packets, in order, into `packets`. Never blocks and allocates
    /// nothing per packet. The octets of the batch read before are invalid from here on.
    virtual read_result read(std::span<captured_packet> packets) noexcept = 0;

    /// Whether `read` may wait for what feeds the source, as that of a pipe may.
    virtual bool may_wait() const noexcept { return true; }

    /// Waits until there may be something to read, at most `limit`. Called after `idle` only.
    virtual void wait(std::chrono::milliseconds limit) noexcept = 0;

    /// Ends a `wait` from another thread, now or at its next call. The only member that another
    /// thread may call.
    virtual void interrupt() noexcept = 0;

    virtual backpressure when_full() const noexcept = 0;

    /// Packets that were lost before they could be read (a live capture's ring was full).
    virtual std::uint64_t lost() const noexcept { return 0; }

    /// Packets that passed the interface and were not handed over because a filter in front of the
    /// source knows that no criterion matches them. Never less than before.
    virtual std::uint64_t filtered() const noexcept { return 0; }

    /// Why the source `failed`.
    virtual error failure() const { return {}; }
};

} // namespace flowtap::path
