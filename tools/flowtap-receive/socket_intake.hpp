// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "intake.hpp"
#include "listener.hpp"

namespace flowtap::tools {

struct socket_settings {
    std::vector<listener> udp;
    bool ip_in_ip = false;
    /// The one address for which IP-in-IP is received; none receives it for all.
    std::optional<ip_address> ip_in_ip_address;
    /// Octets of each socket's receive buffer that are asked for.
    int buffer = 16 << 20;
};

/// Copies out of sockets, many with one system call. The kernel has put fragments together and
/// checked the checksums of UDP.
class socket_intake final : public intake {
public:
    /// Ports that are listened on at the same time, at most.
    static constexpr std::size_t most_ports = 4096;

    /// Errors: those of the system; `flowtap::errc::out_of_range` for too many ports.
    static result<std::unique_ptr<socket_intake>> open(const socket_settings& settings);
    ~socket_intake() override;

    intake_state receive(collector& to, std::chrono::milliseconds limit) override;
    void finish(collector& to) override;
    void interrupt() noexcept override {}
    /// With the ports that the system chose.
    std::vector<std::string> places() const override;
    std::uint64_t lost() const noexcept override;
    std::uint64_t incomplete() const noexcept override { return 0; }

private:
    struct state;
    explicit socket_intake(std::unique_ptr<state> with);
    std::unique_ptr<state> state_;
};

} // namespace flowtap::tools
