// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <flowtap/packet/reassembly.hpp>
#include <flowtap/path/source.hpp>

#include "intake.hpp"

namespace flowtap::tools {

/// Copies out of captures, one after the other, or off a device.
class capture_intake final : public intake {
public:
    /// Errors: those of module capture.
    static result<std::unique_ptr<capture_intake>> read_files(const std::vector<std::string>& paths,
                                                              packet::encapsulation_kind expected);
    /// Needs CAP_NET_RAW. `filter` is in the language of pcap-filter(7).
    /// Errors: those of module capture.
    static result<std::unique_ptr<capture_intake>>
    watch_device(const std::string& device, const std::string& filter,
                 packet::encapsulation_kind expected);

    intake_state receive(collector& to, std::chrono::milliseconds limit) override;
    void finish(collector&) override {}
    void interrupt() noexcept override;
    std::vector<std::string> places() const override;
    std::uint64_t lost() const noexcept override;
    std::uint64_t incomplete() const noexcept override;
    error failure() const override;

private:
    using sources = std::vector<std::unique_ptr<path::source>>;
    capture_intake(sources from, packet::encapsulation_kind expected);

    void take(const path::captured_packet& packet, collector& to);

    sources sources_;
    std::string device_; ///< empty for captures
    std::size_t current_ = 0;
    packet::encapsulation_kind expected_;
    packet::reassembler fragments_;
    std::array<path::captured_packet, 256> packets_;
};

} // namespace flowtap::tools
