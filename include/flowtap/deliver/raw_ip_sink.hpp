// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include <flowtap/core/result.hpp>
#include <flowtap/deliver/api.hpp>
#include <flowtap/deliver/socket_options.hpp>
#include <flowtap/path/sink.hpp>

namespace flowtap::deliver {

/// Sends copies through raw IP sockets, many with one system call: any encapsulation, from any
/// source address, the system's or not. Copies leave as the routing table says; the egress of a
/// copy is not looked at.
///
/// A copy that is longer than the MTU towards its destination leaves in fragments, unless
/// `socket_options::too_long` says otherwise.
/// Needs CAP_NET_RAW.
class FLOWTAP_DELIVER_API raw_ip_sink final : public path::sink {
public:
    /// Opens the sockets; that of a family that the system lacks is left out.
    /// Errors: those of `opener` and of the system for setting the mark.
    static result<std::unique_ptr<raw_ip_sink>> open(const socket_options& options = {});
    ~raw_ip_sink() override;

    /// Whether copies that it has sent may still be in a queue of the system's.
    bool has_unsent() const noexcept;

    std::size_t consume(std::span<const path::copy> copies) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;

private:
    struct state;
    explicit raw_ip_sink(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::deliver
