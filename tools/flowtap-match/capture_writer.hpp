// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include <flowtap/core/result.hpp>
#include <flowtap/packet/view.hpp>
#include <flowtap/path/source.hpp>

namespace flowtap::tools {

/// Writes packets as they were captured to a pcap file with nanoseconds.
class capture_writer {
public:
    /// Makes or empties `path`; `-` is standard output.
    static result<capture_writer> create(const std::string& path, packet::link_type link);

    void write(const path::captured_packet& packet);
    /// Writes out what is buffered. Errors: that of the system for any write so far.
    result<void> close();

private:
    struct closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    std::unique_ptr<std::FILE, closer> file_;
    std::string path_;
    int failure_ = 0;

    void put(const void* octets, std::size_t size);
};

} // namespace flowtap::tools
