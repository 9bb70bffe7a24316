// SPDX-License-Identifier: Apache-2.0
#include "capture_filter.hpp"

#include <memory>
#include <span>
#include <utility>
#include <vector>

#ifdef __linux__
// Before libpcap's own definitions of the same names.
#include <linux/filter.h>
#endif

#include <flowtap/capture/error.hpp>

namespace flowtap::capture::detail {

namespace {

/// A compiled program of libpcap.
class compiled {
public:
    compiled() = default;
    compiled(const compiled&) = delete;
    compiled& operator=(const compiled&) = delete;
    ~compiled() { pcap_freecode(&program_); }

    result<void> compile(pcap_t* handle, const std::string& text) {
        if (pcap_compile(handle, &program_, text.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
            return fail(errc::invalid_filter, text + ": " + pcap_geterr(handle));
        return {};
    }
    bpf_program& program() noexcept { return program_; }

private:
    bpf_program program_{};
};

#ifdef __linux__

socket_ways ways_of(pcap_direction_t way) noexcept {
    switch (way) {
    case PCAP_D_IN:
        return socket_ways::incoming;
    case PCAP_D_OUT:
        return socket_ways::outgoing;
    default:
        return socket_ways::both;
    }
}

/// Appends a program in such a way that it falls out at the end where it would take a packet.
void append(const bpf_program& program, std::vector<bpf_instruction>& to) {
    const std::span instructions(program.bf_insns, program.bf_len);
    for (std::size_t i = 0; i < instructions.size(); ++i) {
        const bpf_insn& each = instructions[i];
        const auto left = static_cast<std::uint32_t>(instructions.size() - i - 1);
        if (each.code == (BPF_RET | BPF_K) && each.k != 0)
            to.push_back({BPF_JMP | BPF_JA, 0, 0, left});
        else
            to.push_back({each.code, each.jt, each.jf, each.k});
    }
}

void ignore_packet(unsigned char*, const pcap_pkthdr*, const unsigned char*) {}

/// Gives the filter to the kernel past libpcap, which would also run it on the first packets itself
/// and cannot do the loads in front. What came before the filter is thrown away.
result<socket_filter> install_in_kernel(pcap_t* handle, const capture_filter& wanted,
                                        const bpf_program& text) {
    std::vector<bpf_instruction> front = socket_front(wanted.excluded_mark, ways_of(wanted.way));
    append(text, front);
    auto added =
        socket_filter::add(wanted.in_kernel ? wanted.in_kernel : std::make_shared<kernel_filter>(),
                           pcap_fileno(handle), std::move(front));
    if (!added)
        return added;
    while (pcap_dispatch(handle, -1, ignore_packet, nullptr) > 0) {
    }
    return added;
}

#endif

} // namespace

result<socket_filter> apply(pcap_t* handle, const capture_filter& wanted) {
    if (wanted.way != PCAP_D_INOUT && pcap_setdirection(handle, wanted.way) != 0)
        return fail(errc::invalid_filter, std::string("direction: ") + pcap_geterr(handle));
    compiled text;
    if (auto done = text.compile(handle, wanted.text); !done)
        return fail(done.error());
#ifdef __linux__
    // libpcap would take these loads of a cooked capture for loads from its own header.
    if (pcap_datalink(handle) == DLT_EN10MB)
        return install_in_kernel(handle, wanted, text.program());
#endif
    if (wanted.excluded_mark)
        return fail(errc::filter_not_in_kernel, "mark");
    if (pcap_setfilter(handle, &text.program()) != 0)
        return fail(errc::invalid_filter, wanted.text + ": " + pcap_geterr(handle));
    return {};
}

} // namespace flowtap::capture::detail
