// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <flowtap/capture/api.hpp>
#include <flowtap/core/bpf.hpp>
#include <flowtap/core/result.hpp>

namespace flowtap::capture {

/// A program that the kernel runs on each packet of a set of capture sockets before anything of the
/// packet is copied, and that can be replaced while they capture.
///
/// The program sees a frame from its link header on. A VLAN tag that the kernel took off is not in
/// the frame; the extensions `SKF_AD_VLAN_TAG_PRESENT` and `SKF_AD_VLAN_TAG` have it. Super-packets
/// are seen whole. A packet is dropped, uncounted, for which the program returns 0, and captured
/// whole for which it returns 0xFFFFFFFF.
///
/// Hand it to the sources of one device or of several (`live_options::in_kernel`). In front of the
/// program each socket has instructions of its own, which leave out marked packets and directions
/// that are not observed; they stay in force whatever the program is. Any thread may call any
/// member at any time. Linux only: elsewhere a program is refused.
class FLOWTAP_CAPTURE_API kernel_filter {
public:
    /// Most instructions of a program: what the kernel takes, less the room for those in front.
    static constexpr std::size_t max_instructions = longest_bpf_program - 32;

    /// Without a program: everything passes.
    kernel_filter();
    ~kernel_filter();
    kernel_filter(const kernel_filter&) = delete;
    kernel_filter& operator=(const kernel_filter&) = delete;

    /// Makes `program` the one that runs on all sockets, those added later included; an empty one
    /// lets everything pass. On each socket one program follows the other at once: no packet passes
    /// without being judged by one of the two. When it returns, no packet that comes is judged by
    /// the program before.
    ///
    /// Errors: `errc::filter_not_in_kernel` when it is too long, the kernel refuses it, or has no
    /// memory for it. Then no socket runs it, nor the program before: everything passes.
    result<void> replace(std::span<const bpf_instruction> program);

    /// Runs `front`, and then the program, on a socket from now on, until `remove`. Instructions of
    /// `front` return 0 to drop a packet; a packet goes on to the program by falling out of their
    /// end. For sources. Errors: `errc::filter_not_in_kernel`; then the socket is not added.
    result<void> add(int socket, std::vector<bpf_instruction> front);
    /// Forgets a socket, which keeps its program. Must be called before the socket is closed.
    void remove(int socket) noexcept;

    /// How many sockets it runs on.
    std::size_t sockets() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::capture
