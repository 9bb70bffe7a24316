// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include <flowtap/capture/api.hpp>
#include <flowtap/core/ids.hpp>
#include <flowtap/core/opener.hpp>
#include <flowtap/core/packet_key.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::capture {

/// What the packets of a capture file stand for.
struct file_options {
    port_id port;
    direction way = direction::ingress;
};

/// The packets of a pcap or pcapng file, in order.
///
/// A file that is damaged, or ends in the middle of a packet, ends with `source_state::failed`
/// after all packets before the damage; `failure()` says where it was read from and why it broke
/// off. Of a pipe, or anything else that is no regular file, a read hands over what is there and
/// waits only for a first packet; `interrupt` ends that wait, and the source.
class FLOWTAP_CAPTURE_API pcap_file_source final : public path::source {
public:
    /// Opens `path`; `-` is standard input.
    /// Errors: those of `opener`, `errc::not_a_capture`, `errc::unsupported_link_type`.
    static result<std::unique_ptr<pcap_file_source>>
    open(const std::string& path, const file_options& options = {}, opener& with = direct_opener());
    ~pcap_file_source() override;

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void interrupt() noexcept override;
    path::backpressure when_full() const noexcept override;
    error failure() const override;

    packet::link_type link() const noexcept;

private:
    struct state;
    explicit pcap_file_source(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::capture
