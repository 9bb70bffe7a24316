// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <pcap/pcap.h>

namespace flowtap::filter::testing {

/// A filter text compiled by libpcap for raw IP packets.
class pcap_program {
public:
    /// Whether libpcap's optimizer works on it.
    enum form : int { as_written = 0, optimized = 1 };

    explicit pcap_program(const std::string& text, form wanted = optimized)
        : handle_(pcap_open_dead(DLT_RAW, 65535)) {
        compiled_ = pcap_compile(handle_, &code_, text.c_str(), wanted, PCAP_NETMASK_UNKNOWN) == 0;
        if (!compiled_)
            problem_ = pcap_geterr(handle_);
    }
    ~pcap_program() {
        if (compiled_)
            pcap_freecode(&code_);
        pcap_close(handle_);
    }
    pcap_program(const pcap_program&) = delete;
    pcap_program& operator=(const pcap_program&) = delete;

    /// Whether libpcap took the text. What it finds to reject all packets, it compiles to nothing;
    /// that is taken, and selects nothing.
    bool good() const {
        return compiled_ || problem_.find("rejects all packets") != std::string::npos;
    }
    const std::string& problem() const { return problem_; }

    bool selects(std::span<const std::byte> packet) const {
        if (!compiled_)
            return false;
        pcap_pkthdr header{};
        header.caplen = header.len = static_cast<bpf_u_int32>(packet.size());
        const void* const octets = packet.data();
        return pcap_offline_filter(&code_, &header, static_cast<const unsigned char*>(octets)) != 0;
    }

private:
    pcap_t* handle_;
    bpf_program code_{};
    bool compiled_ = false;
    std::string problem_;
};

} // namespace flowtap::filter::testing
