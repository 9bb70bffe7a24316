// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// One copy on its way out. Everything it points to is valid during the call only.
struct copy {
    const packet::header_template* header = nullptr;
    /// The packet from its IP header on, byte for byte.
    byte_view packet;
    stream_id stream;
    egress_id egress;
    /// For the identification field of an IPv4 outer header; not 0, in the place of which a kernel
    /// puts a number of its own.
    std::uint16_t identification = 0;
    /// When the packet was captured.
    wall_time time;
};

/// Why a copy was not delivered.
enum class drop_cause : std::uint8_t {
    sink_full,   ///< the sink had no room and the source could not wait
    too_long,    ///< longer than IP allows, or than the egress takes
    unreachable, ///< no route, no neighbour, or the destination refused
    send_error,  ///< any other error of the operating system
    stopped,     ///< the access point was stopping
    withdrawn,   ///< its criterion was deleted while the copy waited for a full sink
};
inline constexpr std::size_t drop_cause_count = 6;

/// What became of the copies a sink was given. copies taken = delivered + the sum of dropped.
struct delivery_counters {
    std::uint64_t delivered = 0;
    std::array<std::uint64_t, drop_cause_count> dropped{};

    friend bool operator==(const delivery_counters&, const delivery_counters&) = default;
};

/// Where copies go: sockets, a file, a product's own egress. Used by one worker's thread at a time;
/// `counters` may be read by any thread.
class FLOWTAP_PATH_API sink {
public:
    sink() = default;
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink();

    /// Takes copies from the front of `copies` and says how many: those it delivered and those it
    /// dropped for a cause it counts. Fewer than all means that it is full for now. A copy taken
    /// has left, or is dropped, when the call returns: a sink keeps none, so that nothing of a
    /// criterion leaves after its workers have passed a batch boundary. Never blocks, allocates
    /// nothing.
    virtual std::size_t consume(std::span<const copy> copies) noexcept = 0;

    /// Waits until there may be room again, at most `limit`.
    virtual void wait(std::chrono::milliseconds limit) noexcept = 0;

    /// All copies taken so far. Any thread; exact between two calls of `consume`.
    virtual delivery_counters counters() const noexcept = 0;
};

} // namespace flowtap::path
