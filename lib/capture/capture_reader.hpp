// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>

#include <flowtap/capture/pcap_file_source.hpp>
#include <flowtap/core/result.hpp>
#include <flowtap/path/source.hpp>

#include "peeked_stream.hpp"

namespace flowtap::capture::detail {

/// The packets of one capture file: what stands behind a `pcap_file_source`, with the contract of
/// `path::source`.
class capture_reader {
public:
    capture_reader() = default;
    capture_reader(const capture_reader&) = delete;
    capture_reader& operator=(const capture_reader&) = delete;
    virtual ~capture_reader() = default;

    virtual path::read_result read(std::span<path::captured_packet> packets) noexcept = 0;
    virtual error failure() const = 0;
    virtual packet::link_type link() const noexcept = 0;
};

/// Where a reader's packets come from.
struct reader_input {
    std::unique_ptr<peeked_stream> octets;
    std::string path; ///< for errors
    file_options options;
};

/// Reads everything that libpcap knows. Errors: `errc::not_a_capture`; those of the stream.
result<std::unique_ptr<capture_reader>> make_libpcap_reader(reader_input from);

/// The first octets of a file that show whether the other reader is for it.
inline constexpr std::size_t pcap_header_size = 24;

/// Reads classic pcap files, version 2.4, in blocks and without a copy for each packet. Null, with
/// `from` as it was, for anything else.
std::unique_ptr<capture_reader> make_block_reader(reader_input& from);

} // namespace flowtap::capture::detail
