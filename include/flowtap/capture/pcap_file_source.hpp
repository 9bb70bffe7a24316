// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

/// What the packets of a capture file stand for, and how it is read.
struct file_options {
    port_id port;
    direction way = direction::ingress;
    /// Octets that are read at a time, 1 to 64 Mi. What fits into a core's second cache together
    /// with all else is fastest.
    std::size_t block = std::size_t{256} << 10;
};

/// How far a capture file was read: octets of the file as it is stored.
struct file_position {
    std::uint64_t read = 0;
    /// Those that there are, from where reading began; none of a pipe.
    std::optional<std::uint64_t> size;
};

/// The packets of a pcap or pcapng file, in order, also of one that is compressed with gzip, bzip2,
/// xz, zstd or lz4: what it is shows in its octets, not in its name.
///
/// Classic pcap files are read in blocks, and packets are handed over where they stand in a block;
/// everything else is read by libpcap.
///
/// A file that is damaged, or ends in the middle of a packet or of the compressed data, ends with
/// `source_state::failed` after all packets before the damage; `failure()` says where and why it
/// broke off. Of a pipe, or anything else that is no regular file, a read hands over what is there
/// and waits only for a first packet. `interrupt` ends that wait, and the source.
class FLOWTAP_CAPTURE_API pcap_file_source final : public path::source {
public:
    /// Opens `path`; `-` is standard input.
    /// Errors: those of `opener` and of reading, `errc::not_a_capture`,
    /// `errc::unsupported_link_type`, `errc::unsupported_compression`, `errc::damaged_compression`.
    static result<std::unique_ptr<pcap_file_source>>
    open(const std::string& path, const file_options& options = {}, opener& with = direct_opener());
    ~pcap_file_source() override;

    path::read_result read(std::span<path::captured_packet> packets) noexcept override;
    bool may_wait() const noexcept override;
    void wait(std::chrono::milliseconds limit) noexcept override;
    void interrupt() noexcept override;
    path::backpressure when_full() const noexcept override;
    error failure() const override;

    packet::link_type link() const noexcept;

    /// Any thread.
    file_position position() const noexcept;

private:
    struct state;
    explicit pcap_file_source(std::unique_ptr<state> with) noexcept;
    std::unique_ptr<state> state_;
};

} // namespace flowtap::capture
