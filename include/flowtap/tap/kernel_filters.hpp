// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <flowtap/core/bpf.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/filter/prefilter.hpp>
#include <flowtap/tap/api.hpp>

namespace flowtap::tap {

/// A port with capture sockets that a program can be put in front of.
struct filterable_port {
    port_id port;
    filter::frame_layout layout = filter::frame_layout::ethernet;
    filter::way_of_frames way = filter::way_of_frames::packet_type;
    /// Instructions that a program may have.
    std::size_t longest = longest_bpf_program;
};

/// The programs in front of the capture sockets, as a product has them. What is in front when the
/// access point begins passes everything.
class FLOWTAP_TAP_API kernel_filters {
public:
    kernel_filters() = default;
    kernel_filters(const kernel_filters&) = delete;
    kernel_filters& operator=(const kernel_filters&) = delete;
    virtual ~kernel_filters();

    /// The ports that can have a program. The same ones for the life of the access point; those of
    /// files have none.
    virtual std::vector<filterable_port> ports() const = 0;

    /// Puts `program` in front of every socket of `port`, in the place of the one before, each of
    /// them in one step, so that every frame is looked at by the old one or the new one. It is in
    /// front of all of them when this returns, and of those that are opened later. When it fails
    /// the access point has everything passed, by another call.
    virtual result<void> install(port_id port, const bpf_code& program) = 0;
};

/// How a port's program is.
enum class kernel_filter_state : std::uint8_t {
    pending,  ///< everything passes until a program is made
    in_place, ///< it passes what the criteria need, and little more
    too_long, ///< given up, everything passes: the criteria need more than fits into a program
    refused,  ///< given up, everything passes: it could not be put in front of the sockets
};

/// The sentence for an operator.
FLOWTAP_TAP_API const char* to_string(kernel_filter_state state) noexcept;

struct kernel_filter_status {
    port_id port;
    kernel_filter_state state = kernel_filter_state::pending;
    /// Instructions of the program that is in front of the sockets.
    std::size_t instructions = 0;
    /// Why it was refused.
    error reason;

    /// Whether an operator has to hear of the change.
    bool tells_the_same_as(const kernel_filter_status& other) const noexcept {
        return state == other.state && reason.code == other.reason.code;
    }
};

} // namespace flowtap::tap
