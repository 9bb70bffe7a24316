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

struct udp_options {
    socket_options socket;
    /// The most sockets that are opened, one for each source address and port; at least 1.
    std::size_t sockets = 256;
};

/// Sends copies in UDP through plain sockets bound to their source address and port, many with one
/// system call. Needs no privilege, but the source address must be the system's own, and the
/// encapsulation one over UDP. The kernel writes the outer headers and fragments where it must.
///
/// A socket is opened when the first copy from its address and port comes, and stays open.
class FLOWTAP_DELIVER_API udp_sink final : public path::sink {
public:
    explicit udp_sink(const udp_options& options = {});
    ~udp_sink() override;

    /// Whether this sink can send copies with the header of `what`: opens its socket if there is
    /// none yet. The answer for an address and port is remembered.
    bool can_send(const path::copy& what) noexcept;

    /// Whether copies that it has sent may still be in a queue of the system's.
    bool has_unsent() const noexcept;

    /// Copies that `can_send` refuses are dropped and counted as `drop_cause::send_error`.
    std::size_t consume(std::span<const path::copy> copies) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::deliver
